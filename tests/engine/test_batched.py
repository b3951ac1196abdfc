"""Batched decoding says what faster-whisper's own pipeline says, and stops and goes on anywhere."""

from pathlib import Path
from typing import Any

import pytest
from faster_whisper import BatchedInferencePipeline
from msgspec.structs import replace

from fwtui import demo
from fwtui.core.segment import Segment
from fwtui.core.session import WindowResult
from fwtui.core.settings import DecodingSettings
from fwtui.engine.batched import BatchDecoder
from fwtui.engine.batched_file import BatchedFile, Part
from fwtui.engine.convert import convert
from fwtui.engine.prepare import Prepared
from fwtui.engine.transcriber import Transcriber
from tests.engine.support import LONG_CLIP, MODEL, prepared_file, rounded

BATCHED = DecodingSettings(
    beam_size=1, temperature_increment_on_fallback=None, batched=True, vad_threshold=0.6
)
VAD = {"threshold": 0.6, "min_silence_duration_ms": 160}
# our options, and faster-whisper's
OPTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "timestamps": ({}, {}),
    "words": ({"word_timestamps": True, "beam_size": 5}, {"word_timestamps": True, "beam_size": 5}),
    "prompt and hotwords": (
        {"initial_prompt": "red seven", "hotwords": "monday", "language": "de"},
        {"initial_prompt": "red seven", "hotwords": "monday", "language": "de"},
    ),
    "multilingual": (
        {"multilingual": True, "word_timestamps": True},
        {"multilingual": True, "word_timestamps": True},
    ),
    "text only": ({"without_timestamps": True}, {"without_timestamps": True}),
}


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return Transcriber(MODEL)


def batches(transcriber: Transcriber, ready: Prepared, size: int) -> list[WindowResult]:
    """All results of one file alone, in batches of `size`."""
    file = BatchedFile(transcriber, ready)
    decoder = BatchDecoder(transcriber.model, lambda _: None)
    found: list[WindowResult] = []
    while file.left:
        found += decoder.decode([Part.of(file, min(size, file.left))])
    return found


def segments(results: list[WindowResult]) -> list[Segment]:
    return [segment for result in results for segment in result.segments]


def theirs(transcriber: Transcriber, path: Path, size: int, options: dict[str, Any]) -> Any:
    pipeline = BatchedInferencePipeline(transcriber.model)
    options = {"without_timestamps": False, "beam_size": 1, "temperature": 0.0} | options
    found, _ = pipeline.transcribe(str(path), batch_size=size, vad_parameters=dict(VAD), **options)
    said = [convert(segment) for segment in found if segment.text.strip()]
    return [replace(segment, id=number) for number, segment in enumerate(said, 1)]


@pytest.mark.parametrize("name", OPTIONS)
def test_equal_to_the_batched_pipeline(transcriber: Transcriber, name: str, tmp_path: Path) -> None:
    mine, options = OPTIONS[name]
    decoding = replace(BATCHED, **mine)
    for clip, size in ((LONG_CLIP, 4), (demo.clips()[3], 3)):
        with prepared_file(transcriber, clip, tmp_path, decoding) as ready:
            ours = segments(batches(transcriber, ready, size))
        assert ours
        assert rounded(ours) == rounded(theirs(transcriber, clip, size, options))
