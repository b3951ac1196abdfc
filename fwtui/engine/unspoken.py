"""Text without speech: what the model writes where VAD hears nobody.

VAD is asked only about windows whose text is suspicious, so that it costs less than one percent of
the time with the model `base` (`docs/quality.md`), unless such text is to be left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from faster_whisper.transcribe import Segment as WhisperSegment
from faster_whisper.vad import VadOptions

from fwtui.audio.signal import FloatArray, SampleSource
from fwtui.audio.speech import find_speech
from fwtui.audio.wav import SAMPLE_RATE
from fwtui.core.decoding import clip_points
from fwtui.core.finding import Finding
from fwtui.core.known_phrases import is_known_phrase, unspoken
from fwtui.core.segment import Segment
from fwtui.engine.prepare import PreparedFile, uses_vad, vad_options

# Text that nobody doubts: a confident decoding, and as dense as speech is.
_SURE_LOGPROB = -0.5
_SURE_SPEECH = 0.2
_LETTERS_PER_SECOND = 5.0
# Whisper's times are so far off at most, in seconds.
_TOLERANCE = 0.5
# Around the segments, for VAD to get used to the recording.
_LEAD_SECONDS = 2.0


@dataclass(frozen=True)
class SpeechCheck:
    """Finds segments outside speech. `everything`: also those that nothing speaks against."""

    source: SampleSource
    options: VadOptions
    everything: bool = False

    def findings(self, segments: Sequence[WhisperSegment | Segment]) -> tuple[Finding, ...]:
        """The segments of a window in which there is no speech; times in seconds of the source."""
        if not self.everything and not any(map(is_suspicious, segments)):
            return ()
        return tuple(finding for part in _runs(segments) for finding in self._outside(part))

    def _outside(self, segments: Sequence[WhisperSegment | Segment]) -> Iterator[Finding]:
        first = max(0.0, segments[0].start - _LEAD_SECONDS)
        end = max(segment.end for segment in segments) + _LEAD_SECONDS
        part = _Part(self.source, int(first * SAMPLE_RATE), int(end * SAMPLE_RATE))
        speech = [
            (first + chunk.start / SAMPLE_RATE, first + chunk.end / SAMPLE_RATE)
            for chunk in find_speech(part, self.options, lambda: False)
        ]
        for segment in segments:
            begin, until = segment.start - _TOLERANCE, segment.end + _TOLERANCE
            if not any(start < until and stop > begin for start, stop in speech):
                yield unspoken(segment.start, segment.end, segment.text)


def _runs(
    segments: Sequence[WhisperSegment | Segment],
) -> Iterator[list[WhisperSegment | Segment]]:
    """The segments in runs without long pauses: batches may have chunks from far apart."""
    run: list[WhisperSegment | Segment] = []
    for segment in segments:
        if run and segment.start - run[-1].end > 2 * _LEAD_SECONDS:
            yield run
            run = []
        run.append(segment)
    if run:
        yield run


def speech_check(prepared: PreparedFile) -> SpeechCheck | None:
    """The check of a file, if it is wanted, and VAD has not chosen what is transcribed."""
    request = prepared.request
    decoding = request.decoding
    chosen = decoding.batched and not clip_points(decoding.clip_timestamps)
    wanted = request.drop_unspoken or request.quality.check_unspoken
    if not wanted or chosen or (uses_vad(decoding) and not decoding.batched):
        return None
    return SpeechCheck(prepared.signal, vad_options(decoding), request.drop_unspoken)


def is_suspicious(segment: WhisperSegment | Segment) -> bool:
    """Whether there is any reason to think that nobody says this."""
    letters = sum(letter.isalnum() for letter in segment.text)
    return (
        segment.avg_logprob < _SURE_LOGPROB
        or segment.no_speech_prob > _SURE_SPEECH
        or letters < _LETTERS_PER_SECOND * (segment.end - segment.start)
        or is_known_phrase(segment.text)
    )


@dataclass(frozen=True)
class _Part:
    """Samples `start` to `stop` of a signal."""

    source: SampleSource
    start: int
    stop: int

    def __len__(self) -> int:
        return max(0, min(self.stop, len(self.source)) - self.start)

    def read(self, start: int, stop: int) -> FloatArray:
        return self.source.read(self.start + start, min(self.start + stop, self.stop))
