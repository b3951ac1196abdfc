"""The libraries of `pip install 'fwtui[cuda]'` are found by the child's loader."""

import ctypes.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fwtui.engine.client import environment, wheel_folders

linux = pytest.mark.skipif(sys.platform != "linux", reason="the loader of Linux is asked")


def test_what_is_there_comes_first_and_nothing_changes_without_wheels() -> None:
    base = {"LD_LIBRARY_PATH": "/theirs", "A": "b"}
    assert environment(base, []) == base
    assert environment({}, []) == {}
    found = environment(base, [Path("/one"), Path("/two")])
    if sys.platform != "win32":
        assert found == {"LD_LIBRARY_PATH": os.pathsep.join(["/one", "/two", "/theirs"]), "A": "b"}


@linux
def test_a_library_in_a_wheel_is_loaded_by_its_name(tmp_path: Path) -> None:
    """A real library under another name stands for libcublas.so.12."""
    folder = tmp_path / "nvidia" / "cublas" / "lib"
    folder.mkdir(parents=True)
    (tmp_path / "nvidia" / "cudnn").mkdir()
    libz = next(Path("/usr/lib").glob("*/libz.so.1"), None) or ctypes.util.find_library("z")
    assert libz is not None
    (folder / "libfwtui-test.so.1").symlink_to(libz)
    load = [sys.executable, "-c", "import ctypes; ctypes.CDLL('libfwtui-test.so.1')"]
    folders = wheel_folders([tmp_path / "nvidia"])
    assert folders == (folder,)
    assert subprocess.run(load, capture_output=True, check=False).returncode != 0
    with_wheels = environment(os.environ, folders)
    assert subprocess.run(load, env=with_wheels, capture_output=True, check=False).returncode == 0


def test_no_wheels_no_folders(tmp_path: Path) -> None:
    assert wheel_folders([tmp_path / "nvidia"]) == ()
