"""Every call of every area on a disk that fails it, with every error: each has an end in words.

On a real file system (see `faulty_disk`), so that libraries in C meet the errors, too. Whole runs
of the program are in `python -m tests.faults`.
"""

import errno
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from fwtui import demo
from fwtui.audio.decode import decode_to_wav
from fwtui.audio.media import fingerprint, probe
from fwtui.audio.signal import Pcm
from fwtui.batch.discovery import find_media
from fwtui.batch.disk_wait import failure_of, is_still_blocked, output_failure
from fwtui.core.disk_errors import DiskArea, DiskErrorKind, DiskVerdict, kind_of, verdict
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.segment import Segment, Transcript
from fwtui.core.settings import ModelSettings, OutputSettings, Settings
from fwtui.engine.classify import classify_exception
from fwtui.engine.loop import read_through
from fwtui.errors import FwtuiError
from fwtui.models.cache import locate
from fwtui.outputs.formats.registry import existing, write_transcript
from fwtui.sessions.catalog import list_sessions
from fwtui.sessions.scratch import new_scratch, sweep
from fwtui.sessions.store import SessionStore
from fwtui.watch.folder import walk
from tests.faults.faulty_disk import CALLS, FaultyDisk
from tests.optional import Optional

NAMES = "EACCES ENOTCONN ESTALE EIO EROFS ENOSPC EDQUOT EPERM EMFILE ENODEV ETIMEDOUT EHOSTDOWN"
NUMBERS = [getattr(errno, name) for name in f"{NAMES} ENAMETOOLONG".split()]
CLIP = demo.clips()[0]
TEXT = Transcript("en", (Segment(1, 0, 0.0, 1.0, "One.", (), -0.1, 1.0, 0.0),), 1.0)
NOW = datetime(2026, 1, 2, 3, 4, 5)

pytestmark = pytest.mark.skipif(not FaultyDisk.is_possible(), reason=Optional.MOUNT.reason)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyDisk]:
    folder = tmp_path_factory.mktemp("faulty")
    with FaultyDisk(folder / "backing", folder / "disk") as mounted:
        (mounted.folder / "in").mkdir()
        shutil.copy(CLIP, mounted.folder / "in" / "talk.flac")
        model = mounted.folder / "model"
        model.mkdir()
        for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.json"):
            (model / name).write_bytes(b"{}")
        yield mounted


def _output(root: Path) -> None:
    stem, settings = root / "out" / "talk", OutputSettings(output_format="txt")
    existing(stem, settings)
    write_transcript(TEXT, stem, settings, "test")


def _scratch(root: Path) -> None:
    wav = new_scratch(root / "scratch", "20260102_030405", 1)
    try:
        decode_to_wav(CLIP, wav, lambda _: None, lambda: False)
        with Pcm(wav) as pcm:
            assert pcm.read(0, 100).size == 100
    finally:
        wav.unlink(missing_ok=True)


def _state(root: Path) -> None:
    folder = root / "state" / "sessions"
    sweep(root / "scratch", folder, NOW)
    list_sessions(folder, temp=root / "no")
    store = SessionStore.create(folder, Settings(), NOW)
    try:
        store.add_temp(root / "tmp-a.wav")
        store.compact()
    finally:
        store.close()


def _input(root: Path) -> None:
    found = find_media([str(root / "in")])
    for problem in found.problems:
        raise _Told(problem.failure)
    for file in map(Path, found.files):
        probe(file)
        fingerprint(file)


def _model(root: Path) -> None:
    folder = locate(ModelSettings(model=str(root / "model")))
    read_through(folder)


def _watched(root: Path) -> None:
    def refused(_folder: str, error: OSError) -> None:
        raise error

    for _ in walk(str(root / "in"), (), refused):
        pass


class _Told(Exception):
    """A failure that was reported without an exception."""


def _failure(area: DiskArea, error: Exception, root: Path) -> Failure:
    """As the part of the program does that catches it."""
    match area, error:
        case _, _Told(args=(Failure() as failure,)):
            return failure
        case DiskArea.OUTPUT, (FwtuiError() | OSError()):
            return output_failure(error, root / "out")
        case DiskArea.STATE | DiskArea.WATCHED, (FwtuiError() | OSError()):
            return failure_of(error, root)
        case _:
            return classify_exception(error, area, str(root))


AREAS: dict[DiskArea, Callable[[Path], None]] = {
    DiskArea.OUTPUT: _output,
    DiskArea.SCRATCH: _scratch,
    DiskArea.STATE: _state,
    DiskArea.INPUT: _input,
    DiskArea.MODEL: _model,
    DiskArea.WATCHED: _watched,
}


@pytest.mark.parametrize("area", AREAS)
def test_every_call_with_every_error(area: DiskArea, disk: FaultyDisk) -> None:
    root, use, met = disk.folder, AREAS[area], set()
    for call in CALLS:
        for number in NUMBERS:
            for folder in ("out", "scratch", "state"):
                shutil.rmtree(root / folder, ignore_errors=True)
            disk.fail(call, number, "/")
            failure = None
            try:
                use(root)
            except (FwtuiError, OSError, _Told) as error:
                failure = _failure(area, error, root)
            hits = disk.work()
            if failure is not None:
                assert hits
                met.add(call)
                check(failure, area, number)
            if number == NUMBERS[0]:
                use(root)  # nothing of it lasts
    expected = {
        DiskArea.OUTPUT: {"probe", "create", "write", "fsync", "rename"},
        DiskArea.SCRATCH: {"probe", "create", "write", "open", "read", "unlink"},
        DiskArea.STATE: {"probe", "create", "open", "write", "fsync", "rename", "list"},
        DiskArea.INPUT: {"probe", "open", "read", "list"},
        DiskArea.MODEL: {"probe", "open", "read", "list"},
        DiskArea.WATCHED: {"list"},
    }[area]
    assert met >= expected, expected - met
    assert not list((root / "out").glob(".fwtui-*")) if area is DiskArea.OUTPUT else True


def check(failure: Failure, area: DiskArea, number: int) -> None:
    """In words; with a place to try again if it may pass."""
    error = OSError(number, "")
    assert failure.title
    assert failure.hint
    assert "Errno" not in failure.title
    assert "report it" not in failure.hint
    assert failure.kind is not FailureKind.INTERNAL, failure
    what = verdict(area, error)
    if area is DiskArea.INPUT and not failure.place:
        return  # a folder that cannot be listed is a failed row
    if kind_of(error) in {DiskErrorKind.NAME, DiskErrorKind.MISSING}:
        return  # may mean that there is nothing of that name
    assert bool(failure.place) is (what is DiskVerdict.WAIT and area is not DiskArea.WATCHED) or (
        area is DiskArea.WATCHED
    ), failure


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: errno.errorcode[n])
def test_the_trial_of_a_disk_makes_every_call(number: int, disk: FaultyDisk) -> None:
    """A batch that waits resumes when everything works again that it needs, not before."""
    place = str(disk.folder / "in")
    writes = Failure(FailureKind.OUTPUT, "", place=place)
    reads = Failure(FailureKind.INPUT_LOST, "", place=f"{place}/talk.flac")
    assert not is_still_blocked(writes)
    assert not is_still_blocked(reads)
    for call in CALLS:
        disk.fail(call, number)
        assert is_still_blocked(writes), call
        assert is_still_blocked(reads) is (call in {"probe", "open", "read"}), call
        disk.work()
    assert not is_still_blocked(writes)  # and a file that could not be deleted is now
    assert [path.name for path in (disk.folder / "in").iterdir()] == ["talk.flac"]
