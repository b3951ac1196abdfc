"""The window loop: one 30 s window per step; all state between steps is plain data.

A re-entrant port of `WhisperModel.generate_segments` (faster-whisper 1.2.1, MIT) on that
library's own pieces (`encode`, `generate_with_fallback`, `get_prompt`, `add_word_timestamps`).
A state written to disk after a step resumes with the same segments. Unlike the original, a
decoding whose last timestamp does not advance cannot loop for ever: the window is skipped. And
half of the model's context is always free for the text: what does not fit is cut.
"""

from copy import deepcopy
from typing import Any, NamedTuple

from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import Segment as WhisperSegment
from faster_whisper.transcribe import TranscriptionOptions, WhisperModel, Word
from faster_whisper.utils import get_end
from msgspec.structs import replace

from fwtui.audio.features import LazyFeatures
from fwtui.core.finding import Finding, FindingKind
from fwtui.core.session import WindowState
from fwtui.engine.context import Context, CutOff, cut_off
from fwtui.engine.encode import WindowEncoder
from fwtui.engine.hallucination import SegmentDict, first_hallucination, leading_silence

PROMPT_TOKENS = 223  # Whisper's context of 448, halved, less one: what `get_prompt` keeps
# A window that was cut off is continued only if that gets so many frames further.
LEAST_ADVANCE = 100


class DecodedWindow(NamedTuple):
    """The tokens that the model made of a window; `cut`: it ended without an end token."""

    tokens: list[int]
    compression: float
    cut: CutOff | None


class Scores(NamedTuple):
    """What the model says of a decoding."""

    temperature: float
    logprob: float
    compression: float
    no_speech: float


class WindowLoop:
    """Transcribes one file window by window.

    `features` are the file's (VAD-filtered) log-mel frames, `options` faster-whisper's with
    `clip_timestamps` as a list of seconds. With `listens` on, `spoken` is the language (code and
    probability) that the last window sounded like. `findings` are those of the last window, in
    seconds of the signal; `language` is the last window's, if every window has its own; `silent`:
    it was digital silence.
    """

    def __init__(
        self,
        model: WhisperModel,
        features: LazyFeatures,
        tokenizer: Tokenizer,
        options: TranscriptionOptions,
        *,
        listens: bool = False,
        encoder: WindowEncoder | None = None,
    ) -> None:
        self.model = model
        self.encoder = encoder or WindowEncoder(model)
        self.listens = listens
        self.spoken: tuple[str, float] | None = None
        self.findings: tuple[Finding, ...] = ()
        self.language: str | None = None
        self.silent = False
        self.features = features
        self.tokenizer = tokenizer
        self.options = options
        self.context = Context(model, tokenizer, options)
        extractor = model.feature_extractor
        self.window_frames: int = extractor.nb_max_frames
        self.frame_seconds: float = extractor.time_per_frame
        self.frames_per_second: int = model.frames_per_second
        self.content_frames: int = features.shape[-1] - 1
        self.clips = self._clips(options.clip_timestamps)

    def _clips(self, clip_timestamps: list[float]) -> list[tuple[int, int]]:
        """The ranges to transcribe, as (first, last + 1) frames."""
        points = [round(seconds * self.frames_per_second) for seconds in clip_timestamps] or [0]
        if len(points) % 2 == 1:
            points.append(self.content_frames)
        return list(zip(points[::2], points[1::2], strict=True))

    def begin(self) -> WindowState:
        """The state before the first window."""
        tokens = self.context.initial()
        state = WindowState(seek=self.clips[0][0], prompt=tuple(tokens[-PROMPT_TOKENS:]))
        return self._next_window(state)

    def _next_window(self, state: WindowState) -> WindowState:
        """The state at the next frame to transcribe; `done` if there is none."""
        seek, clip = state.seek, state.clip
        while clip < len(self.clips):
            start, end = self.clips[clip]
            seek = max(seek, start)
            if seek < min(end, self.content_frames):
                return replace(state, seek=seek, clip=clip)
            clip += 1
            if clip < len(self.clips):
                seek = self.clips[clip][0]
        return replace(state, seek=seek, clip=clip, done=True)

    def _size(self, state: WindowState) -> int:
        """Frames in the window at `state`."""
        end = min(self.clips[state.clip][1], self.content_frames)
        return min(self.window_frames, end - state.seek)

    def bounds(self, state: WindowState) -> tuple[float, float]:
        """Begin and end of the window at `state`, in seconds of the signal."""
        end = state.seek + self._size(state)
        return state.seek * self.frame_seconds, end * self.frame_seconds

    def skip(self, state: WindowState) -> WindowState:
        """The state after skipping the window at `state`."""
        seek = state.seek + self._size(state)
        return self._next_window(replace(state, seek=seek, prompt=()))

    def step(self, state: WindowState) -> tuple[list[WhisperSegment], WindowState]:
        """Transcribe the window at `state`: its segments, and the state of the next window.

        Times are seconds in the signal that the model sees. `state.done` must be false.
        """
        self.findings, self.spoken = (), None
        after = self._after_silence(state)
        self.silent = after is not state
        if self.silent:
            return [], after
        size = self._size(state)
        encoded = self.encoder.encode(self.features, state.seek, state.seek + size)
        if self.listens or self.options.multilingual:
            self._detect_language(encoded)
        if state.language and self.language not in {None, state.language}:
            state = replace(state, prompt=())  # it would make the model translate
        prompt = self.context.prompt(state.prompt, prefix=state.seek == 0)
        options = self.context.options_for(prompt)
        result, logprob, temperature, compression = self.model.generate_with_fallback(
            encoded, prompt, self.tokenizer, options
        )
        if is_silence(self.options, result.no_speech_prob, logprob):
            return [], self._next_window(replace(state, seek=state.seek + size))

        tokens = result.sequences_ids[0]
        cut = cut_off(tokens, prompt, self.model.max_length, options.max_new_tokens)
        decoded = DecodedWindow(tokens, compression, cut)
        found, seek, last_speech = self._split(state, size, encoded, decoded)
        if seek <= state.seek:
            seek = state.seek + size
        if found is None:
            return [], self._next_window(replace(state, seek=seek))
        scores = Scores(temperature, logprob, compression, result.no_speech_prob)
        segments = self._segments(found, state, scores)
        tokens = [*state.prompt, *(token for segment in segments for token in segment.tokens)]
        if (
            not self.options.condition_on_previous_text
            or temperature > self.options.prompt_reset_on_temperature
        ):
            tokens = []
        after = replace(
            state,
            seek=seek,
            segments=state.segments + len(segments),
            prompt=tuple(tokens[-PROMPT_TOKENS:]),
            last_speech=last_speech,
            language=self.language or "",
        )
        return segments, self._next_window(after)

    def _segments(
        self, found: list[SegmentDict], state: WindowState, scores: Scores
    ) -> list[WhisperSegment]:
        """The pieces that have text and a length."""
        segments: list[WhisperSegment] = []
        for piece in found:
            text = self.tokenizer.decode(piece["tokens"])
            if piece["start"] == piece["end"] or not text.strip():
                continue
            segments.append(
                WhisperSegment(
                    id=state.segments + len(segments) + 1,
                    seek=state.seek,
                    start=piece["start"],
                    end=piece["end"],
                    text=text,
                    tokens=piece["tokens"],
                    temperature=scores.temperature,
                    avg_logprob=scores.logprob,
                    compression_ratio=scores.compression,
                    no_speech_prob=scores.no_speech,
                    words=self._words(piece),
                )
            )
        return segments

    def _after_silence(self, state: WindowState) -> WindowState:
        """The state at the next window that is not digital silence, of which text would be made."""
        while not state.done:
            end = state.seek + self._size(state)
            if not self.features.is_silent(state.seek, end):
                break
            state = self._next_window(replace(state, seek=end))
        return state

    def _detect_language(self, encoded: Any) -> None:
        token, probability = self.model.model.detect_language(encoded)[0][0]
        self.spoken = token[2:-2], float(probability)
        if not self.options.multilingual:
            return
        self.tokenizer.language = self.tokenizer.tokenizer.token_to_id(token)
        self.tokenizer.language_code = self.language = token[2:-2]

    def _words(self, piece: SegmentDict) -> list[Word] | None:
        return [Word(**word) for word in piece["words"]] if self.options.word_timestamps else None

    def _split(
        self, state: WindowState, size: int, encoded: Any, decoded: DecodedWindow
    ) -> tuple[list[SegmentDict] | None, int, float]:
        """Pieces of the decoded tokens, the next seek, and when speech was last heard.

        Pieces are None if there was silence before a probable hallucination: only `seek` counts.
        """
        offset = state.seek * self.frame_seconds
        duration = size * self.frame_seconds
        pieces, seek, ended = self.model._split_segments_by_timestamps(
            tokenizer=self.tokenizer,
            tokens=decoded.tokens,
            time_offset=offset,
            segment_size=size,
            segment_duration=duration,
            seek=state.seek,
        )
        if decoded.cut is not None:
            seek = self._continued(state, size, encoded, decoded, pieces, seek)
            ended = ended and decoded.cut.asked
        if not self.options.word_timestamps:
            return pieces, seek, state.last_speech
        self.model.add_word_timestamps(
            [pieces],
            self.tokenizer,
            encoded,
            size,
            self.options.prepend_punctuations,
            self.options.append_punctuations,
            last_speech_timestamp=state.last_speech,
        )
        if not ended:
            last_word = get_end(pieces)
            if last_word is not None and last_word > offset:
                seek = round(last_word * self.frames_per_second)
        threshold = self.options.hallucination_silence_threshold
        if threshold is not None:
            silence = leading_silence(pieces, offset, threshold)
            if silence:
                skipped = state.seek + round(silence * self.frames_per_second)
                return None, skipped, state.last_speech
            pieces, seek = self._drop_hallucination(state, pieces, seek, duration)
        last_word = get_end(pieces)
        return pieces, seek, state.last_speech if last_word is None else float(last_word)

    def _continued(
        self,
        state: WindowState,
        size: int,
        encoded: Any,
        decoded: DecodedWindow,
        pieces: list[SegmentDict],
        seek: int,
    ) -> int:
        """Where a window that was cut off is continued; adds the finding.

        At the last timestamp; without one, at the end of the last word, unless the text repeats.
        """
        assert decoded.cut is not None
        begin, end = state.seek, state.seek + size
        if not decoded.cut.asked:
            last = last_timestamp(decoded.tokens, self.tokenizer)
            if last:
                seek = begin + last * self.model.input_stride
            elif not is_repetitive(self.options, decoded.compression):
                seek = self._end_of_words(encoded, size, pieces)
            if not begin + LEAST_ADVANCE <= seek < end:
                seek = end
        until = min(seek, end)
        self.findings = (cut_finding(decoded.cut, begin / 100, until / 100, more=until < end),)
        if until < end:
            for piece in pieces:
                piece["end"] = min(piece["end"], until * self.frame_seconds)
        return seek

    def _end_of_words(self, encoded: Any, size: int, pieces: list[SegmentDict]) -> int:
        """The frame at which the last word ends."""
        aligned = deepcopy(pieces)
        self.model.add_word_timestamps(
            [aligned],
            self.tokenizer,
            encoded,
            size,
            self.options.prepend_punctuations,
            self.options.append_punctuations,
            last_speech_timestamp=0.0,
        )
        return int((get_end(aligned) or 0.0) * self.frames_per_second)

    def _drop_hallucination(
        self, state: WindowState, pieces: list[SegmentDict], seek: int, duration: float
    ) -> tuple[list[SegmentDict], int]:
        """Cut the window before the first probable hallucination, and continue from there."""
        offset = state.seek * self.frame_seconds
        threshold = self.options.hallucination_silence_threshold
        index = first_hallucination(
            pieces,
            start=offset,
            duration=duration,
            window_end=(state.seek + self.window_frames) * self.frame_seconds,
            last_speech=state.last_speech,
            threshold=threshold,
        )
        if index is None:
            return pieces, seek
        hallucinated = pieces[index]
        seek = round(max(offset + 1, hallucinated["start"]) * self.frames_per_second)
        if self.content_frames * self.frame_seconds - hallucinated["end"] < threshold:
            seek = self.content_frames
        return pieces[:index], seek


def is_silence(options: TranscriptionOptions, no_speech: float, logprob: float) -> bool:
    """Whether a decoding means that there was no speech."""
    if options.no_speech_threshold is None or no_speech <= options.no_speech_threshold:
        return False
    # a confident decoding counts as speech all the same
    return options.log_prob_threshold is None or logprob <= options.log_prob_threshold


def last_timestamp(tokens: list[int], tokenizer: Tokenizer) -> int:
    """The position of the last timestamp among the tokens; 0 if there is none after the first."""
    first = tokenizer.timestamp_begin
    return next((token - first for token in reversed(tokens) if token >= first), 0)


def is_repetitive(options: TranscriptionOptions, compression: float) -> bool:
    """Whether a decoding with this compression ratio is a loop."""
    threshold = options.compression_ratio_threshold
    return threshold is not None and compression > threshold


def cut_finding(cut: CutOff, begin: float, end: float, *, more: bool) -> Finding:
    """The finding about a decoding without an end, in seconds; `more`: it is continued."""
    why = "max_new_tokens" if cut.asked else "the model's limit"
    detail = f"stopped after {cut.limit} tokens ({why})"
    detail += "; continued from there" if more else "; the rest may be missing"
    return Finding(FindingKind.CUT_OFF, begin, end, detail)
