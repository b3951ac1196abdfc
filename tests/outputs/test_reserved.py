"""Names that another running session writes to, whatever its layout."""

from datetime import datetime
from pathlib import Path

import pytest

from fwtui.core.events import JobChanged, JobsAdded
from fwtui.core.job import Job, Pending
from fwtui.core.settings import OutputSettings, Settings
from fwtui.outputs.reserved import names_of_other_sessions
from fwtui.sessions.store import SessionStore

NOW = datetime(2025, 12, 14, 12, 34, 56)


@pytest.mark.parametrize(
    ("stem", "their_folder", "our_folder", "taken"),
    [
        ("Talk", "out", "out", "talk"),
        ("day/Talk", "out", "out", "day/talk"),
        ("day/Talk", "out", "out/day", "talk"),  # their tree, our flat folder
        ("Talk", "out/day", "out", "day/talk"),
        ("{base}/in/Talk", "out", "in", "talk"),  # theirs beside the recordings
        ("Talk", "in", "elsewhere", "{base}/in/talk"),  # ours beside the recordings
    ],
)
def test_the_same_file_is_the_same_however_it_is_called(
    tmp_path: Path, stem: str, their_folder: str, our_folder: str, taken: str
) -> None:
    base, sessions = str(tmp_path), tmp_path / "sessions"
    output = OutputSettings(output_dir=f"{base}/{their_folder}")
    store = SessionStore.create(sessions, Settings(output=output), NOW)
    store.commit(JobsAdded((Job(1, "/x.mp3", stem.format(base=base)),)))
    found = names_of_other_sessions(sessions, "", f"{base}/{our_folder}")
    assert found[taken.format(base=base.casefold())] == store.session_id
    assert not names_of_other_sessions(sessions, store.session_id, f"{base}/{our_folder}")
    store.close()
    assert not names_of_other_sessions(sessions, "", f"{base}/{our_folder}")


def test_what_a_job_knows_of_its_outputs_is_kept(tmp_path: Path) -> None:
    jobs = (
        Job(1, "/in/a/1.mp3", "a/1", root="/in"),
        Job(2, "/2.mp3", "two", kept_formats=()),
        Job(3, "/3.mp3", kept_formats=("srt", "txt")),
    )
    store = SessionStore.create(tmp_path, Settings(), NOW)
    store.commit(JobsAdded(tuple(jobs)))
    store.close()
    again = SessionStore.open(tmp_path, store.session_id)
    assert again.session.jobs == jobs
    again.close()


def test_names_of_outputs_are_written_in_full(tmp_path: Path) -> None:
    """So a session means the same to a program that makes other names of files."""
    store = SessionStore.create(tmp_path, Settings(), NOW)
    store.commit(JobsAdded((Job(1, "/in/talk.mp3"), Job(2, "/in/b.mp3"))))
    store.commit(JobChanged(Job(2, "/in/b.mp3", state=Pending(3.0))))
    journal = (tmp_path / f"{store.session_id}.journal").read_text()
    assert (journal.count('"stem":"talk"'), journal.count('"stem":"b"')) == (1, 2)
    assert [job.custom_stem for job in store.session.jobs] == ["", ""]
    store.compact()
    store.close()
    snapshot = (tmp_path / f"{store.session_id}.json").read_text()
    assert (snapshot.count('"stem":"talk"'), snapshot.count('"stem":"b"')) == (1, 1)
    again = SessionStore.open(tmp_path, store.session_id)
    assert [job.custom_stem for job in again.session.jobs] == ["", ""]
    again.close()
