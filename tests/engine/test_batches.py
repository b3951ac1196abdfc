"""Several files in the model at once: the real child, all of them in one batch."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui import demo
from fwtui.core.failure import FailureKind
from fwtui.core.settings import DecodingSettings
from fwtui.engine.protocol import (
    AnyReply,
    Busy,
    Cancel,
    FileFailed,
    FileFinished,
    FilePrepared,
    FileStarted,
    FileStopped,
    Hold,
    InModel,
    Transcribe,
    WindowDone,
)
from tests.engine.support import MINUTE, MODEL
from tests.engine.test_client import Engine

BATCHED = DecodingSettings(
    beam_size=1, temperature_increment_on_fallback=None, batched=True, batch_size=4
)
CLIPS = demo.clips()[:4]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    started = Engine(MODEL, tmp_path)
    yield started
    started.client.kill()
    started.drain()
    started.client.wait()


def send(engine: Engine, job: int, path: Path, decoding: DecodingSettings = BATCHED) -> Path:
    scratch = engine.folder / f"tmp{job}.wav"
    engine.client.send(Transcribe(job, str(path), decoding, "hash", str(scratch)))
    return scratch


def all_waiting(engine: Engine, jobs: set[int]) -> None:
    """Until these files are prepared, and the engine holds."""
    while jobs:
        jobs = jobs - {reply.job for reply in engine.replies if isinstance(reply, FilePrepared)}
        if jobs:
            engine.until(FilePrepared)


def batches(engine: Engine) -> list[tuple[int, ...]]:
    return [reply.jobs for reply in engine.replies if isinstance(reply, InModel) and reply.jobs]


def ends(engine: Engine, job: int) -> AnyReply:
    found = [
        reply
        for reply in engine.replies
        if isinstance(reply, FileFinished | FileStopped | FileFailed) and reply.job == job
    ]
    return found[0] if found else engine.until(FileFinished, job)


def test_one_batch_of_several_files_each_with_its_own_language(engine: Engine) -> None:
    engine.client.send(Hold(True))
    scratch = [send(engine, job, clip) for job, clip in enumerate(CLIPS, 1)]
    all_waiting(engine, {1, 2, 3, 4})
    engine.client.send(Hold(False))
    for job in (1, 2, 3, 4):
        ends(engine, job)
    assert (1, 2, 3, 4) in batches(engine)
    started = {r.job: r.plan for r in engine.replies if isinstance(r, FileStarted)}
    for job, clip in enumerate(CLIPS, 1):
        windows = [r for r in engine.replies if isinstance(r, WindowDone) and r.job == job]
        assert windows[-1].result.state.done
        assert all(window.worked > 0 for window in windows)
        assert started[job].language == demo.clip(clip).language
    assert not any(path.exists() for path in scratch)
    busy = engine.until(Busy)
    assert isinstance(busy, Busy)
    assert busy.worked > 0


def test_cancelling_one_leaves_the_others(engine: Engine) -> None:
    engine.client.send(Hold(True))
    scratch = send(engine, 1, MINUTE)
    send(engine, 2, CLIPS[0])
    all_waiting(engine, {1, 2})
    engine.client.send(Cancel(1))
    engine.until(FileStopped, 1)
    assert not scratch.exists()
    engine.client.send(Hold(False))
    engine.until(FileFinished, 2)
    assert not any(isinstance(reply, WindowDone) and reply.job == 1 for reply in engine.replies)


def test_a_bad_file_does_not_touch_its_neighbours(engine: Engine, tmp_path: Path) -> None:
    bad = tmp_path / "notes.mp3"
    bad.write_text("not sound")
    engine.client.send(Hold(True))
    send(engine, 1, CLIPS[0])
    send(engine, 2, bad)
    send(engine, 3, CLIPS[1], replace(BATCHED, language="fr"))  # the demo model does not know it
    send(engine, 4, CLIPS[2])
    all_waiting(engine, {1, 3, 4})
    engine.client.send(Hold(False))
    engine.until(FileFinished, 4)
    failed = {r.job: r.failure.kind for r in engine.replies if isinstance(r, FileFailed)}
    assert failed == {2: FailureKind.BAD_MEDIA, 3: FailureKind.BAD_SETTINGS}
    assert isinstance(ends(engine, 1), FileFinished)
    assert (1, 4) in batches(engine)


def test_files_of_another_kind_wait_for_their_turn(engine: Engine) -> None:
    engine.client.send(Hold(True))
    send(engine, 1, CLIPS[0])
    send(engine, 2, CLIPS[1], replace(BATCHED, beam_size=2))
    send(engine, 3, CLIPS[2], DecodingSettings(temperature_increment_on_fallback=None))
    all_waiting(engine, {1, 2, 3})
    engine.client.send(Hold(False))
    engine.until(FileFinished, 3)
    assert batches(engine) == [(1,), (2,), (3,)]
