"""From names to media files."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fwtui.batch.discovery import Found, find_in_portions, find_media
from fwtui.cli.run import find_files
from fwtui.core.failure import FailureKind


def make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_folders_are_searched_in_natural_order(tmp_path: Path) -> None:
    make(tmp_path, "part 10.mp3", "part 2.MP3", "sub/a.mkv", "notes.txt", ".hidden.mp3")
    found = find_media([str(tmp_path)])
    names = [os.path.relpath(path, tmp_path) for path in found.files]
    assert names == ["part 2.MP3", "part 10.mp3", str(Path("sub/a.mkv"))]
    assert found.problems == ()


def test_a_file_that_is_named_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    make(tmp_path, "notes.txt")
    assert find_media([str(tmp_path / "notes.txt")]).files == (str(tmp_path / "notes.txt"),)


def test_patterns_take_media_files_and_folders(tmp_path: Path) -> None:
    make(tmp_path, "a1.mp3", "a2.txt", "b.mp3", "all/c.wav")
    assert find_media([f"{tmp_path}/a*"]).files == (
        str(tmp_path / "a1.mp3"),
        str(tmp_path / "all" / "c.wav"),
    )
    assert len(find_media([f"{tmp_path}/**/*.*"]).files) == 3


def test_a_name_with_brackets_is_a_name_first(tmp_path: Path) -> None:
    make(tmp_path, "take [1].mp3")
    assert find_media([str(tmp_path / "take [1].mp3")]).files == (str(tmp_path / "take [1].mp3"),)


def test_each_file_once(tmp_path: Path) -> None:
    make(tmp_path, "a.mp3")
    assert len(find_media([str(tmp_path), str(tmp_path / "a.mp3"), f"{tmp_path}/*"]).files) == 1


def test_relative_names_and_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a.mp3")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert find_media(["a.mp3", "~/a.mp3"]).files == (str(tmp_path / "a.mp3"),)


def test_what_is_not_there_is_a_problem(tmp_path: Path) -> None:
    (problem,) = find_media([str(tmp_path / "no.mp3")]).problems
    assert problem.path == tmp_path / "no.mp3"
    assert problem.failure.kind is FailureKind.FILE_MISSING
    assert "no.mp3" in problem.failure.title


UNPRIVILEGED = """
import os, sys
from fwtui.batch.discovery import find_media
import fwtui.core.failure
if os.geteuid() == 0:
    os.seteuid(65534)
found = find_media([sys.argv[1]])
print([os.path.basename(path) for path in found.files])
print([(p.path.name, p.failure.kind.value, bool(p.failure.hint)) for p in found.problems])
print([note.rpartition("/")[2] for note in found.notes])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_folder_without_permission_is_left_out_and_the_others_are_found() -> None:
    # not below tmp_path, whose parents are for this user only
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, "media/a.mp3", "media/closed/b.mp3")
        folder.chmod(0o755)
        (folder / "media" / "closed").chmod(0)
        try:
            done = subprocess.run(
                [sys.executable, "-c", UNPRIVILEGED, str(folder / "media")],
                capture_output=True,
                text=True,
                check=True,
            )
        finally:
            (folder / "media" / "closed").chmod(0o755)
    assert done.stdout.splitlines() == [
        "['a.mp3']",
        "[]",
        "['closed was left out: Permission denied']",
    ]


def test_bit_by_bit_is_the_same_in_portions(tmp_path: Path) -> None:
    make(tmp_path, "in/b/1.mp3", "in/b/2.mp3", "in/3.mp3")
    names = [str(tmp_path / "in"), str(tmp_path / "no.mp3"), f"{tmp_path}/in/b/*", "https://a/b"]
    whole = find_media(names)
    portions = list(find_in_portions(names, 0))
    assert len(whole.files) == 3
    assert len(whole.problems) == len(whole.links) == 1
    assert len(portions) > 4
    assert tuple(path for one in portions for path in one.files) == whole.files
    assert tuple(path for one in portions for path in one.problems) == whole.problems
    assert tuple(link for one in portions for link in one.links) == whole.links
    assert tuple(root for one in portions for root in one.roots) == whole.roots
    assert list(find_in_portions([])) == [Found((), ())]


def test_a_home_of_nobody_is_a_name_like_any_other() -> None:
    (problem,) = find_media(["~no-such-user/x.mp3"]).problems
    assert problem.failure.kind is FailureKind.FILE_MISSING
    assert problem.path.name == "x.mp3"


def test_a_file_knows_the_folder_that_was_named(tmp_path: Path) -> None:
    for name in ("in/a/1.mp3", "in/2.mp3", "own/3.mp3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    folder, own = tmp_path / "in", tmp_path / "own/3.mp3"
    found = find_media([str(folder), str(own)])
    roots = dict(zip(found.files, found.roots, strict=True))
    below = (str(folder / "a/1.mp3"), str(folder / "2.mp3"))
    assert roots == dict.fromkeys(below, str(folder)) | {str(own): ""}
    pattern = find_media([f"{tmp_path}/i*/**/*.mp3"])
    assert set(pattern.roots) == {str(tmp_path)}
    assert find_files((str(folder), str(own))).roots == (str(folder),)
