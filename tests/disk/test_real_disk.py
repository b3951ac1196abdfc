"""No room, for real: a file-size limit at any byte, and a small disk that fills up.

Every step of a session's life is tried until it fails for want of room. Nothing has changed then;
with room again the same call works, and the session is the one that never met a limit.
"""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fwtui.core.settings import Settings
from fwtui.disk.files import write_atomic
from fwtui.errors import DiskFullError
from fwtui.sessions.store import SessionStore
from tests.optional import Optional
from tests.sessions import samples
from tests.sessions.test_crash_points import LIFE, Seen, seen

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
STRIDE = 599  # bytes; a prime, so that limits fall on all parts of a record
LARGEST = 12_000  # more than any file of that life
PAGE = 4096


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes; Python ignores the signal, so writes fail."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    store = SessionStore.create(tmp_path_factory.mktemp("whole"), Settings(), samples.NOW)
    states = [seen(store)]
    for step in LIFE:
        step(store)
        states.append(seen(store))
    store.close()
    return states


def live_with(folder: Path, size: int, expected: list[Seen]) -> int:
    """The whole life below the limit; how many steps failed at first."""
    failed = 0
    try:
        with files_up_to(size):
            store = SessionStore.create(folder, Settings(), samples.NOW)
    except DiskFullError:
        failed += 1
        assert not folder.exists() or not list(folder.glob("*.json"))
        store = SessionStore.create(folder, Settings(), samples.NOW)
    for number, step in enumerate(LIFE):
        try:
            with files_up_to(size):
                step(store)
        except DiskFullError as error:
            failed += 1
            assert error.place == str(folder)
            assert error.needed > 0
            assert seen(store) == expected[number]
            step(store)
        assert seen(store) == expected[number + 1]
    store.close()
    store = SessionStore.open(folder, store.session_id)
    assert store.problems == ()
    assert seen(store) == expected[-1]
    store.close()
    return failed


def test_a_limit_at_any_byte(tmp_path: Path, expected: list[Seen]) -> None:
    failures = [
        live_with(tmp_path / str(size), size, expected) for size in range(0, LARGEST, STRIDE)
    ]
    assert failures[0] == len(LIFE) + 1
    assert failures[-1] == 0
    assert len(set(failures)) > 5


def test_outputs_at_any_byte(tmp_path: Path) -> None:
    target, data = tmp_path / "a.txt", bytes(range(256)) * 4
    target.write_bytes(b"old")
    for size in range(0, len(data), 31):
        with files_up_to(size), pytest.raises(DiskFullError) as caught:
            write_atomic(target, iter((data[:100], data[100:])))
        assert caught.value.needed == len(data)
        assert target.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [target]
    write_atomic(target, data)
    assert target.read_bytes() == data


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason=Optional.MOUNT.reason)
def test_a_disk_with_room_for_so_many_pages(tmp_path: Path, expected: list[Seen]) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={16 * PAGE}", "tmpfs", str(disk)]
    subprocess.run(mount, check=True)
    try:
        failures = [live_on(disk, pages, expected) for pages in range(14)]
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
    assert failures[0] > 0
    assert failures[-1] == 0


def live_on(disk: Path, pages: int, expected: list[Seen]) -> int:
    """The whole life on a disk with that much room; how many steps failed at first."""
    folder = disk / str(pages)
    folder.mkdir()
    ballast = disk / "ballast"
    fill(ballast, pages)
    failed = 0
    try:
        store = SessionStore.create(folder, Settings(), samples.NOW)
    except DiskFullError:
        failed += 1
        ballast.unlink()
        store = SessionStore.create(folder, Settings(), samples.NOW)
    for number, step in enumerate(LIFE):
        try:
            step(store)
        except DiskFullError:
            failed += 1
            assert seen(store) == expected[number]
            ballast.unlink()
            step(store)
            fill(ballast, 0)
        assert seen(store) == expected[number + 1]
    store.delete()
    ballast.unlink(missing_ok=True)
    return failed


def fill(ballast: Path, pages: int) -> None:
    """Leave room for `pages` pages."""
    free = os.statvfs(ballast.parent).f_bavail
    ballast.write_bytes(bytes(max(0, free - pages) * PAGE))
