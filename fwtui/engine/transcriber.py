"""One loaded model and how a prepared file goes through it. Works in any thread or process."""

import math
from collections.abc import Iterator

from faster_whisper import WhisperModel
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

from fwtui.core.segment import Segment, Word
from fwtui.core.session import FilePlan, SpeechChunk, WindowResult, WindowState
from fwtui.core.settings import DecodingSettings, ModelSettings
from fwtui.engine.models import load_model
from fwtui.engine.prepare import Prepared
from fwtui.engine.windows import WindowLoop
from fwtui.errors import UsageError

RATE = 16000


class Transcriber:
    """Loads the model once and transcribes prepared files, window by window."""

    def __init__(self, settings: ModelSettings) -> None:
        self.model: WhisperModel
        self.model, self.load_seconds = load_model(settings)

    @property
    def device(self) -> str:
        """The device the model runs on: cpu or cuda."""
        return str(self.model.model.device)

    @property
    def compute_type(self) -> str:
        """The compute type in effect, after `auto` and `default` were resolved."""
        return str(self.model.model.compute_type)

    def plan(self, prepared: Prepared) -> FilePlan:
        """Complete the file's plan; detects the language if it is not set or known.

        Raises:
            UsageError: the model does not know the language.

        """
        if prepared.resume is not None:
            return prepared.resume.plan
        language, probability = self._language(prepared)
        return prepared.plan(language, probability)

    def _language(self, prepared: Prepared) -> tuple[str, float]:
        wanted = prepared.request.decoding.language
        if not self.model.model.is_multilingual:
            return "en", 1.0
        if wanted is not None:
            if self.model.hf_tokenizer.token_to_id(f"<|{wanted}|>") is None:
                raise UsageError(
                    f"The model does not know the language {wanted}",
                    "choose another with --language, or leave it out to have it detected",
                )
            return wanted, 1.0
        features = prepared.features
        if features.shape[-1] == 0:
            return "en", 0.0
        first = float(prepared.request.decoding.clip_timestamps.split(",")[0] or 0)
        frame = int(first * self.model.frames_per_second)
        seek = frame if frame < features.shape[-1] - 1 else 0
        window = features[..., seek : seek + self.model.feature_extractor.nb_max_frames]
        language, probability, _ = self.model.detect_language(features=window)
        return language, float(probability)

    def windows(
        self, prepared: Prepared, plan: FilePlan, *, skip_first: bool = False
    ) -> Iterator[WindowResult]:
        """Transcribe, from the resume point if there is one; one result a window, in order.

        `skip_first` leaves the first window out and says so in its result.
        """
        decoding = prepared.request.decoding
        tokenizer = Tokenizer(
            self.model.hf_tokenizer,
            self.model.model.is_multilingual,
            task=decoding.task,
            language=plan.language,
        )
        options = transcription_options(decoding, tokenizer)
        options.multilingual = decoding.multilingual and self.model.model.is_multilingual
        loop = WindowLoop(self.model, prepared.features, tokenizer, options)
        clock = FileClock(plan)
        known = prepared.resume.state if prepared.resume else None
        state = known or loop.begin()
        if state.done and known is None:
            yield WindowResult((), state, plan.duration)
        if skip_first and not state.done:
            state = loop.skip(state)
            yield WindowResult((), state, clock.position(state), skipped=True)
        while not state.done:
            found, state = loop.step(state)
            segments = tuple(convert(segment) for segment in clock.in_file_time(found))
            yield WindowResult(segments, state, clock.position(state))


class FileClock:
    """From times in the signal the model saw to times in the file; they differ with VAD."""

    def __init__(self, plan: FilePlan) -> None:
        self.duration = plan.duration
        self.chunks = [_chunk_dict(chunk) for chunk in plan.speech or ()]
        self.map = SpeechTimestampsMap(self.chunks, RATE) if self.chunks else None

    def in_file_time(self, segments: list[WhisperSegment]) -> list[WhisperSegment]:
        """The same segments with their times in the file."""
        if self.map is None:
            return segments
        return list(restore_speech_timestamps(segments, self.chunks, RATE))

    def position(self, state: WindowState) -> float:
        """How far the file is, in seconds, when `state` is next."""
        if state.done:
            return self.duration
        seconds = state.seek / 100
        if self.map is not None:
            seconds = float(self.map.get_original_time(seconds))
        return min(seconds, self.duration)


def _chunk_dict(chunk: SpeechChunk) -> dict[str, int]:
    return {"start": chunk.start, "end": chunk.end}


def transcription_options(decoding: DecodingSettings, tokenizer: Tokenizer) -> TranscriptionOptions:
    """Our settings as faster-whisper's options, as its `transcribe` would make them."""
    suppressed = [int(token) for token in decoding.suppress_tokens.split(",") if token.strip()]
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
        clip_timestamps=[
            float(seconds) for seconds in decoding.clip_timestamps.split(",") if seconds.strip()
        ],
        hallucination_silence_threshold=decoding.hallucination_silence_threshold,
        hotwords=decoding.hotwords,
    )


def finite(value: float) -> float:
    """A plain float that JSON can hold: a broken GPU kernel gives NaN, which becomes 0."""
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
