"""Settings into a TOML file that holds only what differs from the defaults."""

import contextlib
import os
import secrets
from pathlib import Path

from fwtui.config.fields import differing
from fwtui.config.load import NONE
from fwtui.core.settings import Settings
from fwtui.errors import ConfigError


def save_settings(path: Path, settings: Settings) -> None:
    """Write the file in one step; if that fails, the old one is still there.

    Creates the folder. Raises ConfigError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, render_settings(settings).encode())
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror or error}",
            "check the permissions and the free space of its folder",
        ) from error


def render_settings(settings: Settings) -> str:
    """The TOML text."""
    import tomli_w

    tables: dict[str, dict[str, object]] = {}
    for field, value in differing(settings):
        tables.setdefault(field.section, {})[field.name] = NONE if value is None else value
    return tomli_w.dumps(tables)


def _replace(path: Path, data: bytes) -> None:
    # Not storage's write_atomic: config is below storage. A link to the file stays a link.
    target = path.resolve()
    temp = target.with_name(f".fwtui-{secrets.token_hex(8)}.tmp")
    try:
        with temp.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temp.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temp.unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
