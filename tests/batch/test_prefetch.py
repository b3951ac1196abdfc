"""Paths that a child process searches in advance."""

import os
import sys
from pathlib import Path

import psutil
import pytest

from fwtui.batch.discovery import Found, find_media
from fwtui.batch.prefetch import Prefetch

ENDS = (sys.executable, "-c", "")
TALKS = (sys.executable, "-c", "print('Welcome to this machine!', flush=True); input()")
NOT_A_PROGRAM = ("/no/such/program",)
ENDS_AFTER_ONE = (
    sys.executable,
    "-c",
    "import pickle, sys; from fwtui.batch.discovery import find_media;"
    "sys.stdout.buffer.write(pickle.dumps(find_media(sys.argv[1:2])) + b'half a')",
)


@pytest.fixture
def paths(tmp_path: Path) -> tuple[str, ...]:
    folder = tmp_path / "talks"
    folder.mkdir()
    for number in range(1, 12):
        (folder / f"part {number}.mp3").touch()
    (folder / os.fsdecode(b"caf\xe9.mp3")).touch()
    return str(folder), str(tmp_path / "gone.mp3"), "https://host/talk"


def joined(portions: list[Found]) -> Found:
    """All of them as one; what is in several of them counts once."""
    roots = {
        path: root for one in portions for path, root in zip(one.files, one.roots, strict=True)
    }
    return Found(
        files=tuple(roots),
        problems=tuple({one.path: one for found in portions for one in found.problems}.values()),
        roots=tuple(roots.values()),
        links=tuple(dict.fromkeys(link for one in portions for link in one.links)),
    )


def test_the_child_finds_the_same(paths: tuple[str, ...]) -> None:
    with Prefetch(paths) as prefetch:
        assert joined(list(prefetch.find(paths))) == find_media(paths)


def test_paths_are_searched_here_the_second_time_and_so_are_others(
    paths: tuple[str, ...], tmp_path: Path
) -> None:
    with Prefetch(paths) as prefetch:
        list(prefetch.find(paths))
        (tmp_path / "talks" / "new.mp3").touch()
        assert joined(list(prefetch.find(paths))) == find_media(paths)
        assert list(prefetch.find([])) == [Found((), ())]


@pytest.mark.parametrize("command", [ENDS, ENDS_AFTER_ONE, TALKS, NOT_A_PROGRAM])
def test_without_a_child_paths_are_searched_here(
    paths: tuple[str, ...], command: tuple[str, ...]
) -> None:
    with Prefetch(paths, command) as prefetch:
        assert joined(list(prefetch.find(paths))) == find_media(paths)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of Linux")
def test_more_names_than_a_command_line_takes(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()
    paths = (str(tmp_path / "a.mp3"), "x" * 200_000)
    with Prefetch(paths) as prefetch:
        assert joined(list(prefetch.find(paths))).files == (str(tmp_path / "a.mp3"),)


def test_it_leaves_no_child_behind(paths: tuple[str, ...]) -> None:
    before = {child.pid for child in psutil.Process().children()}
    with Prefetch(paths, (sys.executable, "-c", "input()")):
        pass
    with Prefetch(paths):
        pass
    with Prefetch(()) as prefetch:
        assert {child.pid for child in psutil.Process().children()} == before
        assert list(prefetch.find(())) == [Found((), ())]
    assert {child.pid for child in psutil.Process().children()} == before
