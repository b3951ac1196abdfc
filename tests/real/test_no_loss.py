"""Real models on real recordings: nothing is lost that faster-whisper itself would transcribe."""

import re
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from faster_whisper import BatchedInferencePipeline
from msgspec.structs import replace

from fwtui.core.segment import Segment
from fwtui.core.settings import DecodingSettings, ModelSettings
from fwtui.engine.batched import BatchDecoder
from fwtui.engine.batched_file import BatchedFile, Part
from fwtui.engine.convert import convert
from fwtui.engine.transcriber import Transcriber
from tests.engine.support import prepared_file, segments_of, transcriber_on, whisper_segments
from tests.whisper_audio import decode_audio

# Sampling is random: two runs of it cannot be compared.
GREEDY: dict[str, Any] = {"beam_size": 1, "temperature_increment_on_fallback": None}
MODES: dict[str, dict[str, Any]] = {
    "plain": {},
    "words": {"word_timestamps": True},
    "vad": {"vad_filter": True},
    "multilingual": {"multilingual": True},
    "batched": {"batched": True},
    "batched, words": {"batched": True, "word_timestamps": True},
}
# Where we part from faster-whisper on purpose, a word may be heard differently, never be missing.
ALIKE, WHOLE = 0.85, 0.95


@pytest.fixture(scope="module")
def transcriber_of() -> Callable[[Path], Transcriber]:
    """Transcribers by the folder of their model; each is loaded once."""

    @cache
    def load(folder: Path) -> Transcriber:
        return transcriber_on(ModelSettings(model=str(folder), device="cpu", threads=2))

    return load


def ours(transcriber: Transcriber, path: Path, folder: Path, mode: str) -> list[Segment]:
    """What our engine makes of a recording."""
    decoding = replace(DecodingSettings(**GREEDY), **MODES[mode])
    if not decoding.batched:
        return segments_of(transcriber, path, folder, decoding)
    with prepared_file(transcriber, path, folder, decoding) as ready:
        file, decoder = (
            BatchedFile(transcriber, ready),
            BatchDecoder(transcriber.model, lambda _: None),
        )
        found: list[Segment] = []
        while file.left:
            for result in decoder.decode([Part.of(file, min(4, file.left))]):
                found += result.segments
        return found


def theirs(transcriber: Transcriber, path: Path, mode: str) -> list[Segment]:
    """What faster-whisper makes of it with the same options."""
    options = {"beam_size": 1, "temperature": 0.0, **MODES[mode]}
    if not options.pop("batched", False):
        return whisper_segments(transcriber, path, options)
    pipeline = BatchedInferencePipeline(transcriber.model)
    found, _ = pipeline.transcribe(
        decode_audio(path), batch_size=4, without_timestamps=False, **options
    )
    return [convert(segment) for segment in found]


def words(segments: Sequence[Segment]) -> list[str]:
    return re.findall(r"\w+", " ".join(segment.text for segment in segments).casefold())


def lost(mine: list[str], other: list[str]) -> list[str]:
    """Words of faster-whisper's transcript that are not in ours, in their order."""
    blocks = SequenceMatcher(None, mine, other, autojunk=False).get_matching_blocks()
    kept = {index for block in blocks for index in range(block.b, block.b + block.size)}
    return [word for index, word in enumerate(other) if index not in kept]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("base", ("french.mp3", "meeting03.flac", "multilingual.mp3", "stereo_diarization.wav")),
        ("tiny.en", ("jfk.flac", "meeting09.flac")),
    ],
)
def test_no_words_are_lost(
    model: str,
    names: Sequence[str],
    mode: str,
    models: Path,
    recordings: Path,
    transcriber_of: Callable[[Path], Transcriber],
    tmp_path: Path,
) -> None:
    transcriber = transcriber_of(models / model)
    for name in names:
        if (mode, name) == ("multilingual", "multilingual.mp3"):
            continue  # faster-whisper makes an English loop of its German: see test_languages.py
        mine = words(ours(transcriber, recordings / name, tmp_path, mode))
        other = words(theirs(transcriber, recordings / name, mode))
        assert other
        missing = lost(mine, other)
        assert len(missing) <= (1 - ALIKE) * len(other), f"{name}: {' '.join(missing)}"
        assert len(mine) >= WHOLE * len(other), name
