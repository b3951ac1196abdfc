"""Every byte range of a session's files, flipped, zeroed and cut, in each stage of its life."""

import shutil
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path

import pytest

from fwtui.core.events import JobChanged, JobsAdded
from fwtui.core.job import Job, JobId
from fwtui.core.segment import Segment
from fwtui.core.settings import DecodingSettings, Settings
from fwtui.errors import StorageError
from fwtui.sessions.catalog import adopt, list_sessions, remove_empty, stored_segments
from fwtui.sessions.load import read_snapshot
from fwtui.sessions.scratch import sweep
from fwtui.sessions.session_files import QUARANTINE, SessionFiles
from fwtui.sessions.store import SessionStore
from tests.disk.dying import DyingFiles
from tests.sessions import samples

SETTINGS = Settings(decoding=DecodingSettings(beam_size=3))
Damage = Callable[[bytes, int, int], bytes]


def flip(data: bytes, start: int, end: int) -> bytes:
    """One bit in the middle of the range."""
    middle = (start + end) // 2
    return data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :]


def zero(data: bytes, start: int, end: int) -> bytes:
    return data[:start] + bytes(end - start) + data[end:]


def cut_out(data: bytes, start: int, end: int) -> bytes:
    return data[:start] + data[end:]


def cut_off(data: bytes, start: int, end: int) -> bytes:
    del end
    return data[:start]


DAMAGES = (flip, zero, cut_out, cut_off)


def first_life(folder: Path) -> None:
    """Killed in its second file, after the session file was written at the end of the adding."""
    files = DyingFiles()
    store = SessionStore.create(folder, SETTINGS, samples.NOW, files=files)
    store.commit(JobsAdded(tuple([samples.job(number) for number in range(1, 6)])))
    store.save_snapshot()
    begin(store)
    files.bury()


def at_rest(folder: Path) -> None:
    """Saved and closed."""
    store = SessionStore.create(folder, SETTINGS, samples.NOW)
    store.commit(JobsAdded(tuple([samples.job(number) for number in range(1, 6)])))
    begin(store)
    store.close()


def resumed(folder: Path) -> None:
    """Opened again, and killed after one more window."""
    at_rest(folder)
    files = DyingFiles()
    store = SessionStore.open(folder, f"{samples.NOW:%Y%m%d_%H%M%S}", files=files)
    store.add_window(2, samples.window(3))
    files.bury()


def begin(store: SessionStore) -> None:
    store.begin_file(1, samples.plan("a"))
    store.add_window(1, samples.window(1))
    store.commit(JobChanged(with_state(1, samples.completed())))
    store.commit(JobChanged(with_state(3, samples.failed())))
    store.commit(JobChanged(with_state(2, samples.running())))
    store.begin_file(2, samples.plan("b"))
    store.add_window(2, samples.window(1))
    store.add_window(2, samples.window(2))


def with_state(number: int, state: object) -> Job:
    return Job(number, samples.job(number).path, state=state)  # type: ignore[arg-type]


LIVES = (first_life, at_rest, resumed)


class Case:
    """A session of one life, and what is read of it while it is intact."""

    def __init__(self, root: Path, life: Callable[[Path], None]) -> None:
        self.folder = root / "whole"
        life(self.folder)
        (self.name,) = {path.stem for path in self.folder.glob("*.json")}
        self.files = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        (stored,) = list_sessions(self.folder, temp=root).sessions
        assert stored.problems == ()
        self.jobs = {job.id: job for job in stored.session.jobs}
        self.settings = stored.session.settings
        # Those of a file that is done are shown again if its end is what was damaged.
        self.segments = self.read_segments(self.folder) | {1: (samples.segment(1),)}
        assert len(self.jobs) == 5
        assert len(self.segments[2]) >= 2

    def read_segments(self, folder: Path) -> dict[JobId, tuple[Segment, ...]]:
        return {number: stored_segments(folder, self.name, number) for number in self.jobs}

    def damaged(self, folder: Path, file: str, data: bytes) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, whole in self.files.items():
            (folder / name).write_bytes(data if name == file else whole)


@pytest.fixture(scope="module", params=LIVES, ids=lambda life: life.__name__)
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return Case(tmp_path_factory.mktemp("case"), request.param)


def ranges(data: bytes) -> Iterator[tuple[int, int]]:
    """All of it, the first lines closely, the rest in strides, and whole lines."""
    length = len(data)
    yield 0, length
    yield from ((start, start + 1) for start in range(0, 60, 9))
    stride = length // 11
    yield from ((start, min(start + stride, length)) for start in range(0, length, stride))
    lines = data.splitlines(keepends=True)
    ends = list(accumulate(map(len, lines)))
    yield from [(end - len(line), end) for line, end in zip(lines, ends, strict=True)][-12:]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ["json", "journal"])
def test_nothing_is_deleted_invented_or_lost_without_a_word(
    case: Case, kind: str, damage: Damage, tmp_path: Path
) -> None:
    file = f"{case.name}.{kind}"
    folder = tmp_path / "damaged"
    for start, end in ranges(case.files[file]):
        data = damage(case.files[file], start, end)
        # Whole lines missing from what the session file does not know yet cannot be noticed.
        unnoticed = damage is cut_out and is_cut_off_write(case, data)
        if data != case.files[file] and not (unnoticed and kind == "journal"):
            case.damaged(folder, file, data)
            try:
                check(case, folder, file, data)
            except AssertionError as error:
                raise AssertionError(f"{damage.__name__} {start}:{end}") from error


def check(case: Case, folder: Path, file: str, data: bytes) -> None:
    sweep(folder, folder, samples.NOW)
    remove_empty(folder, files=DyingFiles())
    listed = list_sessions(folder, temp=folder, files=DyingFiles())
    kept = {path.read_bytes() for path in (folder, folder / QUARANTINE) for path in files_in(path)}
    assert data in kept  # where it was, or in the quarantine
    if not listed.sessions:
        assert file.endswith(".json")  # a damaged journal alone never costs a session
        assert QUARANTINE in listed.problems[0]
        return
    (stored,) = listed.sessions
    jobs = {job.id: job for job in stored.session.jobs}
    lost = jobs != case.jobs or stored.session.settings != case.settings
    if file.endswith(".journal"):
        assert {job.path for job in jobs.values()} == {job.path for job in case.jobs.values()}
        assert stored.session.settings == case.settings
    segments = case.read_segments(folder)
    for number, found in segments.items():
        assert found == case.segments[number][: len(found)]  # a beginning, without a gap
    is_tail = file.endswith(".journal") and is_cut_off_write(case, data)
    less = any(segments[number] != case.segments[number] for number in (2, 3, 4, 5))
    assert listed.problems or is_tail or not (lost or less)
    store = adopt(stored, folder, files=DyingFiles())
    assert {job.id: job for job in store.session.jobs} == jobs
    assert all(store.segments(n) == found for n, found in segments.items() if not is_done(jobs, n))
    store.close()
    assert list_sessions(folder, temp=folder).problems == ()


def is_done(jobs: dict[JobId, Job], number: JobId) -> bool:
    return number not in jobs or jobs[number].state == samples.completed()


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()] if folder.exists() else []


def is_cut_off_write(case: Case, data: bytes) -> bool:
    """Whether the damage is where the session file says nothing of: a write that was cut off."""
    synced = read_snapshot(SessionFiles(case.folder, case.name)).journal_end
    return data[:synced] == case.files[f"{case.name}.journal"][:synced]


def test_the_session_file_alone_has_all_files_and_their_states(case: Case, tmp_path: Path) -> None:
    (tmp_path / f"{case.name}.json").write_bytes(case.files[f"{case.name}.json"])
    listed = list_sessions(tmp_path, temp=tmp_path)
    (stored,) = listed.sessions
    assert [job.path for job in stored.session.jobs] == [job.path for job in case.jobs.values()]
    assert stored.session.settings == case.settings
    store = adopt(stored, tmp_path)
    store.begin_file(2, samples.plan("b"))
    store.close()


def test_the_journal_of_another_session_is_not_used(case: Case, tmp_path: Path) -> None:
    other = SessionStore.create(tmp_path / "other", Settings(), samples.LATER)
    other.commit(JobsAdded((samples.job(2, "theirs"),)))
    other.begin_file(2, samples.plan("x"))
    other.add_window(2, samples.window(7))
    other.close()
    folder = tmp_path / "mixed"
    stranger = (tmp_path / "other" / f"{other.session_id}.journal").read_bytes()
    case.damaged(folder, f"{case.name}.journal", stranger)
    (stored,) = list_sessions(folder, temp=folder).sessions
    assert "another session" in stored.problems[0]
    assert [job.path for job in stored.session.jobs] == [job.path for job in case.jobs.values()]
    store = adopt(stored, folder)
    assert store.segments(2) == ()
    assert any(path.read_bytes() == stranger for path in files_in(folder / QUARANTINE))
    store.close()


def test_an_older_session_file_beside_a_newer_journal(case: Case, tmp_path: Path) -> None:
    """A backup was put back: it is said, and no file that the journal names is missing."""
    folder = tmp_path / "folder"
    shutil.copytree(case.folder, folder)
    old = (folder / f"{case.name}.json").read_bytes()
    files = DyingFiles()
    store = SessionStore.open(folder, case.name, files=files)
    store.commit(JobsAdded((samples.job(9, "new"),)))
    store.save_snapshot()
    store.commit(JobChanged(running_job(9)))
    files.bury()
    (folder / f"{case.name}.json").write_bytes(old)
    (stored,) = list_sessions(folder, temp=folder).sessions
    assert stored.problems
    assert len(stored.session.jobs) == 6


def running_job(number: int) -> Job:
    return Job(number, samples.job(number, "new").path, state=samples.running())


@pytest.mark.parametrize("levels", [90, 500, 100_000])
def test_nested_values_are_kept_or_refused(levels: int, tmp_path: Path) -> None:
    at_rest(tmp_path)
    (path,) = tmp_path.glob("*.json")
    nested = b"[" * levels + b"]" * levels
    path.write_bytes(path.read_bytes().replace(b"{", b'{"strange":' + nested + b",", 1))
    listed = list_sessions(tmp_path, temp=tmp_path)
    assert listed.problems
    for stored in listed.sessions:
        try:
            adopt(stored, tmp_path).close()
        except StorageError:
            continue
    assert list_sessions(tmp_path, temp=tmp_path).problems == ()


def test_an_endless_line_is_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not read as a whole: somebody else wrote it."""
    monkeypatch.setattr("fwtui.sessions.journal.LONGEST_LINE", 1 << 16)
    at_rest(tmp_path)
    (path,) = tmp_path.glob("*.journal")
    with path.open("ab") as file:
        file.write(b"[" * (1 << 18) + b"\n")
    (stored,) = list_sessions(tmp_path, temp=tmp_path).sessions
    assert "damaged" in stored.problems[0]
    assert len(stored.session.jobs) == 5
    adopt(stored, tmp_path).close()
    assert len(list((tmp_path / QUARANTINE).iterdir())) == 1
