"""Converts between faster-whisper's data and ours: options, segments, and times."""

import math
from collections.abc import Sequence

from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import (
    Segment as WhisperSegment,
)
from faster_whisper.transcribe import (
    TranscriptionOptions,
    get_suppressed_tokens,
    restore_speech_timestamps,
)
from faster_whisper.transcribe import (
    Word as WhisperWord,
)
from faster_whisper.vad import SpeechTimestampsMap
from msgspec.structs import replace

from fwtui.audio.wav import SAMPLE_RATE
from fwtui.core.decoding import clip_points, suppressed_tokens
from fwtui.core.finding import Finding
from fwtui.core.segment import Segment, Word
from fwtui.core.session import FilePlan, SpeechChunk, Spoken, WindowResult, WindowState
from fwtui.core.settings import DecodingSettings


class FileClock:
    """Converts times in the model's signal to times in the file; they differ with VAD."""

    def __init__(self, plan: FilePlan) -> None:
        self.duration = plan.duration
        self.chunks = [_chunk_dict(chunk) for chunk in plan.speech or ()]
        self.map = SpeechTimestampsMap(self.chunks, SAMPLE_RATE) if self.chunks else None

    def in_file_time(self, segments: list[WhisperSegment]) -> list[WhisperSegment]:
        """The segments with their times in the file."""
        if self.map is None:
            return segments
        return list(restore_speech_timestamps(segments, self.chunks, SAMPLE_RATE))

    def position(self, state: WindowState) -> float:
        """Seconds of the file done before `state`."""
        return self.duration if state.done else self.seconds(state.seek / 100)

    def seconds(self, at: float, *, is_end: bool = False) -> float:
        """A time of the model's signal, in seconds of the file; `is_end`: that of an end."""
        if self.map is not None:
            at = float(self.map.get_original_time(at, is_end=is_end))
        return min(at, self.duration)

    def bounds(self, begin: float, end: float) -> tuple[float, float]:
        """Begin and end of a window of the model's signal, in seconds of the file."""
        return self.seconds(begin), self.seconds(end, is_end=True)

    def findings(self, found: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings with their times in the file."""
        return tuple(
            replace(one, start=self.seconds(one.start), end=self.seconds(one.end, is_end=True))
            for one in found
        )


def spoken_in(
    language: tuple[str, float] | None, begin: float, end: float, segments: Sequence[Segment]
) -> tuple[Spoken, ...]:
    """The language of a stretch of the file; empty if it has no text, or no known language."""
    if language is None or not segments:
        return ()
    return (Spoken(begin, max(end, segments[-1].end), *language),)


def of_channel(result: WindowResult, plan: FilePlan, index: int) -> WindowResult:
    """A window's result of one of the channels as one of the file, if it has channels."""
    if not plan.channels:
        return result
    number = plan.channels[index].number
    return WindowResult(
        tuple(replace(segment, channel=number) for segment in result.segments),
        result.state,
        plan.progress(index, result.seconds),
        result.skipped,
        tuple(replace(spoken, channel=number) for spoken in result.spoken),
        tuple(replace(finding, channel=number) for finding in result.findings),
        result.silent,
    )


def _chunk_dict(chunk: SpeechChunk) -> dict[str, int]:
    return {"start": chunk.start, "end": chunk.end}


def transcription_options(decoding: DecodingSettings, tokenizer: Tokenizer) -> TranscriptionOptions:
    """Our settings as faster-whisper's options, as its `transcribe` would make them."""
    suppressed = list(suppressed_tokens(decoding.suppress_tokens))
    return TranscriptionOptions(
        beam_size=decoding.beam_size,
        best_of=decoding.best_of,
        patience=decoding.patience,
        length_penalty=decoding.length_penalty,
        repetition_penalty=decoding.repetition_penalty,
        no_repeat_ngram_size=decoding.no_repeat_ngram_size,
        log_prob_threshold=decoding.logprob_threshold,
        no_speech_threshold=decoding.no_speech_threshold,
        compression_ratio_threshold=decoding.compression_ratio_threshold,
        condition_on_previous_text=decoding.condition_on_previous_text,
        prompt_reset_on_temperature=decoding.prompt_reset_on_temperature,
        temperatures=list(decoding.temperatures),
        initial_prompt=decoding.initial_prompt,
        prefix=decoding.prefix,
        suppress_blank=decoding.suppress_blank,
        suppress_tokens=get_suppressed_tokens(tokenizer, suppressed) if suppressed else [],
        without_timestamps=decoding.without_timestamps,
        max_initial_timestamp=decoding.max_initial_timestamp,
        word_timestamps=decoding.word_timestamps,
        prepend_punctuations=decoding.prepend_punctuations,
        append_punctuations=decoding.append_punctuations,
        multilingual=decoding.multilingual,
        max_new_tokens=decoding.max_new_tokens,
        clip_timestamps=list(clip_points(decoding.clip_timestamps)),
        hallucination_silence_threshold=decoding.hallucination_silence_threshold,
        hotwords=decoding.hotwords,
    )


def finite(value: float) -> float:
    """A float that JSON can represent: a broken GPU kernel returns NaN, which becomes 0."""
    return float(value) if math.isfinite(value) else 0.0


def convert(segment: WhisperSegment) -> Segment:
    """faster-whisper's segment as ours: plain numbers, nothing mutable."""
    words = segment.words
    return Segment(
        id=segment.id,
        seek=segment.seek,
        start=float(segment.start),
        end=float(segment.end),
        text=segment.text,
        tokens=tuple(segment.tokens),
        avg_logprob=finite(segment.avg_logprob),
        compression_ratio=finite(segment.compression_ratio),
        no_speech_prob=finite(segment.no_speech_prob),
        words=None if words is None else tuple(_convert_word(word) for word in words),
        temperature=segment.temperature,
    )


def _convert_word(word: WhisperWord) -> Word:
    return Word(float(word.start), float(word.end), word.word, finite(word.probability))
