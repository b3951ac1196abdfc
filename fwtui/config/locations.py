"""The folders and files of fwtui, and the remembered path maps."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
import platformdirs

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
        """

        def folder(variable: str, usual: str) -> Path:
            return Path(environ.get(variable) or usual).expanduser().absolute()

        return Locations(
            state=folder("FWTUI_STATE_DIR", platformdirs.user_state_dir(_APP, appauthor=False)),
            cache=folder("FWTUI_CACHE_DIR", platformdirs.user_cache_dir(_APP, appauthor=False)),
            config=folder("FWTUI_CONFIG_DIR", platformdirs.user_config_dir(_APP, appauthor=False)),
        )


def load_maps(path: Path) -> dict[str, str]:
    """The remembered path maps, old folder to new.

    Raises ConfigError that names the file.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
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
