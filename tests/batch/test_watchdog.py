"""An engine that is quiet or stuck is noticed, at the right time and for the right reasons."""

import math
from pathlib import Path
from typing import Any

import pytest

from fwtui.batch import watchdog
from fwtui.batch.watchdog import (
    ENDLESS,
    GAP_SECONDS,
    LOADING_SECONDS,
    Activity,
    EngineClocks,
    Timeouts,
    Watchdog,
    WindowPace,
    timeouts,
)
from fwtui.core.events import Level, LogLine, SegmentsFound
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Completed, Failed, MediaInfo
from fwtui.core.settings import BatchSettings, DecodingSettings, ModelSettings
from fwtui.core.voices import SpeakerGroup
from fwtui.engine.protocol import (
    FileFailed,
    FileFinished,
    FileStarted,
    FileTranscribed,
    Held,
    Hold,
    LoadModel,
    Note,
    Ping,
    Ready,
    Shutdown,
    SpeakersHeard,
    Transcribe,
)
from tests.batch.driver import MINUTE, SHORT, BatchDriver, settings_for
from tests.sessions import samples

# The hangs are had one after the other, each in an engine of its own; then all goes well.
HANGS = """
import os, signal, time
from fwtui.engine.windows import WindowLoop
def stop():
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(1e6)  # the watch wakes it to see its stacks
def stick():
    time.sleep(1e6)
hangs = [{hangs}]
step = WindowLoop.step
def hanging(self, state):
    had = len(os.listdir({folder!r}))
    if state.seek > 0 and had < len(hangs):
        open(os.path.join({folder!r}, str(had)), "w").close()
        hangs[had]()
    return step(self, state)
WindowLoop.step = hanging
"""

BROKEN = Failure(FailureKind.BAD_MEDIA, "x")


@pytest.mark.parametrize(
    ("activity", "seconds", "pace", "expected"),
    [
        (Activity.IDLE, 120, WindowPace(), ENDLESS),
        (Activity.WINDOW, 0, WindowPace(slowest=5), ENDLESS),
        (Activity.LOADING, 120, WindowPace(), Timeouts(LOADING_SECONDS, math.inf)),
        (Activity.LOADING, 3600, WindowPace(), Timeouts(3600, math.inf)),
        (Activity.PREPARING, 120, WindowPace(), Timeouts(120, 1200)),
        (Activity.PREPARING, 120, WindowPace(length=36_000), Timeouts(120, 4800)),
        (Activity.WINDOW, 120, WindowPace(length=36_000), Timeouts(120, 1200)),
        (Activity.WINDOW, 120, WindowPace(slowest=2), Timeouts(120, 120)),
        (Activity.WINDOW, 120, WindowPace(slowest=60), Timeouts(120, 600)),
        (Activity.WINDOW, 120, WindowPace(slowest=60, stalls=2), Timeouts(480, 2400)),
        (Activity.WINDOW, 120, WindowPace(stalls=1), Timeouts(240, 2400)),
        (Activity.ENDING, 120, WindowPace(), Timeouts(120, 1200)),
    ],
)
def test_timeouts(activity: Activity, seconds: float, pace: WindowPace, expected: Timeouts) -> None:
    assert timeouts(activity, seconds, pace) == expected


def test_time_that_nobody_saw_does_not_count() -> None:
    clocks = EngineClocks(0.0)
    assert clocks.check(1.0) == Timeouts(1, 1)
    clocks.restart(1.5, progress=False)
    assert clocks.check(2.0) == Timeouts(0.5, 2)
    slept = 2.0 + GAP_SECONDS + 1000
    assert clocks.check(slept) == Timeouts(0, 0)
    assert clocks.check(slept + 1) == Timeouts(1, 1)


def _transcribe(job: int) -> Transcribe:
    return Transcribe(job, "/a", DecodingSettings(), "", "/b")


def test_a_watch_asks_before_it_gives_up_and_not_again() -> None:
    watch = Watchdog(100.0, {})
    watch.sent(LoadModel(ModelSettings()))
    watch.received(Ready("cpu", "int8", 1.0, 1))
    assert watch.activity is Activity.IDLE
    watch.sent(_transcribe(1))
    began = watch.clocks.replied
    moments = range(1, 100, 5)
    looks = [(passed, watch.check(began + passed)) for passed in moments]
    assert [passed for passed, verdict in looks if isinstance(verdict, Ping)] == [26]
    assert all(verdict is None or isinstance(verdict, Ping) for _, verdict in looks)
    given_up = watch.check(began + 101)
    assert isinstance(given_up, Failure)
    assert given_up.kind is FailureKind.STALLED
    assert "while preparing the file: no reply for 101 s" in given_up.title
    assert watch.paces[1].stalls == 1


def test_an_engine_that_answers_may_take_longer() -> None:
    watch = Watchdog(100.0, {})
    watch.received(Ready("cpu", "int8", 1.0, 1))
    watch.sent(_transcribe(1))
    began, gave_up = watch.clocks.replied, 0
    for passed in range(0, 2000, 7):
        verdict = watch.check(began + passed)
        if isinstance(verdict, Ping):
            watch.clocks.restart(began + passed, progress=False)
            watch._pinged = False
        elif verdict is not None:
            gave_up = passed
            break
    assert gave_up == 1001


def test_rests_and_idle_engines_are_left_alone_but_not_an_end_that_never_comes() -> None:
    watch = Watchdog(100.0, {})
    watch.received(Ready("cpu", "int8", 1.0, 1))
    watch.sent(_transcribe(1))
    activities = []
    for step in (Held(True), Hold(False), Held(False), FileFailed(1, BROKEN), Shutdown()):
        if isinstance(step, Hold | Shutdown):
            watch.sent(step)
        else:
            watch.received(step)
        activities.append(watch.activity)
    going = [Activity.IDLE, Activity.PREPARING, Activity.PREPARING]
    assert activities == [*going, Activity.IDLE, Activity.ENDING]


def _hanging(tmp_path: Path, hangs: str) -> str:
    folder = tmp_path / "hangs"
    folder.mkdir()
    return HANGS.format(hangs=hangs, folder=str(folder))


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "CHECK_SECONDS", 0.2)


async def test_a_stalled_engine_is_replaced_and_the_file_goes_on(
    tmp_path: Path, looks_often: None
) -> None:
    settings = settings_for(tmp_path / "out", batch=BatchSettings(stall_seconds=2.5))
    async with BatchDriver(settings, [MINUTE], _hanging(tmp_path, "stick, stop")) as batch:
        finished = await batch.to_the_end()
        assert finished.completed == 1
        attempts = batch.jobs[1].attempts
        assert {attempt.failure.kind for attempt in attempts} == {FailureKind.STALLED}
        assert len(attempts) >= 2  # a busy machine may make another one
        assert attempts[0].at_seconds > 0
        log = [e.text.strip() for e in batch.events if isinstance(e, LogLine)]
        for stuck_in in ("stop", "stick"):
            assert any(x.startswith("File") and x.endswith(f"in {stuck_in}") for x in log), log
    found = [s for e in batch.events if isinstance(e, SegmentsFound) for s in e.segments]
    assert [segment.id for segment in found] == list(range(1, len(found) + 1))


async def test_a_file_that_always_stalls_fails_and_the_next_is_done(
    tmp_path: Path, looks_often: None
) -> None:
    settings = settings_for(tmp_path / "out", batch=BatchSettings(stall_seconds=1.0))
    code = _hanging(tmp_path, "stop, stop, stop")
    async with BatchDriver(settings, [MINUTE, SHORT], code) as batch:
        await batch.to_the_end()
        state = batch.jobs[1].state
        assert isinstance(state, Failed)
        assert state.failure.kind is FailureKind.STALLED
        assert "3 times" in state.failure.title
        assert len(batch.jobs[1].attempts) == 2
        assert isinstance(batch.jobs[2].state, Completed)
        errors = [e for e in batch.events if isinstance(e, LogLine) and e.level is Level.ERROR]
        assert len(errors) == 1


def test_a_model_that_takes_long_to_load_is_told_and_then_given_up() -> None:
    watch = Watchdog(120.0, {})
    watch.sent(LoadModel(ModelSettings()))
    began = watch.clocks.replied
    told, pings = [], 0
    for passed in range(0, 900, 5):
        verdict = watch.check(began + passed)
        if isinstance(verdict, Note):
            told.append(passed)
            assert "loading for" in verdict.text
        pings += isinstance(verdict, Ping)
        assert not isinstance(verdict, Failure)
    assert told == [60, 120, 240, 480]
    assert pings == 1
    assert isinstance(watch.check(began + 901), Failure)


async def test_a_stall_is_told_before_the_stacks_are_asked_for() -> None:
    """An engine that is still starting is killed by the request, and is no crash by SIGUSR1."""
    order: list[str] = []

    class Client:
        is_gone = False
        stderr_lines = 0

        def dump_stacks(self) -> None:
            order.append("stacks")
            self.stderr_lines = 1

        def kill(self) -> None:
            order.append("kill")

    watch = Watchdog(0.001, {})
    watch.received(Ready("cpu", "int8", 1.0, 1))
    watch.sent(_transcribe(1))
    client: Any = Client()
    await watch.watch(client, lambda *_: order.append("stalled"), lambda *_: None)
    assert order == ["stalled", "stacks", "kill"]


def test_listening_is_progress_only_when_the_model_has_nothing_to_do() -> None:
    """A model that hangs is noticed however lively the listener is, and the other way round."""
    watch = Watchdog(120.0, {})
    watch.received(Ready("cpu", "int8", 1.0, 1))
    for job in (1, 2):
        watch.sent(Transcribe(job, "/a", DecodingSettings(), "hash", "/tmp.wav"))
        watch.received(FileStarted(job, samples.plan(), MediaInfo(1.0), resumed=False))
    watch.received(FileTranscribed(1))
    assert str(watch.activity) == Activity.WINDOW
    before = watch.clocks.progressed
    heard = SpeakersHeard(1, SpeakerGroup(0, "models", ()))
    watch.received(heard)
    assert watch.clocks.progressed == before
    assert watch.clocks.replied > before
    watch.received(FileFinished(2))
    assert str(watch.activity) == Activity.LISTENING
    before = watch.clocks.progressed
    watch.received(heard)
    assert watch.clocks.progressed > before
    late = watch.clocks.progressed
    for later in range(5, 1300, 5):
        told = watch.check(late + later)
        watch.clocks.replied = late + later  # it answers all the time
        if isinstance(told, Failure):
            assert "telling speakers apart" in told.title
            assert later > 1200
            break
    else:
        pytest.fail("not noticed")
    watch.received(FileFinished(1))
    assert str(watch.activity) == Activity.IDLE
