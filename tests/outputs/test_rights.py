"""Rights, owners and links of outputs: what is written anew keeps those that it had."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fwtui.batch.finish import protected_formats
from fwtui.core.settings import OutputSettings
from fwtui.disk.files import is_read_only, replace_file, write_output
from fwtui.errors import StorageError
from fwtui.outputs.formats.registry import formats, write_transcript
from fwtui.report.render import write_export
from tests.outputs.cases import CASES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="rights of POSIX")

WRITERS: dict[str, Callable[[Path], object]] = {
    "transcript": lambda path: write_transcript(
        CASES["simple"], path.with_suffix(""), OutputSettings(output_format="txt")
    ),
    "export": lambda path: write_export(path, b"new"),
    "settings": lambda path: replace_file(path, b"new"),
    "report": lambda path: write_output(path, [b"n", b"ew"], owner="x"),
}


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_a_new_file_obeys_the_umask(writer: str, umask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        WRITERS[writer](tmp_path / "a.txt")
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "a.txt") == mode


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660, 0o666, 0o755, 0o602, 0o2664])
def test_writing_anew_keeps_the_mode(writer: str, mode: int, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(mode)
    WRITERS[writer](path)
    assert path.read_text() != "old"
    assert mode_of(path) == mode
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root")
@pytest.mark.parametrize("writer", WRITERS)
def test_writing_anew_keeps_owner_and_group(writer: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    os.chown(path, 1234, 4321)
    WRITERS[writer](path)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="extended attributes")
def test_writing_anew_keeps_attributes_and_access_lists(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    try:
        os.setxattr(path, "user.colour", b"red")
    except OSError:
        pytest.skip("no attributes on this file system")
    if shutil.which("setfacl"):
        subprocess.run(["setfacl", "-m", "u:1234:rw", path], check=True)
        assert "system.posix_acl_access" in os.listxattr(path)
    before = set(os.listxattr(path))
    WRITERS["transcript"](path)
    assert set(os.listxattr(path)) == before
    assert os.getxattr(path, "user.colour") == b"red"


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_a_link(writer: str, exists: bool, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "out").mkdir()
    target, link = tmp_path / "far" / "b.txt", tmp_path / "out" / "a.txt"
    if exists:
        target.write_text("old")
        target.chmod(0o604)
    link.symlink_to("../far/b.txt")
    WRITERS[writer](link)
    assert link.readlink() == Path("../far/b.txt")
    assert target.read_text() != "old"
    assert not exists or mode_of(target) == 0o604
    assert list((tmp_path / "far").iterdir()) == [target]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("mode", [0o444, 0o400, 0o555])
def test_a_read_only_file_is_not_replaced_but_said(writer: str, mode: int, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(mode)
    (tmp_path / "link.txt").symlink_to(path)
    for name in ("a.txt", "link.txt"):
        with pytest.raises(StorageError, match="read-only and was not replaced") as caught:
            WRITERS[writer](tmp_path / name)
        assert name in caught.value.title
        assert caught.value.hint
        assert not caught.value.place  # not waited for
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_may_be_read_only_for_some(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o644)
    assert not is_read_only(path)
    path.chmod(0o444)
    assert is_read_only(path)
    assert not is_read_only(tmp_path / "none")
    assert not is_read_only(tmp_path)


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_what_is_no_file_is_not_replaced(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case _:
            path.symlink_to("/dev/null")
    for writer in WRITERS.values():
        with pytest.raises(StorageError, match=r"a\.txt"):
            writer(path)
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_only_some_are_read_only(tmp_path: Path) -> None:
    output, stem = OutputSettings(), tmp_path / "a"
    for name in ("srt", "vtt"):
        (tmp_path / f"a.{name}").write_text("old")
        (tmp_path / f"a.{name}").chmod(0o444)
    assert set(protected_formats(stem, output, ())) == {"srt", "vtt"}
    assert protected_formats(stem, output, ("srt",)) == ("vtt",)
    # with nothing left to write, the file fails
    assert protected_formats(stem, OutputSettings(output_format="srt"), ()) == ()
    others = {name for name in formats(OutputSettings()) if name not in {"srt", "vtt"}}
    assert protected_formats(stem, output, others) == ()
