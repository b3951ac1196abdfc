"""The screen of the watched folders and its form."""

from pathlib import Path

import pytest
from textual.widgets import Input

from fwtui import demo
from fwtui.batch.workspace import Workspace
from fwtui.config.locations import Locations
from fwtui.config.profiles import PROFILES
from fwtui.core.commands import UnwatchFolder, WatchFolder
from fwtui.core.events import FoldersChanged, Phase, PhaseChanged
from fwtui.core.settings import OutputSettings, Settings
from fwtui.core.watched_folder import FolderStatus, WatchedFolder
from fwtui.errors import FwtuiError
from fwtui.tui.screens.watched import WatchForm, folder_of_form
from tests.tui.driving import NARROW, WIDE, Driver, running, scripted
from tests.tui.fakes import ScriptedLink, job
from tests.tui.test_formatting import HOSTILE

TALKS = WatchedFolder(
    path="/data/talks",
    after="move",
    exclude=("drafts",),
    profile="Precise",
    values={"output.output_dir": "/data/out", "decoding.language": "de"},
)
SHARE = WatchedFolder(path="/mnt/share/recordings", after="tag")
STATUSES = (
    FolderStatus(folder=TALKS, state="watching", waiting=2, taken=1204),
    FolderStatus(folder=SHARE, state="missing", problem="there is no folder /mnt/share/recordings"),
)
TEXTS = {
    "path": "",
    "output": "",
    "language": "",
    "include": "",
    "exclude": "",
    "move_to": "",
    "settle": "3",
}
CHOSEN = {"existing": "take", "after": "leave", "poll": "auto", "profile": ""}


async def opened(driver: Driver, link: ScriptedLink) -> None:
    link.emit(FoldersChanged(STATUSES))
    await driver.press("W")
    await driver.until_screen("WatchedDialog")
    await driver.until_text("1,204 queued, 2 incomplete")


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_the_folders_are_listed_and_let_go(size: tuple[int, int]) -> None:
    link = ScriptedLink([job(1)])
    async with scripted(link, size=size) as driver:
        await opened(driver, link)
        await driver.until_text(
            "Precise · de", "are moved to /data/talks/transcribed", "except drafts"
        )
        await driver.press("down")
        await driver.until_text("there is no folder /mnt/share/recordings")
        await driver.press("d")
        assert link.commands == [UnwatchFolder(SHARE.path)]
        link.emit(FoldersChanged(()))
        await driver.until_text("No watched folders")
        await driver.press("d", "enter", "escape")
        await driver.until_screen("MainScreen")


async def test_a_folder_is_added_with_settings_of_its_own(tmp_path: Path) -> None:
    link = ScriptedLink([job(1)])
    async with scripted(link, size=NARROW) as driver:
        await driver.press("W", "a")
        await driver.until_screen("WatchForm")
        form = driver.app.screen
        assert isinstance(form, WatchForm)
        await driver.press("enter")
        await driver.until_text("Enter the folder to watch")
        form.query_one("#watch-path", Input).value = str(tmp_path)
        form.query_one("#watch-language", Input).value = "klingon"
        await driver.press("enter")
        await driver.until_text("Whisper does not support the language")
        assert form.focused is form.query_one("#watch-language")
        form.query_one("#watch-language", Input).value = "German"
        form.query_one("#watch-include", Input).value = "*.wav 'week 1/*'"
        form.query_one("#watch-path").focus()
        await driver.click("#after-1")
        await driver.click("#profile-1")
        await driver.click("#watch")
        await driver.until(lambda: link.commands)
        (command,) = link.commands
        assert command == WatchFolder(
            WatchedFolder(
                path=str(tmp_path),
                include=("*.wav", "week 1/*"),
                after="move",
                profile="Fast",
                values={**PROFILES[0].sets, "decoding.language": "de"},
            )
        )
        await driver.until_screen("WatchedDialog")


async def test_a_change_begins_with_what_is() -> None:
    link = ScriptedLink([job(1)])
    async with scripted(link) as driver:
        await opened(driver, link)
        await driver.press("enter")
        await driver.until_screen("WatchForm")
        driver.app.screen.query_one("#watch-settle", Input).value = "10"
        await driver.press("enter")
        await driver.until(lambda: link.commands)
        (command,) = link.commands
        assert isinstance(command, WatchFolder)
        assert command.folder.settle_seconds == 10
        assert (command.folder.path, command.folder.after) == (TALKS.path, "move")
        assert command.folder.values == {**PROFILES[1].sets, **TALKS.values}


@pytest.mark.parametrize(
    ("texts", "chosen", "complaint"),
    [
        ({"path": "/no/such"}, {}, "Folder not found: /no/such"),
        ({"path": ".", "settle": "soon"}, {}, "seconds must be a number"),
        ({"path": ".", "settle": "-1"}, {}, "seconds must be a number"),
        ({"path": ".", "include": "'*.wav"}, {}, "quote"),
        ({"path": ".", "move_to": "."}, {"after": "move"}, "watched folder itself"),
    ],
)
def test_what_the_form_does_not_take(
    texts: dict[str, str], chosen: dict[str, str], complaint: str
) -> None:
    with pytest.raises(FwtuiError, match=complaint):
        folder_of_form(TEXTS | texts, CHOSEN | chosen, None)


async def test_the_header_says_that_it_waits_and_the_key_pauses() -> None:
    link = ScriptedLink([])
    async with scripted(link) as driver:
        link.emit(FoldersChanged(STATUSES), PhaseChanged(Phase.WATCHING))
        await driver.until_text("waiting for files in 2 folders")
        await driver.until_text("watching")
        await driver.press("q")
        await driver.until_text("Quit while folders are being watched?")
        await driver.press("escape")


async def test_hostile_names_are_only_shown() -> None:
    link = ScriptedLink([])
    words = " ".join(HOSTILE)
    folder = WatchedFolder(path=f"/in/{words}", profile=words, include=HOSTILE)
    async with scripted(link) as driver:
        problem = f"there is no folder {words}"
        link.emit(FoldersChanged((FolderStatus(folder=folder, problem=problem),)))
        await driver.press("W")
        await driver.until_text("0 queued")
        await driver.press("enter")
        await driver.until_screen("WatchForm")
        await driver.until_gone("\x1b")
        await driver.press("escape")
        await driver.until_gone("\x1b")


async def test_files_that_arrive_show_in_the_queue(tmp_path: Path) -> None:
    root = tmp_path / "in"
    root.mkdir()
    settings = Settings(output=OutputSettings(output_dir=str(tmp_path / "out")))
    async with running(Workspace(Locations.default()), settings=settings) as driver:
        driver.app.controller.send(WatchFolder(WatchedFolder(path=str(root))))
        await driver.until(lambda: driver.app.controller.model.folders)
        (tmp_path / "a talk.flac").write_bytes(demo.clips()[0].read_bytes())
        (tmp_path / "a talk.flac").rename(root / "a talk.flac")
        await driver.until_text("a talk.flac")
        assert driver.app.controller.model.counts.unfinished == 1
