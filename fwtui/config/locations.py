"""The folders and files of fwtui, and the remembered path maps."""

import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import platformdirs

from fwtui.core.paths import expand_home
from fwtui.errors import ConfigError, StorageError

_APP = "fwtui"


class Locations(msgspec.Struct, frozen=True):
    """The folders for sessions and logs (`state`), scratch files (`cache`) and settings."""

    state: Path
    cache: Path
    config: Path

    @property
    def sessions(self) -> Path:
        """The folder of the sessions."""
        return self.state / "sessions"

    @property
    def scratch(self) -> Path:
        """The folder of the decoded audio of running files."""
        return self.cache / "scratch"

    @property
    def history(self) -> Path:
        """The speeds and memory use measured in earlier batches."""
        return self.state / "history.json"

    @property
    def logs(self) -> Path:
        """The folder of the log files."""
        return self.state / "logs"

    @property
    def live(self) -> Path:
        """The folder of the endpoints and sockets of running batches."""
        return self.state / "live"

    def session_log(self, session_id: str) -> Path:
        """The log file of a session."""
        return self.logs / f"{session_id}.log"

    def session_log_before(self, session_id: str) -> Path:
        """The earlier part of a session's log, if it was long."""
        return self.logs / f"{session_id}.1.log"

    @property
    def watched(self) -> Path:
        """The folder of the histories of watched folders."""
        return self.state / "watched"

    @property
    def last_batch(self) -> Path:
        """The result of the last batch that ended."""
        return self.state / "last-batch.json"

    @property
    def not_offered(self) -> Path:
        """The file of the sessions that a start is not to offer."""
        return self.state / "not-offered.json"

    @property
    def known_voices(self) -> Path:
        """The file of the voices that the user has asked to keep."""
        return self.state / "known-speakers.json"

    @property
    def arrangement(self) -> Path:
        """The file of how the panes of the screen were arranged."""
        return self.state / "panes.json"

    @property
    def config_file(self) -> Path:
        """The settings file."""
        return self.config / "settings.toml"

    @property
    def path_maps(self) -> Path:
        """The file of remembered path maps."""
        return self.config / "path-maps.toml"

    @staticmethod
    def default(environ: Mapping[str, str] = os.environ) -> "Locations":
        """The platform's folders, or those in FWTUI_STATE_DIR, _CACHE_DIR and _CONFIG_DIR.

        Relative folders are relative to the current one; empty variables count as not set.
        Raises StorageError if one is not set and the user has no home directory.
        """
        return Locations(
            state=_folder(environ.get("FWTUI_STATE_DIR"), platformdirs.user_state_dir),
            cache=_folder(environ.get("FWTUI_CACHE_DIR"), platformdirs.user_cache_dir),
            config=_folder(environ.get("FWTUI_CONFIG_DIR"), platformdirs.user_config_dir),
        )


def _folder(chosen: str | None, default: Callable[..., str]) -> Path:
    """The chosen folder, or the platform's default."""
    if chosen:
        return expand_home(chosen).absolute()
    try:
        folder = expand_home(default(_APP, appauthor=False))
    except RuntimeError:  # platformdirs since 4.14; older ones return a path that begins with "~"
        folder = Path("~")
    if folder.is_absolute():
        return folder
    raise StorageError(
        "This user has no home directory: set FWTUI_STATE_DIR, FWTUI_CACHE_DIR and "
        "FWTUI_CONFIG_DIR to folders where fwtui can keep its files"
    )


_LARGEST = 1 << 24  # bytes of remembered path maps


def load_maps(path: Path) -> dict[str, str]:
    """The remembered path maps, old folder to new.

    Raises ConfigError that names the file.
    """
    from fwtui.disk.files import read_regular

    try:
        table = tomllib.loads(read_regular(path, _LARGEST).decode())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"cannot read {path}: {error}", "correct or delete it") from error
    return {old: new for old, new in table.items() if isinstance(new, str)}


def save_maps(path: Path, maps: Mapping[str, str]) -> None:
    """Save the path maps. Raises ConfigError."""
    import tomli_w

    from fwtui.disk.files import replace_file

    try:
        replace_file(path, tomli_w.dumps(dict(maps)).encode())
    except StorageError as error:
        raise ConfigError(error.title, error.hint or "Check its folder.") from error
