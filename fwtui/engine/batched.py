"""Batched decoding: chunks of one or several files in one run of the model.

A port of faster-whisper 1.2.1's `BatchedInferencePipeline` (MIT) on that library's own pieces,
with timestamps, and with a state that is plain data: which chunk of a file is next. The result of
a chunk does not depend on the others in its batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from math import ceil
from typing import Any

import numpy as np
from faster_whisper.transcribe import Segment as WhisperSegment
from faster_whisper.transcribe import (
    TranscriptionOptions,
    WhisperModel,
    Word,
    get_compression_ratio,
)
from msgspec.structs import replace

from fwtui.audio.signal import FloatArray
from fwtui.core.session import WindowResult
from fwtui.core.settings import DecodingSettings
from fwtui.engine.batched_file import BatchedFile, Part
from fwtui.engine.convert import transcription_options
from fwtui.engine.hallucination import SegmentDict
from fwtui.engine.windows import is_silence


@dataclass
class _Chunk:
    """A chunk in the model: its origin, and its result.

    `last_speech`: when speech was last heard in its file, in seconds of the joined speech.
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
            self._redo_if_repetitive(chunk, options)
            self._split(chunk)
        if options.word_timestamps:
            self._align(chunks, encoded, options)
        own, spoken = iter(chunks), iter(languages)
        shares = [list(islice(own, part.count)) for part in parts]
        found = [_segments(share, options) for share in shares]
        return [
            share[0].file.advance(
                segments, len(share), share[-1].last_speech, list(islice(spoken, len(share)))
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

    def _prompt(self, file: BatchedFile, options: TranscriptionOptions) -> list[int]:
        initial = options.initial_prompt
        prompt: list[int] = self.model.get_prompt(
            file.tokenizer,
            previous_tokens=[] if initial is None else file.tokenizer.encode(initial),
            without_timestamps=options.without_timestamps,
            hotwords=options.hotwords,
        )
        return prompt

    def _generate(
        self,
        parts: Sequence[Part],
        encoded: Any,
        languages: Sequence[tuple[str, float]],
        options: TranscriptionOptions,
    ) -> list[_Chunk]:
        prompts = [
            list(prompt)
            for part in parts
            for prompt in [self._prompt(part.file, options)] * part.count
        ]
        if options.multilingual:
            _set_languages(parts, prompts, languages)
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

    def _redo_if_repetitive(self, chunk: _Chunk, options: TranscriptionOptions) -> None:
        """Decode a repetitive chunk again, alone and with all temperatures."""
        threshold = options.compression_ratio_threshold
        text = chunk.file.tokenizer.decode(chunk.tokens).strip()
        if threshold is None or len(options.temperatures) < 2:
            return
        if get_compression_ratio(text) <= threshold:
            return
        encoded = self.model.encode(chunk.features)
        result, chunk.logprob, chunk.temperature, _ = self.model.generate_with_fallback(
            encoded, chunk.prompt, chunk.file.tokenizer, options
        )
        chunk.no_speech = result.no_speech_prob
        silent = is_silence(options, chunk.no_speech, chunk.logprob)
        chunk.tokens = [] if silent else result.sequences_ids[0]

    def _split(self, chunk: _Chunk) -> None:
        """Split the chunk into pieces at its timestamps."""
        file, duration = chunk.file, chunk.file.duration(chunk.index)
        offset = file.offset(chunk.index)
        chunk.pieces, _, _ = self.model._split_segments_by_timestamps(
            tokenizer=file.tokenizer,
            tokens=chunk.tokens,
            time_offset=offset,
            segment_size=self._frames(chunk),
            segment_duration=duration,
            seek=0,
        )
        for piece in chunk.pieces:
            piece["seek"] = int(offset * self.model.frames_per_second)

    def _frames(self, chunk: _Chunk) -> int:
        return int(ceil(chunk.file.duration(chunk.index)) * self.model.frames_per_second)

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
        tokenizer = file.tokenizer
        index = prompt.index(tokenizer.language)
        prompt[index] = tokenizer.tokenizer.token_to_id(f"<|{language}|>")


def _segments(chunks: Sequence[_Chunk], options: TranscriptionOptions) -> list[WhisperSegment]:
    """The next segments of a file; a chunk without speech has none."""
    found: list[WhisperSegment] = []
    file = chunks[0].file
    for chunk in chunks:
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
