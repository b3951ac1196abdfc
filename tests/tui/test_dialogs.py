"""Start-up with unfinished sessions, adding files, and what happens when something breaks."""

import shutil
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual import events
from textual.widgets import Button, Input

from fwtui import demo
from fwtui.audio.media import probe
from fwtui.core.commands import AddPaths, Quit, RetryJobs, Start
from fwtui.core.job import Pending
from fwtui.core.settings import OutputSettings
from fwtui.core.text import clock
from fwtui.disk.lock import Holder
from fwtui.errors import ExitCode, SessionInUseError, StorageError
from fwtui.tui.screens.add import AddDialog
from fwtui.tui.screens.batch_report import ReportDialog
from fwtui.tui.widgets.lines import FlowView
from tests.tui.driving import NARROW, WIDE, Driver, running, scripted
from tests.tui.fakes import (
    NOW,
    SETTINGS,
    ScriptedLink,
    ScriptedWorkspace,
    busy_events,
    completed,
    gallery,
    job,
    stored,
)

FIELDS = (
    "Unfinished session found",
    "Session ID   20251214_101530",
    "Created      2025-12-14 10:15:30",
    "Model        faster-whisper-medium",
    "Total files  25",
    "Done         18",
    "Failed       2",
    "Waiting      5",
    "Progress     80%",
    "Waiting files",
    "• file21.mp3",
    "Failed files (will be retried)",
    "• file15.mp3 · Out of memory",
    "• file16.mp3 · MemoryError",
    "Discard and start fresh",
    "Resume",
    "Later",
)


async def test_the_resume_dialog_has_the_documents_fields() -> None:
    async with running(ScriptedWorkspace(sessions=[stored()]), wait=False) as driver:
        await driver.until_text("Unfinished session found")
        await driver.until_text(*FIELDS)


async def test_resume_puts_failed_files_back() -> None:
    workspace = ScriptedWorkspace(sessions=[stored()])
    async with running(workspace, wait=False, paths=["/more"]) as driver:
        await driver.until_text("Unfinished session found")
        await driver.press("enter")
        await driver.until(lambda: len(workspace.link.commands) == 3)
        assert workspace.resumed == workspace.sessions
        assert workspace.link.commands == [RetryJobs((15, 16)), Start(), AddPaths(("/more",))]
        await driver.until_text("18 done   2 failed   5 left")
        assert not workspace.started


async def test_folders_of_another_machine_are_asked_for_once(tmp_path: Path) -> None:
    workspace = ScriptedWorkspace(sessions=[stored()])
    workspace.missing = (r"D:\Audio",)
    async with running(workspace, wait=False, size=NARROW) as driver:
        await driver.until_text("Unfinished session found")
        await driver.press("r")
        await driver.until_text("Files from another machine")
        await driver.until_text(r"D:\Audio")
        await driver.press("/", "x", "enter")
        await driver.until_text("Folder not found: /x")
        await driver.press("escape")  # back to the choice
        await driver.until_text("Unfinished session found")
        await driver.press("r")
        await driver.until_text("Files from another machine")
        driver.app.screen.query_one(Input).value = str(tmp_path)
        await driver.press("enter")
        await driver.until(lambda: workspace.resumed)
        assert workspace.maps == {r"D:\Audio": str(tmp_path)}


@pytest.mark.parametrize("keys", [("escape",), ("l",), ("left", "enter")])
async def test_later_keeps_the_session_and_starts_a_new_one(keys: tuple[str, ...]) -> None:
    workspace = ScriptedWorkspace(sessions=[stored()])
    async with running(workspace, wait=False) as driver:
        await driver.until_text("Unfinished session found")
        await driver.press(*keys)
        await driver.until(lambda: workspace.started)
        assert not workspace.discarded
        assert not workspace.resumed


async def test_discard_says_what_goes_and_asks() -> None:
    inside = [job(1, state=completed()), job(2, state=Pending(600.0)), job(3)]
    workspace = ScriptedWorkspace(sessions=[stored(jobs=inside)])
    async with running(workspace, wait=False, size=NARROW) as driver:
        await driver.until_text("resumes at 10:00")
        await driver.press("d")
        await driver.until_words(
            "Permanently deletes session 20251214_101530 and its journal",
            "2 unfinished files (10:00 of audio already transcribed)",
            "Kept: your recordings, and the transcripts of 1 file",
        )
        await driver.press("enter")
        await driver.until_screen("ResumeDialog")
        assert not workspace.discarded
        await driver.press("d", "right", "enter")
        await driver.until(lambda: workspace.started)
        assert len(workspace.discarded) == 1


async def test_several_sessions_and_one_in_use() -> None:
    held = stored("20251215_090000", in_use=Holder("box", 4711, NOW))
    workspace = ScriptedWorkspace(sessions=[held, stored(), stored("20251201_080000")])
    async with running(workspace, wait=False, size=NARROW) as driver:
        await driver.until_text("3 unfinished sessions found")
        await driver.until_text("20251215_090000  ·  25 files, 5 waiting, 2 failed  (in use)")
        await driver.until_text("Session ID   20251214_101530")
        driver.app.screen.query_one("#session-list").focus()
        await driver.press("up")
        await driver.until_text("In use by fwtui on box (process 4711)")
        assert driver.app.screen.query_one("#resume", Button).disabled
        await driver.press("r", "d")
        await driver.until_screen("ResumeDialog")
        await driver.press("down", "down", "r")
        await driver.until(lambda: workspace.resumed)
        assert workspace.resumed[0].session.session_id == "20251201_080000"


async def test_a_session_that_was_taken_meanwhile_is_told_and_asked_again() -> None:
    workspace = ScriptedWorkspace(sessions=[stored()])
    workspace.refusal = SessionInUseError("Another fwtui has it", "wait for it")
    async with running(workspace, wait=False) as driver:
        await driver.until_text("Unfinished session found")
        await driver.press("r")
        await driver.until_text("Another fwtui has it")
        await driver.press("enter")
        await driver.until_text("Unfinished session found")
        await driver.press("r")
        await driver.until(lambda: workspace.resumed)


async def test_no_room_for_a_session_is_told_and_is_the_exit_code() -> None:
    workspace = ScriptedWorkspace()
    workspace.refusal = StorageError("No room on /state", "free some")
    async with running(workspace, wait=False) as driver:
        await driver.until_text("No room on /state")
        await driver.press("escape", "q")
        await driver.until(lambda: not driver.app.is_running)
    assert driver.app.return_value is ExitCode.CANNOT_START


def media(folder: Path) -> Path:
    (folder / "my talks").mkdir()
    for name in ("one.mp3", "two.wav", "my talks/three.flac", "notes.txt"):
        (folder / name).touch()
    return folder


async def test_add_counts_before_it_adds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(media(tmp_path))
    link = ScriptedLink()
    async with scripted(link) as driver:
        await driver.press("a")
        await driver.press(*"my", "tab")
        box = driver.app.screen.query_one("#add-path")
        await driver.until(lambda: getattr(box, "value", "") == "'my talks/")
        await driver.until_text("Add 1 file")
        await driver.press("ctrl+u")
        await driver.press(*"*.mp3 my\\ talks nothing")
        await driver.until_text("2 files · 2 of unknown length; No such file or folder")
        await driver.press("enter")
        await driver.until(lambda: link.commands)
        assert link.commands == [AddPaths(("*.mp3", "my talks", "nothing"))]


async def test_a_link_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "yt_dlp", None)  # as Python marks what is not there
    link = ScriptedLink()
    async with scripted(link) as driver:
        await driver.press("a")
        await driver.press(*"https://example.org/a?b=c&d")
        await driver.until_text("Links need yt-dlp, which is not installed")
        monkeypatch.delitem(sys.modules, "yt_dlp")
        await driver.press("e")
        await driver.until_text("1 link to download")
        await driver.press("enter")
        await driver.until(lambda: link.commands)
        assert link.commands == [AddPaths(("https://example.org/a?b=c&de",))]


async def test_add_from_the_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(media(tmp_path))
    talks = tmp_path / "my talks"
    clip = demo.clips()[0]
    shutil.copy(clip, talks / f"four{clip.suffix}")
    (tmp_path / "out").mkdir()
    for ending in ("txt", "vtt", "srt", "tsv", "json"):
        (tmp_path / f"out/one.{ending}").touch()
    settings = replace(SETTINGS, output=OutputSettings(output_dir=str(tmp_path / "out")))
    link = ScriptedLink([job(1, str(tmp_path / "two.wav"))], settings)
    async with scripted(link, size=WIDE) as driver:
        await driver.press("a")
        await driver.until_text("one.mp3")
        await driver.until_gone("notes.txt")
        screen = driver.app.screen
        assert isinstance(screen, AddDialog)
        await driver.press("tab")
        await driver.until_text("Space select · / find")
        await driver.until_text("transcribed")
        # All of it: what is known of the files is said before they are added.
        await driver.press("ctrl+a")
        await driver.until_text("4 files")
        await driver.until_text("3 of unknown length")
        await driver.until_text(f"{clock(probe(clip).duration)} total")
        await driver.until_text("1 already queued, 1 already transcribed: n hides them")
        await driver.press("n")
        await driver.until_text("Add 2 files")
        await driver.press("n", "ctrl+a")
        await driver.until_text("Nothing selected yet")
        # A folder, but one file of it not.
        await driver.press("g", "space", "k", "l")
        await driver.until_text("three.flac")
        await driver.press("j", "space")
        await driver.until_text("Add 1 file")
        assert set(screen.tree_view.folders.selected) == {f"{talks}/three.flac"}
        # Some letters of a name anywhere below.
        await driver.press("slash", *"t3", "backspace", *"wo")
        await driver.until(lambda: len(screen.tree_view.items) == 1)
        await driver.press("enter", "space")
        await driver.until_text("Add 2 files")
        await driver.press("escape", "m", "m")
        await driver.until_text("No media files found")
        await driver.press("m")
        await driver.until_text("Add 2 files")
        await driver.press("a")
        await driver.until(lambda: link.commands)
        assert link.commands == [AddPaths((f"{talks}/three.flac", str(tmp_path / "two.wav")))]


async def test_what_is_left_out_of_a_folder_leaves_single_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(media(tmp_path))
    link = ScriptedLink([job(1, str(tmp_path / "one.mp3"))])
    async with scripted(link, size=NARROW) as driver:
        await driver.press("a", *"*.mp3 'my talks'")
        await driver.until_text("1 already queued")
        driver.app.screen.query_one("#add-tree").focus()
        await driver.until_text("Space select")
        await driver.press("n")
        await driver.until_text("Add 1 file")
        await driver.press("a")
        await driver.until(lambda: link.commands)
        assert link.commands == [AddPaths((str(tmp_path / "my talks/three.flac"),))]


async def test_paste_opens_add_with_the_paths(tmp_path: Path) -> None:
    media(tmp_path)
    link = ScriptedLink()
    async with scripted(link) as driver:
        text = f"{tmp_path}/my talks/three.flac\n{tmp_path}/one.mp3\n"
        driver.app.main.post_message(events.Paste(text))
        await driver.until_text("Add 2 files")
        assert isinstance(driver.app.screen, AddDialog)
        await driver.press("escape")
        assert link.commands == []
        driver.app.main.post_message(events.Paste(text))
        await driver.until_text("Add 2 files")
        await driver.press("enter")
        await driver.until(lambda: link.commands)
        paths = (f"{tmp_path}/my talks/three.flac", f"{tmp_path}/one.mp3")
        assert link.commands == [AddPaths(paths)]


async def broken(driver: Driver) -> None:
    def bad_key() -> None:
        raise ValueError("[red]not good[/]")

    driver.app.strict = False
    driver.app.call_later(bad_key)
    await driver.until_text("Something went wrong in fwtui")


async def test_an_error_in_a_handler_is_a_dialog_and_the_batch_goes_on() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        await broken(driver)
        await driver.until_text("ValueError: [red]not good[/]")
        await driver.press("enter")
        link.emit(*busy_events())
        await driver.until_text("live")
        assert Quit() not in link.commands


async def test_a_worker_that_fails_is_a_dialog() -> None:
    link = ScriptedLink([job(1)])
    async with scripted(link) as driver:

        async def fail() -> None:
            raise ValueError("worker")

        driver.app.run_worker(fail(), exit_on_error=False)
        await driver.until_text("ValueError: worker")


async def test_a_screen_that_cannot_be_made_or_drawn_is_a_dialog_with_the_logs_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        driver.app.strict = False
        driver.app.error_dialogs.log_file = "/state/logs/fwtui.log"
        for owner, name in ((FlowView, "line"), (ReportDialog, "compose")):
            with monkeypatch.context() as broken:

                def fail(*_: object) -> None:
                    raise ValueError("[red]cannot[/]")

                broken.setattr(owner, name, fail)
                await driver.press("i")
                await driver.until_text(
                    "ValueError: [red]cannot[/]", "More in /state/logs/fwtui.log"
                )
            while driver.screen != "MainScreen":
                await driver.press("escape")
        await driver.press("i")
        await driver.until_text("4:54:35")
        await driver.press("escape")
        link.emit(*busy_events())
        await driver.until_text("live")
        assert Quit() not in link.commands


async def test_a_runner_that_breaks_is_told() -> None:
    link = ScriptedLink([job(1)])
    async with scripted(link, size=WIDE) as driver:
        link.fail(RuntimeError("gone"))
        await driver.until_text("The batch has stopped")
        await driver.until_text("RuntimeError: gone")
        await driver.press("escape", "q")
        await driver.until(lambda: not driver.app.is_running)
    assert driver.app.return_value is ExitCode.STOPPED
