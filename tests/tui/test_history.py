"""The screen of the history: batches, files, search, and what can be done with a file."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from textual.widgets import Button

from fwtui.config.locations import Locations
from fwtui.core.commands import AddPaths
from fwtui.core.paths import path_to_text
from fwtui.outputs.batch_history import FileEntry, HistoryQuery, HistoryStore
from fwtui.outputs.history_file import NAME
from fwtui.tui import opening
from fwtui.tui.screens.history_browser import PAGE, HistoryDialog
from tests.outputs.history_samples import AT, FINDING, cancelled, done, failed, update
from tests.tui.driving import NARROW, WIDE, Driver, running
from tests.tui.fakes import ScriptedLink, ScriptedWorkspace, job
from tests.tui.test_formatting import HOSTILE

pytestmark = pytest.mark.usefixtures("universal_time")


def some(store: HistoryStore) -> None:
    """Three batches: one with everything, one that could not continue, one with many files."""
    store.write(update(*(done(n) for n in range(30)), session="20260301_120000",
                       started=AT - timedelta(days=13), ended=AT - timedelta(days=13)))  # fmt: skip
    store.write(
        update(
            done(1, "interview-müller.m4a", findings=(FINDING,)),
            done(2, "lecture 07.flac", language="en", used={"decoding.beam_size": 1}),
            failed(3),
            cancelled(4),
            session="20260314_150926",
        )
    )
    store.write(
        update(
            done(5),
            session="20260315_080000",
            started=AT + timedelta(days=1),
            ended=AT + timedelta(days=1),
            ending="failed",
            problem="The model was deleted",
            total=3,
            waiting=2,
        )
    )


async def opened(driver: Driver) -> HistoryDialog:
    await driver.press("H")
    await driver.until_screen("HistoryDialog")
    screen = driver.app.screen
    assert isinstance(screen, HistoryDialog)
    await driver.until(lambda: "Loading" not in screen._list.empty)
    return screen


async def listed(driver: Driver, screen: HistoryDialog, count: int) -> None:
    """Until so many entries are listed, and the one under the cursor is read."""
    await driver.until(lambda: len(screen._list.items) == count)
    await driver.until(lambda: count == 0 or screen._list.entry is not None)


def current(screen: HistoryDialog) -> FileEntry:
    entry = screen._list.entry
    assert isinstance(entry, FileEntry)
    return entry


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_an_empty_history_says_what_it_will_hold(size: tuple[int, int]) -> None:
    async with running(ScriptedWorkspace(), size=size) as driver:
        await opened(driver)
        await driver.until_text("No batches yet")
        await driver.until(lambda: "Unfinished work is in Ctrl+O Sessions." in driver.words)
        assert not (Locations.default().state / NAME).exists()
        await driver.press("escape")
        await driver.until_screen("MainScreen")
        await driver.press("ctrl+o")
        await driver.until_text("finished batches: H History")


async def test_batches_their_files_and_back(store: HistoryStore) -> None:
    some(store)
    async with running(ScriptedWorkspace()) as driver:
        screen = await opened(driver)
        await listed(driver, screen, 3)
        await driver.until_text("History · 3 batches")
        await driver.until_text("could not cont")
        await driver.until_text("The model was deleted")
        await driver.press("j")
        await driver.until_text("2/4 ✗1 ?1")
        await driver.until_text("20260314_150926 · 2026-03-14 15:09 to 15:19")
        await driver.press("enter")
        await listed(driver, screen, 4)
        await driver.until_text("batch 20260314_150926 · 4 files")
        await driver.until_text("done · check")
        await driver.until_text("(1 passage marked)")
        await driver.press("j")
        await driver.until_text("decoding.beam_size = 1")
        await driver.until_text("/data/out/talk 00002.txt .srt (missing)")
        await driver.press("j")
        await driver.until_text("failed: Not a media file (look)")
        await driver.until(lambda: screen.query_one("#checked", Button).disabled)
        await driver.press("escape")
        await listed(driver, screen, 3)
        await driver.until(lambda: screen._list.cursor == 1)  # on the batch of before
        await driver.press("escape")
        await driver.until_screen("MainScreen")


async def test_search_as_you_type(store: HistoryStore) -> None:
    some(store)
    async with running(ScriptedWorkspace(), size=NARROW) as driver:
        screen = await opened(driver)
        await listed(driver, screen, 3)
        await driver.press("slash", *"INTERV")
        await listed(driver, screen, 1)
        await driver.until_text("interview-müller.m4a")
        await driver.until_text("1 file found")
        await driver.press("space", *"q")
        await listed(driver, screen, 0)
        await driver.until_text("Nothing found")
        await driver.press("escape")
        await listed(driver, screen, 3)
        await driver.until(lambda: driver.app.focused is screen._list)
        await driver.press("slash", *"english", "enter", "j")
        await listed(driver, screen, 1)
        assert current(screen).language == "en"
        await driver.press("escape")
        await listed(driver, screen, 3)
        await driver.press("enter")  # inside of one batch
        await listed(driver, screen, 1)
        await driver.press("slash", *"interview")
        await listed(driver, screen, 0)


class Opened:
    """The programs that would have been started."""

    def __init__(self, patched: pytest.MonkeyPatch) -> None:
        self.files: list[Path] = []

        async def run(_app: object, _command: Sequence[str], file: Path) -> None:
            self.files.append(file)

        patched.setattr(opening, "run_in_terminal", run)


async def test_transcripts_are_opened_and_missing_ones_told(
    store: HistoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = Opened(monkeypatch)
    text, gone = tmp_path / "talk.txt", tmp_path / "gone.txt"
    text.touch()
    files = (
        done(1, outputs=(str(tmp_path / "talk.srt"), str(text))),
        done(2, outputs=(str(gone),)),
        failed(3),
    )
    store.write(update(*files))
    async with running(ScriptedWorkspace()) as driver:
        screen = await opened(driver)
        await listed(driver, screen, 1)
        await driver.press("v", "e")
        await driver.until(lambda: any("Choose a file" in one.message for one in driver.notes))
        await driver.press("enter")
        await listed(driver, screen, 3)
        await driver.until_text("talk.srt .txt (1 missing)")
        for key in ("v", "e", "enter"):
            await driver.press(key)
        await driver.until(lambda: programs.files == [text] * 3)
        await driver.press("j", "v")
        await driver.until(
            lambda: any("The transcript is missing" in one.message for one in driver.notes)
        )
        await driver.press("j", "v")
        await driver.until(lambda: any("no transcript" in one.message for one in driver.notes))
        assert programs.files == [text] * 3


async def test_add_again(store: HistoryStore, tmp_path: Path) -> None:
    there, queued = tmp_path / "there.mp3", tmp_path / "queued.mp3"
    there.touch()
    queued.touch()
    store.write(update(done(1, str(there)), done(2, str(queued)), done(3, "/gone.mp3")))
    workspace = ScriptedWorkspace(ScriptedLink([job(7, str(queued))]))
    async with running(workspace) as driver:
        screen = await opened(driver)
        await listed(driver, screen, 1)
        await driver.press("enter")
        await listed(driver, screen, 3)
        await driver.press("a")
        await driver.until(lambda: AddPaths((str(there),)) in workspace.link.commands)
        await driver.press("j", "a")
        await driver.until(lambda: any("queue already" in one.message for one in driver.notes))
        await driver.press("j", "a")
        await driver.until(lambda: any("is missing" in one.message for one in driver.notes))
        added = [one for one in workspace.link.commands if isinstance(one, AddPaths)]
        assert added == [AddPaths((str(there),))]


async def test_a_file_is_marked_as_checked_for_good(store: HistoryStore) -> None:
    some(store)
    async with running(ScriptedWorkspace()) as driver:
        screen = await opened(driver)
        await listed(driver, screen, 3)
        await driver.press("slash", *"interview", "enter")
        await listed(driver, screen, 1)
        await driver.until_text("done · check ")
        await driver.press("c")
        await driver.until_text("done · checked")
        await driver.until_text("checked on")
        assert len(store.file_numbers(HistoryQuery(state="checked"))) == 1
        await driver.press("c")
        await driver.until_text("done · check ")
        assert len(store.file_numbers(HistoryQuery(state="checked"))) == 0


async def test_the_queue_shows_what_is_marked_as_checked(store: HistoryStore) -> None:
    """Of the batch that is shown, by path and track; not of another with the same file."""
    files = [done(n, findings=(FINDING,)) for n in (1, 2)]
    store.write(update(*files, session="20260314_150926"))
    store.write(update(*files, session="20260101_000000"))
    async with running(ScriptedWorkspace(ScriptedLink(files))) as driver:
        await driver.until_text("talk 00001")
        await driver.until(lambda: driver.text.count("check (repetition)") == 2)
        screen = await opened(driver)
        await listed(driver, screen, 2)
        for batch in (0, 1):  # the first file of both
            screen._list.move_to(batch)
            await driver.until(lambda: screen._list.entry is not None)
            ids = [store.batches([number])[0].id for number in screen._list.items]
            await driver.press("enter")
            await listed(driver, screen, 2)
            await driver.until(lambda: screen._list.of_files)
            if ids[batch] == "20260314_150926":
                await driver.press("c")
                await driver.until_text("done · checked")
            else:
                await driver.press("j", "c")
                await driver.until_text("done · checked")
            await driver.press("escape")
            await driver.until(lambda: not screen._list.of_files)
        await driver.press("escape")
        await driver.until_screen("MainScreen")
        await driver.until(lambda: driver.text.count("check (repetition)") == 1)
        await driver.until(lambda: driver.text.count("checked ") == 1)


async def test_the_folder_of_a_batch_and_of_a_file(
    store: HistoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    store.write(update(done(1, outputs=(str(tmp_path / "a.txt"),))))
    async with running(ScriptedWorkspace()) as driver:
        screen = await opened(driver)
        await listed(driver, screen, 1)
        await driver.press("o")
        await driver.until(lambda: any("/data/out" in one.message for one in driver.notes))
        await driver.press("enter")
        await listed(driver, screen, 1)
        await driver.until(lambda: screen._list.of_files)
        await driver.press("o")
        await driver.until(lambda: any("is copied" in one.message for one in driver.notes))


async def test_hostile_names_at_every_size(store: HistoryStore) -> None:
    name = path_to_text(f"/in/{''.join(HOSTILE)}.mp3")
    store.write(
        update(
            done(1, path_to_text(f"/in/{''.join(HOSTILE)}.mp3"), language="\x1b["), failed(2, name)
        )
    )
    for size in (NARROW, WIDE, (40, 12), (200, 60)):
        async with running(ScriptedWorkspace(), size=size) as driver:
            screen = await opened(driver)
            await listed(driver, screen, 1)
            await driver.press("enter")
            await listed(driver, screen, 2)
            await driver.press("j", "v", "o", "c", "a")
            await driver.until_gone("\x1b")
            await driver.until_screen("HistoryDialog")


async def test_a_damaged_history_is_told(store: HistoryStore) -> None:
    path = store.file.path
    path.write_bytes(b"no database" * 300)
    async with running(ScriptedWorkspace()) as driver:
        await driver.press("H")
        await driver.until(lambda: "is damaged" in driver.words)
        await driver.press("escape")
        await driver.until_text("The history cannot be read")
    assert path.read_bytes() == b"no database" * 300


def many(path: Path, count: int) -> None:
    """Put so many files into one batch."""
    with closing(sqlite3.connect(path)) as db, db:
        db.executemany(
            "insert into files (batch, job, path, state, at, language, model, words, outputs)"
            " values (1, ?, ?, 'done', ?, 'en', 'small', ?, '[]')",
            (
                (n, f"/in/file {n:06}.mp3", "2026-01-01T00:00:00", f"/in/file {n:06}.mp3\nsmall")
                for n in range(10, count + 10)
            ),
        )


async def test_a_hundred_thousand_files_are_read_by_the_page(
    store: HistoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(update(done(1)))
    many(store.file.path, 100_000)
    read: list[int] = []
    files = HistoryStore.files

    def counted(self: HistoryStore, numbers: Sequence[int]) -> list[FileEntry]:
        read.append(len(numbers))
        return files(self, numbers)

    monkeypatch.setattr(HistoryStore, "files", counted)
    async with running(ScriptedWorkspace()) as driver:
        screen = await opened(driver)
        await listed(driver, screen, 1)
        await driver.press("enter")
        await listed(driver, screen, 100_001)
        await driver.until_text("100,001 files")
        await driver.press("G")
        await driver.until_text("file 100009.mp3")
        await driver.until(lambda: current(screen).path == "/in/file 100009.mp3")
        await driver.press("pageup", "g")
        await driver.until_text("talk 00001.mp3")
        await driver.press("slash", *"0777")
        await driver.until_text("file 000777.mp3")
        await driver.until(lambda: 0 < len(screen._list.items) < 300)
        assert max(read) <= PAGE
        assert len(read) < 15
        assert len(screen._list._entries) < 10 * PAGE
    assert os.path.getsize(store.file.path) > 10_000_000  # noqa: PTH202
