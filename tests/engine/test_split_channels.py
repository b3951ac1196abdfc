"""Channels that are transcribed one after the other: each as if it were alone, resumed anywhere."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from fwtui.core.segment import Segment
from fwtui.core.session import FilePlan, ResumePoint, WindowResult
from fwtui.core.settings import DecodingSettings
from fwtui.engine.batched import BatchDecoder
from fwtui.engine.batched_file import BatchedFile, Part
from fwtui.engine.prepare import PreparedFile
from fwtui.engine.transcriber import Transcriber
from tests.audio.encoding import read_clip, write_channels
from tests.engine.support import GREEDY, MINUTE, MODEL, prepared_file, transcriber_on

SPLIT = replace(GREEDY, channel="split")
MODES = {
    "sequential": replace(SPLIT, initial_prompt="seven red"),
    "vad": replace(SPLIT, vad_filter=True, word_timestamps=True),
    "clips": replace(SPLIT, clip_timestamps="2,20,25,36"),
    "batched": replace(SPLIT, batched=True, word_timestamps=True),
    "batched clips": replace(SPLIT, batched=True, clip_timestamps="2,20,25,36"),
}
Call = Callable[[str], Path]


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return transcriber_on(MODEL)


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """A call of 40 s: both take turns, with pauses, and talk at once for three seconds."""
    folder = tmp_path_factory.mktemp("call")
    samples = read_clip(MINUTE, 16_000).samples

    def side(*spans: tuple[int, int]) -> np.ndarray:
        seconds = np.arange(samples.size) / 16_000
        spoken = np.any([(begin <= seconds) & (seconds < end) for begin, end in spans], axis=0)
        return np.where(spoken, samples, 0)[: 40 * 16_000].astype(np.int16)

    left, right = side((0, 14), (25, 38)), np.roll(side((0, 15), (30, 35)), 5 * 16_000)
    hum = np.random.default_rng(7).normal(0, 60, left.size).astype(np.int16)
    sides = {
        "call": (left, right),
        "left silent": (left * 0, right),
        "right silent": (left, right * 0),
        "right speaks late": (left, np.roll(side((0, 14)), 20 * 16_000)),
        "same": (left, left),
        "left hums": (hum, right),
        "both hum": (hum, np.roll(hum, 999)),
        "three": (left, right, np.roll(left, 7 * 16_000), left * 0, left * 0, left * 0),
    }

    def path(name: str) -> Path:
        found = folder / f"{name}.wav"
        if not found.exists():
            write_channels(found, np.stack(sides[name]), 16_000)
        return found

    return path


def run(transcriber: Transcriber, ready: PreparedFile, plan: FilePlan) -> Iterator[WindowResult]:
    """The file's results, in either mode."""
    if ready.chunks is None:
        yield from transcriber.windows(ready, plan)
        return
    file = BatchedFile(transcriber, ready, plan if ready.channels else None)
    if not file.left:
        yield file.empty_result()
    decoder = BatchDecoder(transcriber.model, lambda _: None)
    while file.left:
        yield from decoder.decode([Part.of(file, min(file.left, 2))])


def results(
    transcriber: Transcriber,
    path: Path,
    folder: Path,
    decoding: DecodingSettings,
    resume: ResumePoint | None = None,
) -> tuple[FilePlan, list[WindowResult]]:
    with prepared_file(transcriber, path, folder, decoding, resume) as ready:
        assert not ready.restarted
        plan = transcriber.plan(ready)
        return plan, list(run(transcriber, ready, plan))


def segments(found: list[WindowResult]) -> list[Segment]:
    return [segment for window in found for segment in window.segments]


def alike(one: Segment) -> Segment:
    """A segment without what says where it was found."""
    return replace(one, id=0, channel=None)


@pytest.mark.parametrize("mode", MODES)
def test_each_channel_has_the_text_that_it_has_alone(
    transcriber: Transcriber, call: Call, mode: str, tmp_path: Path
) -> None:
    with prepared_file(transcriber, call("call"), tmp_path, MODES[mode]) as ready:
        plan = transcriber.plan(ready)
        found = list(run(transcriber, ready, plan))
        both = segments(found)
        assert [one.id for one in both] == list(range(1, len(both) + 1))
        assert [channel.number for channel in plan.channels] == [0, 1]
        for number, channel in enumerate(ready.channels):
            alone = segments(list(run(transcriber, channel, transcriber.plan(channel))))
            heard = [one for one in both if one.channel == number]
            assert heard
            assert list(map(alike, heard)) == list(map(alike, alone))
    progress = [result.seconds for result in found]
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(plan.duration)
    assert [result.state.done for result in found] == [False] * (len(found) - 1) + [True]


@pytest.mark.parametrize("mode", ["sequential", "vad", "clips", "batched"])
def test_a_call_resumes_at_every_window(
    transcriber: Transcriber, call: Call, mode: str, tmp_path: Path
) -> None:
    plan, whole = results(transcriber, call("call"), tmp_path, MODES[mode])
    assert {one.channel for one in segments(whole)} == {0, 1}
    stored = msgspec.json.decode(msgspec.json.encode(plan), type=FilePlan)
    for done in range(len(whole)):
        kept = msgspec.json.decode(msgspec.json.encode(whole[:done]), type=tuple[WindowResult, ...])
        state = kept[-1].state if kept else None
        point = ResumePoint(stored, state, kept[-1].seconds if kept else 0.0)
        again, rest = results(transcriber, call("call"), tmp_path, MODES[mode], point)
        assert again == plan
        assert [*kept, *rest] == whole


SILENT: dict[str, tuple[list[int], set[int | None]]] = {
    "left silent": ([1], {1}),
    "right silent": ([0], {0}),
    "right speaks late": ([0, 1], {0, 1}),
    "left hums": ([0, 1], {1}),
    "both hum": ([0, 1], set()),
    "same": ([], {None}),
    "three": ([0, 1, 2], {0, 1, 2}),
}


@pytest.mark.parametrize(
    ("name", "mode"),
    [*((name, "sequential") for name in SILENT)]
    + [(name, "batched") for name in ("right silent", "left hums", "both hum", "same")],
)
def test_silent_and_equal_channels_are_not_transcribed(
    transcriber: Transcriber,
    call: Call,
    name: str,
    mode: str,
    tmp_path: Path,
) -> None:
    channels, texts = SILENT[name]
    plan, found = results(transcriber, call(name), tmp_path, MODES[mode])
    assert [channel.number for channel in plan.channels] == channels
    assert {one.channel for one in segments(found)} == texts
    told = name not in {"right speaks late", "left hums", "both hum"}
    assert bool(plan.warnings) == told
    assert found[-1].state.done
    if name == "same":
        _, alone = results(transcriber, call(name), tmp_path, replace(MODES[mode], channel="left"))
        assert segments(found) == segments(alone)


def test_long_pauses_of_a_channel_are_left_out(
    transcriber: Transcriber, call: Call, tmp_path: Path
) -> None:
    """No word is where only the other one talks; the next channel begins like a file."""
    plan, found = results(transcriber, call("call"), tmp_path, MODES["sequential"])
    for channel in plan.channels:
        assert channel.speech is not None
        gaps = [after.start - before.end for before, after in pairwise(channel.speech)]
        assert all(gap >= 2 * 16_000 for gap in gaps)
        spans = [(one.start / 16_000, one.end / 16_000) for one in channel.speech]
        for one in segments(found):
            if one.channel == channel.number:
                assert any(begin <= one.start <= end for begin, end in spans)
    left, right = (channel.speech or () for channel in plan.channels)
    assert max(b.start - a.end for a, b in pairwise(left)) > 9 * 16_000
    assert max(b.start - a.end for a, b in pairwise(right)) > 13 * 16_000
    states = [result.state for result in found]
    first = next(state for state in states if state.channel == 1)
    assert (first.seek, first.clip, first.ended, first.last_speech) == (0, 0, 0.0, 0.0)
    assert first.segments == sum(one.channel == 0 for one in segments(found))
