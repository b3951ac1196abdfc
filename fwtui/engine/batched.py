"""Batched decoding: chunks of one or several files in one run of the model.

A port of faster-whisper 1.2.1's `BatchedInferencePipeline` (MIT) on that library's own pieces,
with timestamps, and with a state that is plain data: which chunk of a file is next. The result of
a chunk does not depend on the others in its batch.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from itertools import islice
from math import ceil
from typing import Any

import numpy as np
from faster_whisper.audio import pad_or_trim
from faster_whisper.transcribe import Segment as WhisperSegment
from faster_whisper.transcribe import (
    TranscriptionOptions,
    WhisperModel,
    Word,
    get_compression_ratio,
)
from faster_whisper.utils import get_end
from msgspec.structs import replace

from fwtui.audio.signal import FloatArray
from fwtui.core.finding import Finding
from fwtui.core.session import WindowResult
from fwtui.core.settings import DecodingSettings
from fwtui.engine.batched_file import BatchedFile, Part
from fwtui.engine.context import CutOff, cut_off
from fwtui.engine.convert import transcription_options
from fwtui.engine.hallucination import SegmentDict
from fwtui.engine.windows import (
    LEAST_ADVANCE,
    cut_finding,
    is_repetitive,
    is_silence,
    last_timestamp,
)


@dataclass
class _Chunk:
    """A chunk in the model: its origin, and its result.

    `last_speech`: when speech was last heard in its file, in seconds of the joined speech. If it
    was cut off, `rest` are its continuations, which begin at `begin` seconds of the chunk.
    `language`: its own, in multilingual mode.
    """

    file: BatchedFile
    index: int
    features: FloatArray
    prompt: list[int]
    tokens: list[int]
    logprob: float
    no_speech: float
    temperature: float
    pieces: list[SegmentDict]
    last_speech: float
    language: str | None = None
    begin: float = 0.0
    rest: tuple["_Chunk", ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def offset(self) -> float:
        """Its start in seconds of the joined speech."""
        return self.file.offset(self.index) + self.begin

    @property
    def duration(self) -> float:
        """Its length in seconds."""
        return self.file.duration(self.index) - self.begin


class BatchDecoder:
    """Decodes batches of files that are of one kind (see `batch_kind`)."""

    def __init__(self, model: WhisperModel, started: Callable[[BatchedFile], None]) -> None:
        """`started` is called with each file whose language was detected."""
        self.model = model
        self._started = started

    def decode(self, parts: Sequence[Part]) -> list[WindowResult]:
        """Run the parts through the model; advances the state of each file.

        Raises:
            RuntimeError, MemoryError: from CTranslate2; no state has advanced then.

        """
        encoded = self.model.encode(np.stack([f for part in parts for f in part.features]))
        languages = self._languages(parts, encoded)
        self._set_languages(parts, languages)
        first = parts[0].file
        options = transcription_options(first.decoding, first.tokenizer)
        options.multilingual = options.multilingual and self.model.model.is_multilingual
        chunks = self._generate(parts, encoded, languages, options)
        for chunk in chunks:
            self._redo_without_prompt(chunk, options)
            self._redo_if_repetitive(chunk, options)
            self._split(chunk)
        if options.word_timestamps:
            self._align(chunks, encoded, options)
        for chunk in chunks:
            self._continue(chunk, options)
        own, spoken = iter(chunks), iter(languages)
        shares = [list(islice(own, part.count)) for part in parts]
        found = [_segments(share, options) for share in shares]
        return [
            share[0].file.advance(
                segments,
                len(share),
                share[-1].last_speech,
                list(islice(spoken, len(share))),
                [finding for chunk in share for finding in chunk.findings],
            )
            for share, segments in zip(shares, found, strict=True)
        ]

    def _languages(self, parts: Sequence[Part], encoded: Any) -> list[tuple[str, float]]:
        """The language of each chunk (code and probability); empty if none is needed."""
        wanted = any(
            part.file.plan is None or part.file.decoding.multilingual or part.file.listens
            for part in parts
        )
        if not wanted or not self.model.model.is_multilingual:
            return []
        found = self.model.model.detect_language(encoded)
        return [(row[0][0][2:-2], float(row[0][1])) for row in found]

    def _set_languages(self, parts: Sequence[Part], found: Sequence[tuple[str, float]]) -> None:
        """Set the language of each file that has none yet, by its first chunk."""
        row = 0
        for part in parts:
            if part.file.plan is None:
                part.file.set_language(found[row][0])
                self._started(part.file)
            row += part.count

    def _prompt(self, file: BatchedFile) -> list[int]:
        return file.context.prompt(file.context.initial(batched=True))

    def _generate(
        self,
        parts: Sequence[Part],
        encoded: Any,
        languages: Sequence[tuple[str, float]],
        options: TranscriptionOptions,
    ) -> list[_Chunk]:
        prompts = [
            list(prompt) for part in parts for prompt in [self._prompt(part.file)] * part.count
        ]
        own: list[str | None] = [None] * len(prompts)
        if options.multilingual:
            _set_languages(parts, prompts, languages)
            own = [code for code, _ in languages]
        results = self.model.model.generate(
            encoded,
            prompts,
            beam_size=options.beam_size,
            patience=options.patience,
            length_penalty=options.length_penalty,
            max_length=self._max_length(prompts[0], options),
            suppress_blank=options.suppress_blank,
            suppress_tokens=options.suppress_tokens,
            return_scores=True,
            return_no_speech_prob=True,
            sampling_temperature=options.temperatures[0],
            repetition_penalty=options.repetition_penalty,
            no_repeat_ngram_size=options.no_repeat_ngram_size,
        )
        chunks: list[_Chunk] = []
        for part in parts:
            for number, features in enumerate(part.features):
                result, prompt = results[len(chunks)], prompts[len(chunks)]
                tokens = result.sequences_ids[0]
                total = result.scores[0] * len(tokens) ** options.length_penalty
                chunks.append(
                    _Chunk(
                        file=part.file,
                        index=part.file.state.clip + number,
                        features=features,
                        prompt=prompt,
                        tokens=tokens,
                        logprob=total / (len(tokens) + 1),
                        no_speech=result.no_speech_prob,
                        temperature=options.temperatures[0],
                        pieces=[],
                        last_speech=part.file.state.last_speech,
                        language=own[len(chunks)],
                    )
                )
        return chunks

    def _max_length(self, prompt: list[int], options: TranscriptionOptions) -> int:
        most: int = self.model.max_length
        return (
            most
            if options.max_new_tokens is None
            else min(most, len(prompt) + options.max_new_tokens)
        )

    def _redo_without_prompt(self, chunk: _Chunk, options: TranscriptionOptions) -> None:
        """Decode a chunk again that has another language than the file, and so the prompt.

        The model would continue in the language of the prompt. CTranslate2 wants prompts of one
        length, so that is done alone.
        """
        if not options.initial_prompt or chunk.language is None or chunk.file.plan is None:
            return
        if chunk.language == chunk.file.plan.language:
            return
        chunk.prompt = _with_language(chunk.file.context.prompt(()), chunk.file, chunk.language)
        self._decode_alone(chunk, self.model.encode(chunk.features))

    def _redo_if_repetitive(self, chunk: _Chunk, options: TranscriptionOptions) -> None:
        """Decode a repetitive chunk again, alone and with all temperatures."""
        threshold = options.compression_ratio_threshold
        text = chunk.file.tokenizer.decode(chunk.tokens).strip()
        if threshold is None or len(options.temperatures) < 2:
            return
        if get_compression_ratio(text) <= threshold:
            return
        self._decode_alone(chunk, self.model.encode(chunk.features))

    def _decode_alone(self, chunk: _Chunk, encoded: Any) -> None:
        """Decode a chunk with all temperatures."""
        result, chunk.logprob, chunk.temperature, _ = self.model.generate_with_fallback(
            encoded,
            chunk.prompt,
            chunk.file.tokenizer,
            chunk.file.context.options_for(chunk.prompt),
        )
        chunk.no_speech = result.no_speech_prob
        silent = is_silence(chunk.file.context.options, chunk.no_speech, chunk.logprob)
        chunk.tokens = [] if silent else result.sequences_ids[0]

    def _split(self, chunk: _Chunk) -> None:
        """Split the chunk into pieces at its timestamps."""
        chunk.pieces, _, _ = self.model._split_segments_by_timestamps(
            tokenizer=chunk.file.tokenizer,
            tokens=chunk.tokens,
            time_offset=chunk.offset,
            segment_size=self._frames(chunk),
            segment_duration=chunk.duration,
            seek=0,
        )
        for piece in chunk.pieces:
            piece["seek"] = int(chunk.offset * self.model.frames_per_second)

    def _frames(self, chunk: _Chunk) -> int:
        return int(ceil(chunk.duration) * self.model.frames_per_second)

    def _continue(self, chunk: _Chunk, options: TranscriptionOptions) -> None:
        """Decode what is left of a chunk that was cut off, as often as that happens."""
        last = chunk
        while cut := self._cut_off(last, options):
            at = None if cut.asked else self._cut_at(last, options)
            end = last.offset + (last.duration if at is None else at)
            finding = cut_finding(cut, last.offset, end, more=at is not None)
            chunk.findings = (*chunk.findings, finding)
            if at is None:
                return
            for piece in last.pieces:
                piece["end"] = min(piece["end"], end)
            last = self._rest(last, at, options)
            chunk.rest = (*chunk.rest, last)
            chunk.last_speech = last.last_speech

    def _cut_off(self, chunk: _Chunk, options: TranscriptionOptions) -> CutOff | None:
        most = options.max_new_tokens
        return cut_off(chunk.tokens, chunk.prompt, self.model.max_length, most)

    def _cut_at(self, chunk: _Chunk, options: TranscriptionOptions) -> float | None:
        """Where the chunk is continued, in its seconds: at its last timestamp or word."""
        at = last_timestamp(chunk.tokens, chunk.file.tokenizer) * float(self.model.time_precision)
        text = chunk.file.tokenizer.decode(chunk.tokens).strip()
        if not at and not is_repetitive(options, get_compression_ratio(text)):
            encoded = self.model.encode(chunk.features)
            pieces = [{**piece, "start": 0.0} for piece in deepcopy(chunk.pieces)]
            self._align_alone(chunk, pieces, encoded, options)
            at = float(get_end(pieces) or 0.0) - chunk.offset
        least = LEAST_ADVANCE / self.model.frames_per_second
        return at if least <= at < chunk.duration else None

    def _rest(self, chunk: _Chunk, at: float, options: TranscriptionOptions) -> _Chunk:
        """The continuation of a chunk, decoded alone with all temperatures."""
        frame = int(at * self.model.frames_per_second)
        features = pad_or_trim(chunk.features[:, frame:])
        encoded = self.model.encode(features)
        rest = replace_fields(
            chunk, begin=chunk.begin + at, features=features, rest=(), findings=()
        )
        self._decode_alone(rest, encoded)
        self._split(rest)
        if options.word_timestamps:
            rest.last_speech = self._align_alone(rest, rest.pieces, encoded, options)
        return rest

    def _align_alone(
        self,
        chunk: _Chunk,
        pieces: list[SegmentDict],
        encoded: Any,
        options: TranscriptionOptions,
    ) -> float:
        """Add words to the pieces; returns when speech was last heard."""
        return float(
            self.model.add_word_timestamps(
                [pieces],
                chunk.file.tokenizer,
                encoded,
                self._frames(chunk),
                options.prepend_punctuations,
                options.append_punctuations,
                last_speech_timestamp=chunk.last_speech,
            )
        )

    def _align(self, chunks: Sequence[_Chunk], encoded: Any, options: TranscriptionOptions) -> None:
        """Align the words of the whole batch, once for each language in it."""
        frames = [self._frames(chunk) for chunk in chunks]
        texts = [
            [token for token in chunk.tokens if token < chunk.file.tokenizer.eot]
            for chunk in chunks
        ]
        found: dict[tuple[int, ...], Any] = {}
        for chunk in chunks:
            start = tuple(chunk.file.tokenizer.sot_sequence)
            if start not in found:
                found[start] = self.model.find_alignment(
                    chunk.file.tokenizer, texts, encoded, frames
                )
        for number, chunk in enumerate(chunks):
            alignment = found[tuple(chunk.file.tokenizer.sot_sequence)][number]
            last_speech = WhisperModel.add_word_timestamps(
                _Aligned(alignment, self.model.frames_per_second),
                [chunk.pieces],
                chunk.file.tokenizer,
                None,
                0,
                options.prepend_punctuations,
                options.append_punctuations,
                self._last_speech_before(chunks, number),
            )
            chunk.last_speech = float(last_speech)

    def _last_speech_before(self, chunks: Sequence[_Chunk], number: int) -> float:
        """When speech was last heard in the file before this chunk (seconds)."""
        file = chunks[number].file
        if number and chunks[number - 1].file is file:
            return chunks[number - 1].last_speech
        return file.state.last_speech


@dataclass
class _Aligned:
    """Stands in for the model in `add_word_timestamps`, which would align file by file."""

    alignment: list[dict[str, Any]]
    frames_per_second: int

    def find_alignment(self, *_: object) -> list[list[dict[str, Any]]]:
        """The alignment found for the whole batch."""
        return [self.alignment]


def _set_languages(
    parts: Sequence[Part], prompts: list[list[int]], found: Sequence[tuple[str, float]]
) -> None:
    """Multilingual mode: decode every chunk in its own language."""
    files = [part.file for part in parts for _ in range(part.count)]
    for file, prompt, (language, _) in zip(files, prompts, found, strict=True):
        prompt[:] = _with_language(prompt, file, language)


def _with_language(prompt: list[int], file: BatchedFile, language: str) -> list[int]:
    """The prompt with another language than the file's."""
    tokenizer = file.tokenizer
    index = len(prompt) - 1 - prompt[::-1].index(tokenizer.language)
    return [
        *prompt[:index],
        tokenizer.tokenizer.token_to_id(f"<|{language}|>"),
        *prompt[index + 1 :],
    ]


def _segments(chunks: Sequence[_Chunk], options: TranscriptionOptions) -> list[WhisperSegment]:
    """The next segments of a file; a chunk without speech has none."""
    found: list[WhisperSegment] = []
    file = chunks[0].file
    for chunk in (part for whole in chunks for part in (whole, *whole.rest)):
        for piece in chunk.pieces:
            text = file.tokenizer.decode(piece["tokens"])
            if text.strip():
                number = file.state.segments + len(found) + 1
                found.append(_segment(number, chunk, piece, text, options))
    return found


def _segment(
    number: int, chunk: _Chunk, piece: SegmentDict, text: str, options: TranscriptionOptions
) -> WhisperSegment:
    return WhisperSegment(
        id=number,
        seek=piece["seek"],
        start=round(piece["start"], 3),
        end=round(piece["end"], 3),
        text=text,
        tokens=piece["tokens"],
        avg_logprob=chunk.logprob,
        compression_ratio=get_compression_ratio(text),
        no_speech_prob=chunk.no_speech,
        words=[Word(**word) for word in piece["words"]] if options.word_timestamps else None,
        temperature=chunk.temperature,
    )


def batch_kind(decoding: DecodingSettings) -> DecodingSettings:
    """What files must have in common to share a batch: all but language and task."""
    return replace(decoding, language=None, task="transcribe")
