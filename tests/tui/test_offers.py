"""What a start offers: interrupted work, not queues that wait, nor what the user does not want."""

from pathlib import Path
from typing import Literal

import pytest

from fwtui.batch.workspace import Workspace
from fwtui.cli.console import Console
from fwtui.cli.program import _resumes
from fwtui.cli.sessions import choose, described, mention_unfinished
from fwtui.config.locations import Locations
from fwtui.core.commands import RetryJobs, Start
from fwtui.core.events import JobsAdded
from fwtui.core.job import Pending
from fwtui.core.session import NOT_STARTED
from fwtui.core.watched_folder import WatchedFolder
from fwtui.disk.lock import Holder
from tests.tui.driving import NARROW, running
from tests.tui.fakes import (
    NOW,
    SETTINGS,
    ScriptedWorkspace,
    completed,
    failed,
    gallery,
    job,
    stored,
)


def locations(folder: Path) -> Locations:
    return Locations(folder / "state", folder / "cache", folder / "config")


async def queue(
    folder: Path, where: Literal["screen", "run"], *, started: bool, watch: bool = False
) -> Workspace:
    """A workspace with one session, closed, in which two files wait."""
    workspace = Workspace(locations(folder), where=where)
    batch = await workspace.start(SETTINGS)
    batch.state.store.commit(JobsAdded((job(1), job(2))))
    if watch:
        batch.state.store.set_folders((WatchedFolder(path=str(folder)),))
    if started:
        await batch.state.remember_started()
    batch.state.store.close()
    return workspace


@pytest.mark.parametrize(
    ("where", "started", "watch", "offered"),
    [
        ("screen", False, False, False),
        ("screen", True, False, True),
        ("screen", False, True, True),
        ("run", False, False, True),  # killed while the model was loading
        ("run", True, False, True),
    ],
)
async def test_a_queue_that_was_never_started_is_kept_but_not_offered(
    tmp_path: Path, where: Literal["screen", "run"], started: bool, watch: bool, offered: bool
) -> None:
    workspace = await queue(tmp_path, where, started=started, watch=watch)
    (one,) = (await workspace.incomplete()).sessions
    assert one.is_offered is offered
    assert len(one.session.jobs) == 2
    # Opened and closed again, it is still what it was.
    batch = await workspace.resume(one, SETTINGS)
    batch.state.store.close()
    (one,) = (await workspace.all_sessions()).sessions
    assert one.is_offered is offered


@pytest.mark.parametrize("state", [completed(), failed(), Pending(30.0)])
def test_what_has_progress_was_started_whatever_the_file_says(state: object) -> None:
    one = stored(jobs=[job(1, state=state), job(2)])
    one.session.extra[NOT_STARTED] = True
    try:
        assert one.is_offered
    finally:
        one.session.extra.clear()


async def test_not_offered_again_until_it_is_resumed(tmp_path: Path) -> None:
    workspace = await queue(tmp_path, "run", started=True)
    (one,) = (await workspace.incomplete()).sessions
    await workspace.set_offered([one.session.session_id, "gone"], offered=False)
    (one,) = (await workspace.incomplete()).sessions
    assert one.hidden
    assert not one.is_offered
    batch = await workspace.resume(one, SETTINGS)
    batch.state.store.close()
    (one,) = (await workspace.incomplete()).sessions
    assert one.is_offered
    await workspace.set_offered([one.session.session_id], offered=False)
    await workspace.set_offered([one.session.session_id], offered=True)
    assert (await workspace.incomplete()).sessions[0].is_offered


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}", b"[1]", b"[" * 5000, b'["x"'])
async def test_a_damaged_list_of_what_is_not_offered_hides_nothing(
    tmp_path: Path, content: bytes
) -> None:
    workspace = await queue(tmp_path, "run", started=True)
    file = workspace.locations.not_offered
    file.write_bytes(content)
    (one,) = (await workspace.incomplete()).sessions
    assert one.is_offered
    await workspace.set_offered([one.session.session_id], offered=False)
    assert not (await workspace.incomplete()).sessions[0].is_offered


def test_the_command_line_does_not_nag_either(capsys: pytest.CaptureFixture[str]) -> None:
    waiting, interrupted = stored("20260102_000000", [job(1)]), stored("20260101_000000")
    waiting.session.extra[NOT_STARTED] = True
    try:
        assert "not started" in described(waiting)
        mention_unfinished([waiting], Console())
        assert "unfinished" not in capsys.readouterr().err
        assert choose([waiting, interrupted], "", Console()) is interrupted
        assert choose([waiting], "", Console()) is waiting
        assert choose([waiting, interrupted], "20260102_000000", Console()) is waiting
    finally:
        waiting.session.extra.clear()


@pytest.mark.parametrize(
    ("arguments", "resumes"),
    [
        (["--resume"], True),
        (["--resume", "20260101_000000"], True),
        (["--resume=20260101_000000"], True),
        (["--model", "base", "--resume"], True),
        (["a.mp3", "--resume"], True),
        (["--", "--resume"], False),
        (["--resumed"], False),
        (["a.mp3"], False),
    ],
)
def test_resume_without_a_command_is_that_of_run(arguments: list[str], resumes: bool) -> None:
    assert _resumes(arguments) is resumes


@pytest.mark.parametrize(("key", "starts"), [("r", True), ("enter", True), ("L", False)])
async def test_resume_starts_and_load_does_not(key: str, starts: bool) -> None:
    workspace = ScriptedWorkspace(sessions=[stored()])
    async with running(workspace, wait=False, size=NARROW) as driver:
        await driver.until_text("Unfinished session found")
        await driver.press(key)
        expected = [RetryJobs((15, 16)), *([Start()] if starts else [])]
        await driver.until(lambda: len(workspace.link.commands) >= len(expected))
        await driver.until_text("s to start")  # the batch is shown
        assert workspace.link.commands == expected


async def test_arrows_choose_among_several_wherever_the_focus_is() -> None:
    sessions = [stored(f"2025120{n}_080000", [job(1), job(2)]) for n in range(1, 5)]
    workspace = ScriptedWorkspace(sessions=sessions)
    async with running(workspace, wait=False, size=NARROW) as driver:
        await driver.until_text("4 unfinished sessions found")
        await driver.press("down")
        await driver.until_text("Session ID   20251202_080000")
        driver.app.screen.query_one("#resume").focus()
        await driver.press("down", "down", "up")
        await driver.until_text("Session ID   20251203_080000")
        await driver.press("enter")
        await driver.until(lambda: workspace.resumed)
    assert workspace.resumed == [sessions[2]]


async def test_several_are_discarded_at_once_and_others_not_offered_again() -> None:
    held = stored("20251215_090000", in_use=Holder("box", 4711, NOW))
    sessions = [stored(f"2025120{n}_080000", gallery()) for n in range(1, 5)]
    workspace = ScriptedWorkspace(sessions=[*sessions, held])
    async with running(workspace, wait=False, size=NARROW) as driver:
        await driver.until_text("5 unfinished sessions found")
        await driver.press("ctrl+a", "d")
        await driver.until_screen("ResumeDialog")  # one of them is in use
        await driver.press("ctrl+a", "space", "space")
        await driver.until_text("Discard 2")
        await driver.press("d")
        await driver.until_text("Discard these 2 sessions?")
        await driver.press("enter")
        assert not workspace.discarded
        await driver.press("ctrl+a", "ctrl+a", "home", "space", "space", "d", "right", "enter")
        await driver.until(lambda: len(workspace.discarded) == 2)
        await driver.until_text("3 unfinished sessions found")
        await driver.press("space", "space", "n")
        await driver.until_text("In use by fwtui on box")
        await driver.press("n")  # nothing is left to offer
        await driver.until(lambda: workspace.started)
    assert workspace.discarded == sessions[:2]
    assert [one.hidden for one in workspace.sessions] == [True, True, True]
    assert not workspace.resumed


async def test_the_browser_discards_several_and_offers_again() -> None:
    sessions = [stored(f"2025120{n}_080000", gallery()) for n in range(1, 4)]
    sessions.append(stored("20251209_080000", [job(1)]))
    workspace = ScriptedWorkspace()
    async with running(workspace, size=NARROW) as driver:
        workspace.sessions = list(sessions)
        await driver.press("ctrl+o")
        await driver.until_text("4 stored")
        await driver.press("n")
        await driver.until_text("not offered")
        await driver.press("n")
        await driver.until(lambda: not workspace.sessions[0].hidden)
        await driver.press("space", "space", "d")
        await driver.until_text("Discard these 2 sessions?")
        await driver.press("right", "enter")
        await driver.until(lambda: len(workspace.discarded) == 2)
        await driver.until_text("2 stored")
        await driver.press("L")
        await driver.until_text("s to start")
    assert Start() not in workspace.link.commands
