"""Where child processes run: in a folder that stays, whatever becomes of the user's."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from fwtui.core.paths import expand_home

# A drive that fwtui was started on can be disconnected, and a folder deleted.
CHILD_FOLDER = Path(sys.executable).anchor or os.sep
_PATHS = (
    "FWTUI_STATE_DIR FWTUI_CACHE_DIR FWTUI_CONFIG_DIR HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE"
    " XDG_CACHE_HOME XDG_CONFIG_HOME XDG_STATE_HOME XDG_DATA_HOME TMPDIR SSL_CERT_FILE"
)
_LISTS = "PYTHONPATH LD_LIBRARY_PATH"


def child_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment for a child that runs in `CHILD_FOLDER`: relative paths made absolute."""
    found = dict(environ)
    for name in _PATHS.split():
        if value := found.get(name):
            found[name] = _absolute(value)
    for name in _LISTS.split():
        if value := found.get(name):
            found[name] = os.pathsep.join(map(_absolute, value.split(os.pathsep)))
    return found


def _absolute(path: str) -> str:
    if path.startswith(("~", "$")):
        return path
    try:
        return os.path.abspath(path)  # noqa: PTH100 - "" is the current folder, as in PYTHONPATH
    except OSError:  # the current folder has gone
        return path


def current_folder() -> Path:
    """The folder that fwtui was started in; the home directory if that has gone."""
    try:
        return Path.cwd()
    except OSError:
        home = expand_home("~")
        return home if home.is_absolute() else Path(CHILD_FOLDER)
