"""Transcript and recording keep one name, whenever the recording is renamed, and when it moves."""

from pathlib import Path, PurePath

import pytest

from fwtui.core.commands import Start, WatchFolder
from fwtui.core.events import AnyEvent, JobChanged, JobsAdded
from fwtui.core.job import Completed, Processing
from fwtui.core.settings import OutputSettings
from fwtui.core.watched_folder import WatchedFolder
from fwtui.outputs.naming import with_number_of
from tests.batch.driver import SHORT, BatchDriver, settings_for

FORMATS = OutputSettings(output_format="txt")


def put(folder: Path, name: str, more: bytes = b"") -> Path:
    """A whole recording in one step; `more` makes its content another one."""
    waiting = folder.parent / f"{name}.coming"
    waiting.write_bytes(SHORT.read_bytes() + more)
    return waiting.rename(folder / name)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


@pytest.mark.parametrize("after", ["leave", "move"])
async def test_renamed_while_it_runs(after: str, tmp_path: Path) -> None:
    """The moment is that of the file's first events, so the folder's thread is told too late."""
    root, out = tmp_path / "in", tmp_path / "out"
    root.mkdir()
    moving = WatchedFolder(path=str(root), after="move" if after == "move" else "leave")
    async with BatchDriver(settings_for(out, output=FORMATS)) as batch:
        batch.send(WatchFolder(moving))
        put(root, "a.flac")
        await batch.until(JobsAdded)

        def rename(event: AnyEvent) -> None:
            state = event.job.state if isinstance(event, JobChanged) else None
            running = isinstance(state, Processing) and not state.preparing
            if running and (root / "a.flac").exists():
                (root / "a.flac").rename(root / "b.flac")

        batch.actor.subscribe(rename)
        batch.send(Start())
        home = root / "transcribed" if after == "move" else root
        await batch.until(
            JobChanged,
            lambda event: (
                isinstance(event.job.state, Completed)
                and event.job.file == home / "b.flac"
                and event.job.state.outputs == (str(out / "b.txt"),)
            ),
        )
        assert "b.flac" in names(home)
        assert names(out) == {"b.txt"}


async def test_another_recording_of_a_name_that_was_moved(tmp_path: Path) -> None:
    """Its transcript gets the number that the recording will have."""
    root, out = tmp_path / "in", tmp_path / "out"
    moved = root / "transcribed"
    moved.mkdir(parents=True)
    (moved / "REC001.flac").write_bytes(b"of another day")
    async with BatchDriver(settings_for(out, output=FORMATS)) as batch:
        batch.send(WatchFolder(WatchedFolder(path=str(root), after="move")))
        put(root, "REC001.flac")
        await batch.until(JobsAdded)
        batch.send(Start())
        await batch.until(JobChanged, lambda event: event.job.file == moved / "REC001 (2).flac")
    assert names(out) == {"REC001 (2).txt"}
    assert names(moved) == {"REC001.flac", "REC001 (2).flac"}
    assert (moved / "REC001.flac").read_bytes() == b"of another day"


@pytest.mark.parametrize(
    ("stem", "first", "name"),
    [
        ("talk", "talk", "talk.mp4"),
        ("talk (2)", "talk", "talk (2).mp4"),
        ("talk.mp4", "talk", "talk.mp4"),
        ("week/talk.en (3)", "week/talk.en", "talk (3).mp4"),
        ("2026-11-30 (2)", "2026-11-30", "talk.mp4"),  # not named after the recording
        ("other", "talk", "talk.mp4"),
    ],
)
def test_the_name_of_the_recording(stem: str, first: str, name: str) -> None:
    names_of_outputs = first, f"{first}.mp4"
    assert with_number_of(stem, names_of_outputs, PurePath("/in/talk.mp4")) == name
