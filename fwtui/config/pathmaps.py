"""Folders of other machines and where they are here, as the user has said once."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from fwtui.errors import ConfigError


def load_maps(path: Path) -> dict[str, str]:
    """The remembered mapping, old folder to new; empty if nothing is remembered.

    Raises ConfigError that names the file.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", "correct it, or delete it") from error
    return {old: new for old, new in table.items() if isinstance(new, str)}


def save_maps(path: Path, maps: Mapping[str, str]) -> None:
    """Remember this mapping. Raises ConfigError."""
    import tomli_w

    temp = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temp.write_text(tomli_w.dumps(dict(maps)), "utf-8")
        temp.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror or error}", "check its folder"
        ) from error
