"""Finds the CUDA libraries of installed `nvidia-*` wheels for the engine process."""

import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

# The loader reads it once, when a process starts: so it is set before the engine starts.
_VARIABLE = "PATH" if sys.platform == "win32" else "LD_LIBRARY_PATH"
_FOLDER = "bin" if sys.platform == "win32" else "lib"


def wheel_folders(roots: Iterable[Path] | None = None) -> tuple[Path, ...]:
    """The library folders of the wheels; `roots`: the folders of the package `nvidia`."""
    found = _roots() if roots is None else roots
    folders = (folder for root in found for folder in sorted(root.glob(f"*/{_FOLDER}")))
    return tuple(folder for folder in folders if folder.is_dir())


def environment(base: Mapping[str, str], folders: Iterable[Path]) -> dict[str, str]:
    """`base` with these folders before those that the loader searches anyway."""
    paths = [str(folder) for folder in folders]
    if before := base.get(_VARIABLE):
        paths.append(before)
    return {**base, _VARIABLE: os.pathsep.join(paths)} if paths else dict(base)


def _roots() -> list[Path]:
    spec = importlib.util.find_spec("nvidia")
    return [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
