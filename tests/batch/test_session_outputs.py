"""Stored sessions: the words in them, and deleting them with what they wrote."""

from datetime import datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui.batch.session_outputs import outputs_of
from fwtui.batch.workspace import Workspace
from fwtui.config.locations import Locations
from fwtui.core.events import JobsAdded
from fwtui.core.job import Job
from fwtui.core.settings import OutputSettings, Settings
from fwtui.errors import SessionInUseError
from fwtui.sessions.store import SessionStore
from tests.sessions.samples import completed, failed, plan, running, window

NOW = datetime(2025, 12, 14, 10, 15, 30)


def make_session(out: Path) -> SessionStore:
    """One completed file with outputs, one unfinished with two windows, one failed."""
    store = SessionStore.create(
        Locations.default().sessions, Settings(output=OutputSettings(output_dir=str(out))), NOW
    )
    out.mkdir()
    recording = out / "talk.json"  # a recording may be called anything
    outputs = tuple(str(out / name) for name in ("talk.srt", "precious.txt", "talk.json", "gone"))
    for name in ("talk.srt", "precious.txt", "talk.json"):
        (out / name).write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n\n")
    state = replace(completed(), outputs=outputs)
    store.commit(
        JobsAdded(
            (
                Job(1, "/media/talk.mp3", "talk", state),
                Job(2, "/media/b.mp3", "b", running()),
                Job(3, str(recording), "c", failed()),
            )
        )
    )
    store.begin_file(2, plan())
    store.add_window(2, window(1))
    store.add_window(2, window(2))
    return store


async def test_words_of_finished_and_unfinished_files(tmp_path: Path) -> None:
    make_session(tmp_path / "out").close()
    workspace = Workspace(Locations.default())
    (stored,) = (await workspace.all_sessions()).sessions
    done, begun, bad = stored.session.jobs
    found = await workspace.transcript(stored, done)
    assert [segment.text for segment in found.segments] == [" hello"]
    assert found.source == str(tmp_path / "out" / "talk.srt")
    assert found.language == "en"
    found = await workspace.transcript(stored, begun)
    assert found.segments == (*window(1).segments, *window(2).segments)
    assert (found.source, found.language) == ("", "en")
    assert not (await workspace.transcript(stored, bad)).segments
    runner = await workspace.resume(stored, Settings())
    assert (await runner.transcript(1)).segments[0].text == " hello"
    assert (await runner.transcript(2)).segments == (*window(1).segments, *window(2).segments)
    (tmp_path / "out" / "talk.srt").unlink()
    gone = await runner.transcript(1)
    assert (gone.segments, gone.source) == ((), "")
    runner.state.store.close()


async def test_delete_takes_the_transcripts_and_nothing_else(tmp_path: Path) -> None:
    store = make_session(tmp_path / "out")
    workspace = Workspace(Locations.default())
    (stored,) = (await workspace.all_sessions()).sessions
    assert stored.in_use is not None
    assert outputs_of(stored.session).files == (tmp_path / "out" / "talk.srt",)
    with pytest.raises(SessionInUseError):
        await workspace.delete(stored)
    assert (tmp_path / "out" / "talk.srt").exists()
    store.close()
    gone = await workspace.delete(stored)
    assert tmp_path / "out" / "talk.srt" in gone.files
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "precious.txt",
        "talk.json",
    ]
    assert not (await workspace.all_sessions()).sessions
