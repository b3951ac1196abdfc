"""Speech detection: Silero VAD over a signal of any length, in bounded memory.

A port of `faster_whisper.vad.get_speech_timestamps` that reads the audio block by block; tests
compare it with the original.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from faster_whisper.vad import VadOptions, get_vad_model

from fwtui.audio.decode import DecodeCancelled
from fwtui.audio.signal import SILENT_PEAK, FloatArray, SampleSource
from fwtui.audio.wav import SAMPLE_RATE
from fwtui.core.session import SpeechChunk

_WINDOW = 512  # samples per probability
_CONTEXT = 64  # samples of the window before that the model sees too
_BLOCK = 2000  # windows per run of the model: 64 s
_SMALL_BLOCK = 160  # 5 s
# What counts as speech when only its beginning is looked for: 0.2 s in a row, from half a second
# before on.
_SPEECH = 0.5
_SPEECH_WINDOWS = 6
_LEAD = SAMPLE_RATE // 2
# A pause of this length is a good place to cut speech that is too long.
_CUT_PAUSE = SAMPLE_RATE * 98 / 1000


def find_speech(
    source: SampleSource, options: VadOptions, cancelled: Callable[[], bool]
) -> tuple[SpeechChunk, ...]:
    """Speech chunks in order, as `get_speech_timestamps(whole signal, options)` finds them.

    `cancelled` is called about once per minute of audio; raises DecodeCancelled.
    """
    segmenter = Segmenter(options)
    for block in speech_probabilities(source, cancelled):
        for probability in block.tolist():
            segmenter.feed(probability)
    return segmenter.finish(len(source))


def first_sound(source: SampleSource, start: int, cancelled: Callable[[], bool]) -> int:
    """The first sample, from `start` on, of speech; without speech, of anything but silence.

    `start` itself if there is neither. Reads no more than it has to. Raises DecodeCancelled.
    """
    rest = _Rest(source, start)
    run = 0
    for number, block in enumerate(speech_probabilities(rest, cancelled, _SMALL_BLOCK)):
        for index, probability in enumerate(block.tolist()):
            run = run + 1 if probability >= _SPEECH else 0
            if run == _SPEECH_WINDOWS:
                begin = (number * _SMALL_BLOCK + index + 1 - run) * _WINDOW
                return start + max(0, begin - _LEAD)
    for at in range(start, len(source), _BLOCK * _WINDOW):
        loud = np.flatnonzero(np.abs(source.read(at, at + _BLOCK * _WINDOW)) > SILENT_PEAK)
        if loud.size:
            return at + int(loud[0])
    return start


@dataclass(frozen=True)
class _Rest:
    """A signal from `start` on."""

    source: SampleSource
    start: int

    def __len__(self) -> int:
        return max(0, len(self.source) - self.start)

    def read(self, start: int, stop: int) -> FloatArray:
        return self.source.read(self.start + start, self.start + stop)


def speech_probabilities(
    source: SampleSource, cancelled: Callable[[], bool] = lambda: False, size: int = _BLOCK
) -> Iterator[FloatArray]:
    """Speech probability of every 512 samples, in blocks; the same as of the whole signal."""
    session = get_vad_model().session
    state = np.zeros((1, 1, 128), np.float32)
    cell = np.zeros((1, 1, 128), np.float32)
    context = np.zeros((1, _CONTEXT), np.float32)
    total = len(source) // _WINDOW + 1  # a full last window is followed by a silent one
    for first in range(0, total, size):
        if cancelled():
            raise DecodeCancelled
        last = min(first + size, total)
        samples = source.read(first * _WINDOW, last * _WINDOW)
        windows = np.pad(samples, (0, (last - first) * _WINDOW - samples.size)).reshape(-1, _WINDOW)
        if last == total:
            windows[-1, -_CONTEXT:] = 0  # faster-whisper clears it by accident, so this must, too
        contexts = np.concatenate((context, windows[:-1, -_CONTEXT:]))
        context = windows[-1:, -_CONTEXT:].copy()
        inputs = {"input": np.concatenate((contexts, windows), 1), "h": state, "c": cell}
        output, state, cell = session.run(None, inputs)
        yield output.reshape(-1)


@dataclass
class _Limits:
    """VAD options in samples; thresholds as the float32 that they are compared as."""

    threshold: float
    neg_threshold: float
    min_speech: float
    max_speech: float
    min_silence: float
    pad: float

    @classmethod
    def of(cls, options: VadOptions) -> "_Limits":
        pad = SAMPLE_RATE * options.speech_pad_ms / 1000
        neg_threshold = options.neg_threshold
        if neg_threshold is None:
            neg_threshold = max(options.threshold - 0.15, 0.01)
        return cls(
            threshold=float(np.float32(options.threshold)),
            neg_threshold=float(np.float32(neg_threshold)),
            min_speech=SAMPLE_RATE * options.min_speech_duration_ms / 1000,
            max_speech=SAMPLE_RATE * options.max_speech_duration_s - _WINDOW - 2 * pad,
            min_silence=SAMPLE_RATE * options.min_silence_duration_ms / 1000,
            pad=pad,
        )


@dataclass
class _Pauses:
    """Pauses in the current speech; positions in samples, 0: none.

    `begin`: where the current pause began; `cut`: the start of the last pause long enough to cut
    at; `resumed`: where speech resumed after it.
    """

    begin: int = 0
    cut: int = 0
    resumed: int = 0


@dataclass
class Segmenter:
    """Turns speech probabilities, one per 512 samples, into speech chunks."""

    options: VadOptions
    _limits: _Limits = field(init=False)
    _position: int = 0
    _start: int | None = None
    _in_speech: bool = False
    _pauses: _Pauses = field(default_factory=_Pauses)
    _found: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._limits = _Limits.of(self.options)

    def feed(self, probability: float) -> None:
        """Add the next window's probability."""
        self._step(probability, self._position)
        self._position += _WINDOW

    def finish(self, length: int) -> tuple[SpeechChunk, ...]:
        """The chunks, padded on both sides, of a signal of `length` samples."""
        if self._start is not None and length - self._start > self._limits.min_speech:
            self._found.append((self._start, length))
        return _padded(self._found, self._limits.pad, length)

    def _step(self, probability: float, now: int) -> None:
        limits, pauses = self._limits, self._pauses
        is_speech = probability >= limits.threshold
        if is_speech and pauses.begin:
            pauses.begin = 0
            if pauses.resumed < pauses.cut:
                pauses.resumed = now
        if is_speech and not self._in_speech:
            self._in_speech = True
            self._start = now
            return
        if self._start is not None and now - self._start > limits.max_speech and self._split(now):
            return
        if probability < limits.neg_threshold and self._in_speech:
            self._pause(now)

    def _split(self, now: int) -> bool:
        """Split speech that is too long; returns whether the window is dealt with by that."""
        assert self._start is not None
        pauses = self._pauses
        self._pauses = _Pauses()
        if not pauses.cut:
            self._end(now)
            return True
        self._found.append((self._start, pauses.cut))
        if pauses.resumed < pauses.cut:  # still in that pause
            self._in_speech, self._start = False, None
        else:
            self._start = pauses.resumed
        return False

    def _pause(self, now: int) -> None:
        assert self._start is not None
        limits, pauses = self._limits, self._pauses
        pauses.begin = pauses.begin or now
        if now - pauses.begin > _CUT_PAUSE:
            pauses.cut = pauses.begin
        if now - pauses.begin < limits.min_silence:
            return
        self._pauses = _Pauses()
        if pauses.begin - self._start > limits.min_speech:
            self._end(pauses.begin)
        else:
            self._in_speech, self._start = False, None

    def _end(self, end: int) -> None:
        assert self._start is not None
        self._found.append((self._start, end))
        self._in_speech, self._start = False, None


def _padded(found: list[tuple[int, int]], pad: float, length: int) -> tuple[SpeechChunk, ...]:
    """Each chunk widened by `pad`; where two would overlap, they meet in the middle."""
    chunks: list[SpeechChunk] = []
    start = int(max(0, found[0][0] - pad)) if found else 0
    for (_, end), (following, _) in pairwise(found):
        silence = following - end
        if silence < 2 * pad:
            chunks.append(SpeechChunk(start, end + silence // 2))
            start = int(max(0, following - silence // 2))
        else:
            chunks.append(SpeechChunk(start, int(min(length, end + pad))))
            start = int(max(0, following - pad))
    if found:
        chunks.append(SpeechChunk(start, int(min(length, found[-1][1] + pad))))
    return tuple(chunks)
