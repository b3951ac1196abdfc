"""Die at every single call to the disk, reopen, and look whether anything is lost or invented."""

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from fwtui.core.events import (
    JobChanged,
    JobsAdded,
    JobsRemoved,
    JobsReordered,
    SegmentsReset,
    SettingsChanged,
)
from fwtui.core.job import Job, Pending
from fwtui.core.segment import Segment
from fwtui.core.session import Session
from fwtui.core.settings import DecodingSettings, Settings
from fwtui.disk.files import FileSystem
from fwtui.errors import DiskFullError, StorageError
from fwtui.sessions.catalog import adopt, discard, list_sessions
from fwtui.sessions.store import SessionStore
from tests.disk.dying import Died, DyingFiles, PowerFiles
from tests.sessions import samples

replace = msgspec.structs.replace
Step = Callable[[SessionStore], object]

# The life of a session after its creation; every step is one call that must be all or nothing.
LIFE: tuple[Step, ...] = (
    lambda store: store.commit(JobsAdded((samples.job(1), samples.job(2), samples.job(3)))),
    lambda store: store.commit(JobChanged(replace(samples.job(1), state=samples.running()))),
    lambda store: store.begin_file(1, samples.plan("a")),
    lambda store: store.add_window(1, samples.window(1)),
    lambda store: store.add_window(1, samples.window(2)),
    lambda store: store.commit(JobChanged(replace(samples.job(1), state=samples.completed()))),
    lambda store: store.begin_file(2, samples.plan("b")),
    lambda store: store.add_window(2, samples.window(1, segments=2)),
    lambda store: store.compact(),
    lambda store: store.add_window(2, samples.window(2)),
    lambda store: store.commit(SettingsChanged(Settings(decoding=DecodingSettings(beam_size=3)))),
    lambda store: store.begin_file(3, samples.plan("c")),
    lambda store: store.add_window(3, samples.window(1)),
    lambda store: store.commit(JobsReordered((3, 1, 2))),
    lambda store: store.commit(JobsRemoved((3,))),
    lambda store: store.commit(JobsAdded((samples.job(3, "another"),))),
    lambda store: store.compact(),
    lambda store: store.commit(JobChanged(replace(samples.job(1), state=samples.failed()))),
    lambda store: store.commit(SegmentsReset(2)),
    lambda store: store.compact(),
)


class Seen(msgspec.Struct, frozen=True):
    """What must be the same after a reopening."""

    jobs: tuple[Job, ...]
    settings: Settings
    segments: dict[int, tuple[Segment, ...]]
    plans: dict[int, str]


def seen(store: SessionStore) -> Seen:
    """A session as a reopening would show it."""
    session: Session = store.session
    unfinished = session.resumable
    jobs = tuple(
        replace(job, state=Pending(unfinished[job.id].seconds if job.id in unfinished else 0.0))
        if job in session.pending
        else job
        for job in session.jobs
    )
    return Seen(
        jobs,
        session.settings,
        {number: store.segments(number) for number in unfinished},
        {number: resume.plan.fingerprint for number, resume in unfinished.items()},
    )


class Life:
    """A session that lives through LIFE until it dies; `states` is what it went through."""

    def __init__(self, folder: Path, files: FileSystem) -> None:
        self.folder = folder
        self.files = files
        self.acknowledged = -1
        self.session_id = ""

    def live(self, on_state: Callable[[Seen], None] = lambda _: None) -> None:
        store = SessionStore.create(self.folder, Settings(), samples.NOW, files=self.files)
        self.session_id = store.session_id
        self.acknowledged = 0
        on_state(seen(store))
        for step in LIFE:
            step(store)
            self.acknowledged += 1
            on_state(seen(store))
        store.close()


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """What an undisturbed session shows after its creation and after each step."""
    found: list[Seen] = []
    Life(tmp_path_factory.mktemp("states"), FileSystem()).live(found.append)
    return found


def all_calls(tmp_path: Path) -> int:
    files = DyingFiles()
    Life(tmp_path / "count", files).live()
    return files.calls


def deaths(tmp_path: Path) -> Iterator[Life]:
    """One session for every call, which died in it."""
    for last in range(all_calls(tmp_path)):
        files = DyingFiles(last)
        life = Life(tmp_path / f"at{last}", files)
        with pytest.raises(Died):
            life.live()
        files.bury()
        yield life


def test_nothing_is_lost_or_invented_wherever_it_dies(tmp_path: Path, states: list[Seen]) -> None:
    count = 0
    for life in deaths(tmp_path):
        count += 1
        if life.acknowledged < 0:
            assert list_sessions(life.folder, temp=tmp_path).problems == ()
            continue
        store = SessionStore.open(life.folder, life.session_id, files=DyingFiles())
        assert store.problems == ()
        after = min(life.acknowledged + 1, len(states) - 1)
        assert seen(store) in (states[life.acknowledged], states[after])
        # What it can be told now is kept as well.
        store.commit(JobsAdded((samples.job(50),)))
        store.close()
        store = SessionStore.open(life.folder, life.session_id, files=DyingFiles())
        assert store.problems == ()
        assert store.view.jobs[50] == samples.job(50)
        store.close()
    assert count > 80


@pytest.mark.skipif(sys.platform != "linux", reason="reads files through /proc")
@pytest.mark.parametrize("late", [False, True])
def test_power_cuts(tmp_path: Path, states: list[Seen], late: bool) -> None:
    """Whatever was not synced is gone: what was acknowledged is there all the same.

    `late`: of the renames that were not synced only the last one happened.
    """
    for last in range(all_calls(tmp_path)):
        files = PowerFiles(last)
        life = Life(tmp_path / f"at{last}", files)
        with pytest.raises(Died):
            life.live()
        files.bury()
        if life.acknowledged < 0:
            continue
        files.cut_power(life.folder, late=late)
        store = SessionStore.open(life.folder, life.session_id, files=DyingFiles())
        assert store.problems == ()
        after = min(life.acknowledged + 1, len(states) - 1)
        assert seen(store) in (states[life.acknowledged], states[after])
        store.close()


def test_dying_again_while_opening(tmp_path: Path, states: list[Seen]) -> None:
    """Some deaths, each followed by a death at every call of the next opening."""
    for number, life in enumerate(deaths(tmp_path)):
        if number % 40 or life.acknowledged < 0:
            continue
        after = min(life.acknowledged + 1, len(states) - 1)
        for last in range(40):
            again = tmp_path / "again"
            shutil.copytree(life.folder, again)
            files = DyingFiles(last)
            died = True
            try:
                SessionStore.open(again, life.session_id, files=files)
                died = False
            except Died:
                pass
            files.bury()
            store = SessionStore.open(again, life.session_id, files=DyingFiles())
            assert store.problems == ()
            assert seen(store) in (states[life.acknowledged], states[after])
            store.close()
            shutil.rmtree(again)
            if not died:
                break
        else:
            pytest.fail("opening makes more calls than expected")


class FailingFiles(FileSystem):
    """A disk on which call number `bad` fails for want of room, and then `more` calls."""

    def __init__(self, bad: int, more: int, code: int) -> None:
        self.counter = DyingFiles(None)
        self.bad = bad
        self.more = more
        self.code = code
        self.calls = 0
        self.failed = False

    def step(self) -> None:
        self.calls += 1
        if self.bad < self.calls <= self.bad + 1 + self.more:
            self.failed = True
            raise OSError(self.code, os.strerror(self.code))

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        try:
            self.step()
        except OSError:
            super().write(descriptor, data[: len(data) // 2])
            raise
        return super().write(descriptor, data)

    def truncate(self, descriptor: int, length: int) -> None:
        self.step()
        super().truncate(descriptor, length)

    def fsync(self, descriptor: int) -> None:
        self.step()

    def replace(self, source: Path, target: Path) -> None:
        self.step()
        super().replace(source, target)

    def sync_folder(self, path: Path) -> None:
        self.step()


@pytest.mark.parametrize(("more", "code"), [(0, errno.ENOSPC), (2, errno.EIO)])
def test_a_failed_call_can_be_repeated(
    tmp_path: Path, states: list[Seen], more: int, code: int
) -> None:
    """A step that fails changes nothing; tried until it works, all is as if nothing had been."""
    for bad in range(200):
        files = FailingFiles(10_000, more, code)
        store = SessionStore.create(tmp_path / str(bad), Settings(), samples.NOW, files=files)
        files.bad = files.calls + bad
        for number, step in enumerate(LIFE):
            for _ in range(more + 2):
                try:
                    step(store)
                    break
                except StorageError as error:
                    assert isinstance(error, DiskFullError) == (code == errno.ENOSPC)
                    assert seen(store) == states[number]
            else:
                pytest.fail("never works again")
        store.close()
        reopened = SessionStore.open(store.directory, store.session_id, files=DyingFiles())
        assert reopened.problems == ()
        assert seen(reopened) == states[-1]
        names = {path.name for path in store.directory.iterdir()}
        assert names == {f"{store.session_id}.{kind}" for kind in ("json", "journal", "lock")}
        reopened.close()
        if not files.failed:
            break
    else:
        pytest.fail("there are more calls than expected")


def test_going_on_after_a_failed_compaction(tmp_path: Path) -> None:
    """Whatever call of it fails: what is told to the session afterwards is kept."""
    for bad in range(40):
        files = FailingFiles(10_000, 0, errno.EIO)
        store = SessionStore.create(tmp_path / str(bad), Settings(), samples.NOW, files=files)
        for step in LIFE[:5]:
            step(store)
        files.bad = files.calls + bad
        try:
            store.compact()
        except StorageError:
            assert files.failed
        files.bad = 10_000
        assert len(store.segments(1)) == 2
        store.commit(JobsAdded((samples.job(9),)))
        store.add_window(1, samples.window(3))
        expected = seen(store)
        store.close()
        store = SessionStore.open(store.directory, store.session_id, files=DyingFiles())
        assert seen(store) == expected
        store.close()
        if not files.failed:
            return
    pytest.fail("there are more calls than expected")


def test_dying_while_deleting_or_adopting(tmp_path: Path) -> None:
    """A session is there or it is gone; a foreign one is never offered twice or lost."""
    foreign = tmp_path / "temp" / "faster_whisper_sessions"
    sample = Path(__file__).parents[1] / "data" / "sessions" / "20251214_123456.json"
    for last in range(60):
        folder = tmp_path / str(last)
        shutil.rmtree(foreign, ignore_errors=True)
        foreign.mkdir(parents=True)
        shutil.copy(sample, foreign)
        (stored,) = list_sessions(folder, temp=tmp_path / "temp").sessions
        files = DyingFiles(last)
        died = discarding = False
        try:
            store = adopt(stored, folder, files=files)
            store.close()
            discarding = True
            discard(folder, store.session_id, files=files)
        except Died:
            died = True
        files.bury()
        found = list_sessions(folder, temp=tmp_path / "temp")
        assert found.problems == ()
        assert len(found.sessions) <= 1
        assert discarding or len(found.sessions) == 1
        if not died:
            assert found.sessions == ()
            return
    pytest.fail("more calls than expected")
