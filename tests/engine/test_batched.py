"""Batched decoding says what faster-whisper's own pipeline says, and stops and goes on anywhere."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from faster_whisper import BatchedInferencePipeline
from msgspec.structs import replace

from fwtui import demo
from fwtui.core.segment import Segment
from fwtui.core.session import ResumePoint, WindowResult
from fwtui.core.settings import DecodingSettings
from fwtui.engine.batched import BatchDecoder
from fwtui.engine.batched_file import BatchedFile, Part
from fwtui.engine.convert import convert
from fwtui.engine.prepare import PreparedFile
from fwtui.engine.transcriber import Transcriber
from tests.engine.support import (
    LONG_CLIP,
    MODEL,
    assert_alike,
    at_resume,
    ending_by,
    prepared_file,
    transcriber_on,
    write_wav,
)
from tests.whisper_audio import decode_audio

BATCHED = DecodingSettings(beam_size=1, temperature_increment_on_fallback=None, batched=True)
GERMAN = demo.clips()[3]
# our options, and faster-whisper's
OPTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "timestamps": ({}, {}),
    "words": ({"word_timestamps": True, "beam_size": 2}, {"word_timestamps": True, "beam_size": 2}),
    "prompt, hotwords, languages": (
        {"initial_prompt": "red seven", "hotwords": "monday", "multilingual": True},
        {"initial_prompt": "red seven", "hotwords": "monday", "multilingual": True},
    ),
    "clips": (
        {"clip_timestamps": "2,8,7.5,14", "language": "en"},
        {
            "clip_timestamps": [{"start": 2, "end": 8}, {"start": 7.5, "end": 14}],
            "language": "en",
        },
    ),
}


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return transcriber_on(MODEL)


@pytest.fixture(scope="module")
def sound(transcriber: Transcriber, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough for three chunks, whatever the model's window is."""
    path = tmp_path_factory.mktemp("sound") / "sound.wav"
    speech = decode_audio(LONG_CLIP)
    window = transcriber.model.feature_extractor.n_samples
    write_wav(path, speech[: 5 * window // 2])
    return path


def parts_of(file: BatchedFile, size: int) -> Iterator[Part]:
    while file.left:
        yield Part.of(file, min(size, file.left))


def batches(transcriber: Transcriber, ready: PreparedFile, size: int) -> list[WindowResult]:
    """All results of one file alone, in batches of `size`."""
    decoder = BatchDecoder(transcriber.model, lambda _: None)
    parts = parts_of(BatchedFile(transcriber, ready), size)
    return [result for part in parts for result in decoder.decode([part])]


def segments(results: list[WindowResult]) -> list[Segment]:
    return [segment for result in results for segment in result.segments]


def theirs(transcriber: Transcriber, path: Path, options: dict[str, Any]) -> list[Segment]:
    pipeline = BatchedInferencePipeline(transcriber.model)
    options = {"beam_size": 1, "temperature": 0.0, "without_timestamps": False, **options}
    found, _ = pipeline.transcribe(decode_audio(path), batch_size=2, **options)
    said = [convert(segment) for segment in found if segment.text.strip()]
    return [replace(segment, id=number) for number, segment in enumerate(said, 1)]


@pytest.mark.parametrize("name", OPTIONS)
def test_equal_to_the_batched_pipeline(
    transcriber: Transcriber, sound: Path, name: str, tmp_path: Path
) -> None:
    mine, options = OPTIONS[name]
    with prepared_file(transcriber, sound, tmp_path, replace(BATCHED, **mine)) as ready:
        ours = segments(batches(transcriber, ready, 2))
    expected = ending_by(theirs(transcriber, sound, options), 75.0, 70.0)
    if "clip_timestamps" in mine:  # ours is the place in what the model saw, theirs in the file
        expected = [replace(segment, seek=0) for segment in expected]
        ours = [replace(segment, seek=0) for segment in ours]
    assert ours
    assert_alike(ours, expected)


def test_every_batch_is_a_resume_point(
    transcriber: Transcriber, sound: Path, tmp_path: Path
) -> None:
    decoding = replace(BATCHED, word_timestamps=True)
    with prepared_file(transcriber, sound, tmp_path, decoding) as ready:
        whole = batches(transcriber, ready, 1)
        assert len(whole) > 2
        assert whole[-1].state.done
        file = BatchedFile(transcriber, ready)
        file.set_language("en")
        plan = file.plan
        assert plan is not None
        for done in range(1, len(whole)):
            # as it comes back from the journal
            kept = msgspec.json.decode(
                msgspec.json.encode(whole[:done]), type=tuple[WindowResult, ...]
            )
            resume = ResumePoint(plan, kept[-1].state, kept[-1].seconds)
            again = batches(transcriber, at_resume(ready, resume), 1)
            assert [*kept, *again] == whole
        # in the middle of the file, batches of another size
        resume = ResumePoint(plan, whole[0].state, whole[0].seconds)
        larger = batches(transcriber, at_resume(ready, resume), 2)
    assert_alike(segments([whole[0], *larger]), segments(whole))
    assert larger[-1].state.done


def test_files_that_share_a_batch_do_not_know_of_each_other(
    transcriber: Transcriber, sound: Path, tmp_path: Path
) -> None:
    """Two languages, one batch, words aligned in each."""
    decoding = replace(BATCHED, word_timestamps=True)
    clips = (demo.clips()[0], sound, GERMAN)
    with ExitStack() as stack:
        ready = [
            stack.enter_context(prepared_file(transcriber, clip, tmp_path, decoding))
            for clip in clips
        ]
        alone = [batches(transcriber, one, 4) for one in ready]
        files = [BatchedFile(transcriber, one) for one in ready]
        decoder = BatchDecoder(transcriber.model, lambda _: None)
        together = decoder.decode([Part.of(file, min(2, file.left)) for file in files])
        rest = [result for part in parts_of(files[1], 4) for result in decoder.decode([part])]
    assert_alike(segments([together[0]]), segments(alone[0]))
    assert_alike(segments([together[1], *rest]), segments(alone[1]))
    assert_alike(segments([together[2]]), segments(alone[2]))
    assert [file.plan.language for file in files if file.plan] == ["en", "en", "de"]


def test_a_repetitive_chunk_is_done_again_with_other_temperatures(
    transcriber: Transcriber, tmp_path: Path
) -> None:
    usual = replace(BATCHED, temperature_increment_on_fallback=1.0)
    for threshold, temperatures in ((2.4, {0.0}), (0.01, {1.0}), (None, {0.0})):
        decoding = replace(usual, compression_ratio_threshold=threshold, no_speech_threshold=None)
        with prepared_file(transcriber, GERMAN, tmp_path, decoding) as ready:
            found = segments(batches(transcriber, ready, 4))
        assert {segment.temperature for segment in found} == temperatures


def test_silence_is_done_at_once(transcriber: Transcriber, tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    write_wav(path, np.zeros(5 * 16000, np.float32))
    with prepared_file(transcriber, path, tmp_path, BATCHED) as ready:
        file = BatchedFile(transcriber, ready)
        assert (file.left, file.plan is not None) == (0, True)
        assert file.empty_result() == WindowResult((), replace(file.state, done=True), 5.0)


def test_a_chunk_that_is_left_out_costs_only_itself(
    transcriber: Transcriber, sound: Path, tmp_path: Path
) -> None:
    with prepared_file(transcriber, sound, tmp_path, replace(BATCHED, language="en")) as ready:
        whole = batches(transcriber, ready, 1)
        file = BatchedFile(transcriber, ready)
        skipped = file.skip()
        decoder = BatchDecoder(transcriber.model, lambda _: None)
        (second,) = decoder.decode([Part.of(file, 1)])
    assert (skipped.skipped, skipped.segments) == (True, ())
    said = [segment.text for segment in second.segments]
    assert said == [segment.text for segment in whole[1].segments]
