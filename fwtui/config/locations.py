"""Where fwtui keeps its files. Nothing is created here."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec
import platformdirs

from fwtui.errors import ConfigError, StorageError

_APP = "fwtui"


class Locations(msgspec.Struct, frozen=True):
    """The folders for what must survive (`state`), what may be lost (`cache`), and settings."""

    state: Path
    cache: Path
    config: Path

    @property
    def sessions(self) -> Path:
        """Folder of the sessions."""
        return self.state / "sessions"

    @property
    def scratch(self) -> Path:
        """Folder of the decoded WAVs of running files."""
        return self.cache / "scratch"

    @property
    def history(self) -> Path:
        """What was measured in earlier batches."""
        return self.state / "history.json"

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.state / "logs"

    @property
    def live(self) -> Path:
        """Folder of the running batches' addresses and sockets."""
        return self.state / "live"

    def session_log(self, session_id: str) -> Path:
        """The log file of one session."""
        return self.logs / f"{session_id}.log"

    def session_log_before(self, session_id: str) -> Path:
        """The first part of the log of one session, if it has become long."""
        return self.logs / f"{session_id}.1.log"

    @property
    def watched(self) -> Path:
        """Folder of the ledgers of watched folders."""
        return self.state / "watched"

    @property
    def last_batch(self) -> Path:
        """What became of the batch that ended last."""
        return self.state / "last-batch.json"

    @property
    def config_file(self) -> Path:
        """The user's settings."""
        return self.config / "settings.toml"

    @property
    def path_maps(self) -> Path:
        """Where folders of other machines are here."""
        return self.config / "path-maps.toml"

    @staticmethod
    def default(environ: Mapping[str, str] = os.environ) -> "Locations":
        """The platform's folders, unless FWTUI_STATE_DIR, _CACHE_DIR or _CONFIG_DIR name others.

        A relative folder is relative to the current one; an empty variable counts as not set.
        """

        def folder(variable: str, usual: str) -> Path:
            return Path(environ.get(variable) or usual).expanduser().absolute()

        return Locations(
            state=folder("FWTUI_STATE_DIR", platformdirs.user_state_dir(_APP, appauthor=False)),
            cache=folder("FWTUI_CACHE_DIR", platformdirs.user_cache_dir(_APP, appauthor=False)),
            config=folder("FWTUI_CONFIG_DIR", platformdirs.user_config_dir(_APP, appauthor=False)),
        )


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

    from fwtui.disk.files import replace_file

    try:
        replace_file(path, tomli_w.dumps(dict(maps)).encode())
    except StorageError as error:
        raise ConfigError(error.title, error.hint or "Check its folder.") from error
