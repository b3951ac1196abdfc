"""Batches of other processes on the screens: the choice at the start, attached, and leaving."""

from datetime import datetime

from fwtui.batch.remote.batch_status import BatchDetails, BatchStatus
from fwtui.batch.remote.endpoints import Endpoint
from fwtui.core.commands import Quit
from fwtui.core.events import BatchProgress, JobProgress, Phase
from fwtui.errors import BatchEndedError, ExitCode
from tests.tui.driving import NARROW, WIDE, Driver, running
from tests.tui.fakes import ScriptedLink, ScriptedWorkspace, busy_events, gallery, stored

HERE = Endpoint("20260314_150926", "archive", 4711, datetime(2026, 3, 14, 9, 0), socket="/s")
FAR = Endpoint("20260313_080000", "elsewhere", 99, datetime(2026, 3, 13, 8, 0), port=9)
SEEN = BatchDetails(
    where="background",
    phase=Phase.RUNNING,
    completed=4,
    failed=2,
    unfinished=11,
    total=19,
    progress=BatchProgress(4, 2, 11, 19, 22_932.0, 79_000.0, 6_360.0),
    current=(("/data/\x1b[31mtape.wav", JobProgress(7, 1257.0, 2875.0, 8.9, 182.0)),),
    engine=None,
    memory=None,
    output_dir="/data/transcripts",
    log="/state/log",
)


def workspace(*batches: BatchStatus) -> ScriptedWorkspace:
    link = ScriptedLink(gallery())
    link.phase = Phase.RUNNING
    made = ScriptedWorkspace(link, sessions=[stored(HERE.session_id)])
    made.batches = batches
    return made


async def until_attached(driver: Driver, work: ScriptedWorkspace) -> None:
    await driver.until(lambda: len(driver.app.controller.model.jobs) == len(work.link.jobs))
    work.link.emit(*busy_events())
    await driver.until_text("running")


async def test_a_running_batch_is_offered_and_attached_to() -> None:
    work = workspace(BatchStatus(HERE, SEEN))
    async with running(work, size=NARROW, wait=False) as driver:
        await driver.until_text("A batch is running")
        await driver.until_text(
            "4711 on archive",
            "running in the background",
            "4 done, 2 failed, 11 left",
            "tape.wav at 20:57 of 47:55",
            "1 h 46 min",
        )
        await driver.until_gone("\x1b")
        await driver.press("enter")
        await until_attached(driver, work)
        assert work.attached == [HERE]
        assert work.started == []
        await driver.until(lambda: " attached " in driver.text.splitlines()[0])
        await driver.until_text("q Detach")
        await driver.press("q")  # asks nothing: the batch goes on
        await driver.until(lambda: not driver.app.is_running)
    assert work.link.commands == [Quit()]  # which only leaves
    assert driver.app.return_value is ExitCode.DONE


async def test_a_new_batch_can_be_begun_beside_it() -> None:
    """And its session, which is in use, is not offered a second time."""
    work = workspace(BatchStatus(HERE, SEEN))
    async with running(work, wait=False) as driver:
        await driver.until_text("A batch is running")
        await driver.press("escape")
        await driver.until(lambda: work.started)
        assert work.attached == []
        await driver.until_screen("MainScreen")
        await driver.until_gone("attached")


async def test_one_that_cannot_be_attached_to_is_explained() -> None:
    work = workspace(BatchStatus(FAR, problem="It is on elsewhere"), BatchStatus(HERE, SEEN))
    async with running(work, size=WIDE, wait=False) as driver:
        await driver.until_text("2 batches are running")
        await driver.until_text("4711 on archive")  # the one that answers is looked at first
        await driver.press("shift+tab", "shift+tab", "up")
        await driver.until_text("Cannot attach to it. It is on elsewhere")
        await driver.press("a")
        assert work.attached == []
        await driver.press("down")
        await driver.press("a")
        await driver.until(lambda: work.attached == [HERE])


async def test_an_end_where_it_runs_is_told() -> None:
    work = workspace(BatchStatus(HERE, SEEN))
    async with running(work, wait=False) as driver:
        await driver.until_text("A batch is running")
        await driver.press("a")
        await until_attached(driver, work)
        work.link.fail(BatchEndedError("The batch was stopped elsewhere", "start fwtui again"))
        await driver.until_text("The batch was stopped elsewhere")
        await driver.until_text("Start fwtui again")
        await driver.press("enter")
        await driver.until_gone(" attached ")
        await driver.press("q")  # nothing is worked on here: no question
        await driver.until(lambda: not driver.app.is_running)
    assert driver.app.return_value is ExitCode.STOPPED


async def test_a_batch_on_this_screen_can_be_left_to_the_background() -> None:
    work = workspace()
    work.sessions.clear()
    async with running(work, size=NARROW) as driver:
        await until_attached(driver, work)
        await driver.press("q")
        await driver.until_screen("QuitDialog")
        await driver.press("b")
        await driver.until(lambda: not driver.app.is_running)
    assert driver.app.shutdown.in_background
    assert work.link.commands == [Quit()]
