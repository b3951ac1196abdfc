"""Somebody deletes the files of a session that is in use."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui.core.events import JobChanged, JobsAdded
from fwtui.core.settings import Settings
from fwtui.errors import SessionInUseError, StorageError
from fwtui.sessions.store import SessionStore
from tests.sessions import samples


def _whole_state(store: SessionStore) -> None:
    shutil.rmtree(store.directory.parent)


def _sessions(store: SessionStore) -> None:
    shutil.rmtree(store.directory)


def _journal(store: SessionStore) -> None:
    (store.directory / f"{store.session_id}.journal").unlink()


def _snapshot(store: SessionStore) -> None:
    (store.directory / f"{store.session_id}.json").unlink()


def _replaced(store: SessionStore) -> None:
    """A backup is restored."""
    path = store.directory / f"{store.session_id}.journal"
    copy = path.with_suffix(".copy")
    shutil.copy(path, copy)
    copy.replace(path)


HARM: tuple[Callable[[SessionStore], None], ...] = (
    _whole_state,
    _sessions,
    _journal,
    _snapshot,
    _replaced,
)


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    made = SessionStore.create(tmp_path / "state" / "sessions", Settings(), samples.NOW)
    made.commit(JobsAdded(tuple(samples.job(number) for number in (1, 2, 3))))
    made.begin_file(1, samples.plan())
    made.add_window(1, samples.window(1))
    return made


@pytest.mark.skipif(os.name != "posix", reason="open files cannot be deleted on Windows")
@pytest.mark.parametrize("harm", HARM)
def test_they_are_written_again_with_all_that_was_in_them(
    harm: Callable[[SessionStore], None], store: SessionStore
) -> None:
    before = store.session
    harm(store)
    store.look_after_files()
    (notice,) = store.take_notices()
    assert store.session_id in notice
    assert store.take_notices() == ()
    store.look_after_files()
    assert store.take_notices() == ()
    with pytest.raises(SessionInUseError):  # the lock is one that others meet
        SessionStore.open(store.directory, store.session_id)
    store.add_window(1, samples.window(2))
    _killed(store)
    found = SessionStore.open(store.directory, store.session_id)
    assert found.session.jobs[1:] == before.jobs[1:]
    assert len(found.segments(1)) == 2 * len(samples.window(1).segments)
    found.close()


@pytest.mark.skipif(os.name != "posix", reason="open files cannot be deleted on Windows")
@pytest.mark.parametrize("harm", HARM)
def test_the_next_change_notices_it(
    harm: Callable[[SessionStore], None], store: SessionStore
) -> None:
    harm(store)
    store.commit(JobChanged(replace(samples.job(3), state=samples.failed())))
    assert len(store.take_notices()) == 1
    _killed(store)
    found = SessionStore.open(store.directory, store.session_id)
    assert found.session.jobs[2].state == samples.failed()
    assert len(found.segments(1)) == len(samples.window(1).segments)
    found.close()


@pytest.mark.skipif(os.name != "posix", reason="open files cannot be deleted on Windows")
def test_a_drive_that_is_gone_is_not_made_anew(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the place where it was mounted there is another disk."""
    _whole_state(store)
    journal = store._open_journal()
    monkeypatch.setattr(journal, "is_on_device_of", lambda _: False)
    store.look_after_files()
    assert store.take_notices() == ()
    assert not store.directory.exists()


@pytest.mark.skipif(os.name != "posix", reason="open files cannot be deleted on Windows")
def test_a_place_where_nothing_can_be_written_is_an_error(store: SessionStore) -> None:
    _whole_state(store)
    store.directory.parent.write_text("a file where the folder was")
    with pytest.raises(StorageError):
        store.look_after_files()
    store.directory.parent.unlink()
    store.look_after_files()
    assert len(store.take_notices()) == 1
    store.close()


def _killed(store: SessionStore) -> None:
    """End without saving, as a killed process does."""
    store._close_journal()
    store._lock.release()
