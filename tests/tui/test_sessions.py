"""The browser of stored sessions, the look into one, and exports from the screen."""

import json
from pathlib import Path

import msgspec
import pytest
from textual.widgets import Button, Input, Static

from fwtui.core.commands import Quit, RetryJobs, Start
from fwtui.core.events import Phase, PhaseChanged
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Attempt
from fwtui.core.segment import Transcript
from fwtui.core.settings import OutputSettings, Settings
from fwtui.disk.lock import Holder
from fwtui.errors import SessionInUseError, StorageError
from fwtui.sessions.catalog import StoredSession
from fwtui.tui.glyphs import ASCII
from fwtui.tui.opening import opener
from fwtui.tui.screens.sessions import SessionsDialog
from tests.tui.driving import NARROW, WIDE, Driver, running
from tests.tui.fakes import (
    NOW,
    ScriptedLink,
    ScriptedWorkspace,
    completed,
    gallery,
    job,
    segment,
    stored,
)
from tests.tui.test_formatting import HOSTILE

OOM = Failure(FailureKind.OUT_OF_MEMORY, "Out of memory")
ATTEMPT = Attempt(NOW, OOM, 610.0, "beam size 1")


def sample(folder: Path = Path("/data/transcripts")) -> StoredSession:
    """The reference document's session, its second failed file after two attempts."""
    one = stored()
    jobs = list(one.session.jobs)
    jobs[15] = msgspec.structs.replace(jobs[15], attempts=(ATTEMPT, ATTEMPT))
    settings = Settings(output=OutputSettings(output_dir=str(folder)))
    session = msgspec.structs.replace(one.session, jobs=tuple(jobs), settings=settings)
    return msgspec.structs.replace(one, session=session)


def several() -> ScriptedWorkspace:
    """One in use elsewhere, the sample, one with every state; not there at the start."""
    held = stored("20251215_090000", in_use=Holder("box", 4711, NOW))
    workspace = ScriptedWorkspace(ScriptedLink([job(1)]))
    workspace.later = [held, sample(), stored("20251201_080000", gallery())]
    return workspace


async def browse(driver: Driver, workspace: ScriptedWorkspace) -> SessionsDialog:
    """Open the browser with the cursor on the sample."""
    workspace.sessions = workspace.later
    await driver.press("ctrl+o")
    await driver.until_screen("SessionsDialog")
    screen = driver.app.screen
    assert isinstance(screen, SessionsDialog)
    await driver.until(lambda: screen._list.items)
    await driver.press("down")
    return screen


async def test_all_sessions_with_files_and_attempts() -> None:
    workspace = several()
    async with running(workspace) as driver:
        screen = await browse(driver, workspace)
        await driver.until_text(
            "3 stored", "18/25 ✗2", "Session 20251214_101530", "/data/transcripts"
        )
        await driver.until_text("✓ 18 done", "✗ 2 failed", "○ 5 waiting", "failed · MemoryError")
        retried = "stopped at 10:10: Out of memory · retried with beam size 1"
        await driver.until(lambda: driver.text.count(retried) == 2)
        await driver.press("up")
        await driver.until_text("In use by fwtui on box (process 4711)")
        for name in ("resume", "discard", "delete"):
            assert screen.query_one(f"#{name}", Button).disabled
        await driver.press("r", "d", "D")
        await driver.until_screen("SessionsDialog")
        await driver.press("escape")
        await driver.until_screen("MainScreen")
        assert not (workspace.resumed or workspace.discarded or workspace.deleted)


async def test_a_file_of_a_stored_session_and_its_words() -> None:
    workspace = several()
    words = Transcript("en", (segment(0, 3.0, " [red]spoken[/] \x1b[31mwords"),), source="/o/a.srt")
    workspace.link.transcripts[1] = words
    async with running(workspace) as driver:
        await browse(driver, workspace)
        await driver.press("enter", "j", "k", "enter")
        await driver.until_screen("DetailsDialog")
        await driver.until_text("[red]spoken[/] \\x1b[31mwords")
        await driver.until_text("loaded from a.srt")
        assert not driver.app.screen.query("#retry")
        await driver.press("r", "e")
        await driver.until_screen("DetailsDialog")
        await driver.press("escape", "escape")
        await driver.until_screen("SessionsDialog")


async def test_resume_from_the_browser_changes_the_batch() -> None:
    workspace = several()
    async with running(workspace) as driver:
        await browse(driver, workspace)
        await driver.press("r")
        await driver.until_text("18 done   2 failed   5 left")
        assert workspace.resumed == [workspace.later[1]]
        assert workspace.link.commands == [Quit(), RetryJobs((15, 16)), Start()]


async def test_resume_asks_when_work_would_be_interrupted() -> None:
    workspace = several()
    async with running(workspace) as driver:
        workspace.link.emit(PhaseChanged(Phase.RUNNING))
        await driver.until(lambda: driver.app.controller.model.phase is Phase.RUNNING)
        await browse(driver, workspace)
        await driver.press("r")
        await driver.until_text("Stop this batch and resume 20251214_101530?")
        await driver.until_text("kept as session 20260314_150926")
        await driver.press("enter")
        await driver.until_screen("MainScreen")
        assert not workspace.resumed
        workspace.refusal = SessionInUseError("Another fwtui has it", "wait for it")
        await browse(driver, workspace)
        await driver.press("r", "right", "enter")
        await driver.until_text("Another fwtui has it")
        assert not workspace.link.commands  # the batch of before goes on
        await driver.press("escape")
        await browse(driver, workspace)
        await driver.press("r", "right", "enter")
        await driver.until(lambda: workspace.resumed)


async def test_discard_and_delete_say_what_goes(tmp_path: Path) -> None:
    output = tmp_path / "talk.srt"
    output.write_text("words")
    jobs = [job(1, "talk.mp3", state=completed(outputs=(str(output),))), job(2)]
    workspace = several()
    workspace.later[1] = stored("20251130_070000", jobs)
    async with running(workspace, size=NARROW) as driver:
        await browse(driver, workspace)
        await driver.press("d")
        await driver.until_text("Discard this session?")
        await driver.until_words("transcripts of 1 file")
        await driver.press("enter", "D")
        await driver.until_text("Delete this session and its transcripts?")
        await driver.until_words("the 1 transcript that it wrote (5 B): ")
        await driver.until(lambda: "talk.srt" in driver.words.replace(" ", ""))
        await driver.press("escape")
        assert not (workspace.discarded or workspace.deleted)
        gone = workspace.later[1]
        await driver.press("D")
        await driver.until_text("Delete this session and its transcripts?")
        await driver.press("right", "enter")
        await driver.until(lambda: workspace.deleted == [gone])
        await driver.until_text("2 stored")
        gone = workspace.later[1]
        await driver.press("d", "right", "enter")
        await driver.until(lambda: workspace.discarded == [gone])
        await driver.until_text("1 stored")


async def test_a_session_that_cannot_be_deleted_is_told() -> None:
    workspace = several()
    async with running(workspace) as driver:
        await browse(driver, workspace)

        async def refuse(stored: StoredSession) -> None:
            raise StorageError("Cannot delete it", "Check the permissions.")

        workspace.discard = refuse  # type: ignore[assignment, method-assign]
        await driver.press("d", "right", "enter")
        await driver.until_text("Check the permissions.")
        await driver.press("escape")
        await driver.until_text("3 stored")


async def test_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workspace = several()
    async with running(workspace) as driver:
        await browse(driver, workspace)
        await driver.press("e")
        await driver.until_text("Export session 20251214_101530")
        path = driver.app.screen.query_one(Input)
        assert path.value == str(tmp_path / "fwtui-session-20251214_101530.json")
        await driver.press("enter")
        await driver.until_screen("SessionsDialog")
        exported = tmp_path / "fwtui-session-20251214_101530.json"
        assert json.loads(exported.read_text())["counts"]["completed"] == 18
        await driver.press("e")
        await driver.until_text("This file exists")
        await driver.press("down", "down")
        assert driver.app.screen.query_one(Input).value.endswith(".csv")
        await driver.until_gone("exists")
        driver.app.screen.query_one(Input).value = str(tmp_path / "nowhere" / "x.csv")
        await driver.until_text("Folder not found")
        await driver.press("enter")
        await driver.until_screen("ExportDialog")
        driver.app.screen.query_one(Input).value = str(tmp_path / "x.csv")
        await driver.until(lambda: not driver.app.screen.query_one("#export", Button).disabled)
        await driver.click("#export")
        await driver.until_screen("SessionsDialog")
        assert len((tmp_path / "x.csv").read_text().splitlines()) == 26


async def test_open_folder_without_a_desktop_copies_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    workspace = several()
    workspace.later[1] = sample(tmp_path)
    async with running(workspace) as driver:
        await browse(driver, workspace)
        await driver.press("o")
        await driver.until(lambda: driver.app.clipboard == str(tmp_path))
        # With a desktop its opener is called, and sees nothing of our terminal.
        seen = tmp_path / "seen"
        opened = tmp_path / "bin" / "xdg-open"
        opened.parent.mkdir()
        opened.write_text(f'#!/bin/sh\necho "$1" > {seen}.new && mv {seen}.new {seen}\n')
        opened.chmod(0o755)
        monkeypatch.setenv("PATH", f"{opened.parent}:/usr/bin:/bin")
        monkeypatch.setenv("DISPLAY", ":0")
        await driver.press("o")
        await driver.until(seen.exists)
        assert seen.read_text() == f"{tmp_path}\n"


@pytest.mark.parametrize(
    ("platform", "environment", "program"),
    [
        ("linux", {}, None),
        ("linux", {"DISPLAY": ":0"}, "xdg-open"),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, "xdg-open"),
        ("darwin", {}, "open"),
        ("win32", {}, "explorer"),
    ],
)
def test_who_opens_folders(platform: str, environment: dict[str, str], program: str | None) -> None:
    assert opener(platform, environment) == program


async def test_inspect_from_the_resume_dialog() -> None:
    workspace = ScriptedWorkspace(sessions=[sample()])
    async with running(workspace, wait=False, size=NARROW) as driver:
        await driver.until_text("Unfinished session found")
        await driver.press("i")
        await driver.until_screen("InspectDialog")
        await driver.until_text("Session 20251214_101530")
        await driver.press("end")
        await driver.until_text("file25.mp3")
        await driver.press("home", "enter")
        await driver.until_screen("DetailsDialog")
        await driver.press("escape", "escape")
        await driver.until_screen("ResumeDialog")
        await driver.press("r")
        await driver.until(lambda: workspace.resumed)


async def test_no_sessions_hostile_names_and_every_size() -> None:
    workspace = several()
    async with running(workspace, glyphs=ASCII) as driver:
        await driver.press("ctrl+o")
        await driver.until_text("None unfinished; finished batches: H")
        await driver.press("r", "e", "o", "d", "D", "enter", "enter", "escape", "escape")
        jobs = [
            job(number, name, attempts=(msgspec.structs.replace(ATTEMPT, remedy=name),))
            for number, name in enumerate(HOSTILE, 1)
        ]
        workspace.later[1] = stored(jobs=jobs)
        screen = await browse(driver, workspace)
        await driver.until_text("[red]alarm[bold].mp3")
        await driver.until_gone("\x1b")
        fields = str(screen.query_one(".session-fields", Static).content)
        for size in ((20, 5), (1, 1), (40, 12), NARROW, WIDE):
            await driver.resize(*size)
            await driver.press("tab", "down", "up", "end", "home", "shift+tab")
        assert str(screen.query_one(".session-fields", Static).content) == fields
        screen._session.files.focus()
        await driver.press("enter")
        await driver.until_screen("DetailsDialog")
        for size in ((20, 5), NARROW, WIDE):
            await driver.resize(*size)
        await driver.until_text("[red]alarm[bold].mp3")
