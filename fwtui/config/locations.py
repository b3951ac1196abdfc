"""Where fwtui keeps its files. Nothing is created here."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import platformdirs

from fwtui.core.paths import expand_home
from fwtui.errors import StorageError

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
        Raises StorageError if one is not set and the user has no home directory.
        """
        return Locations(
            state=_folder(environ.get("FWTUI_STATE_DIR"), platformdirs.user_state_dir),
            cache=_folder(environ.get("FWTUI_CACHE_DIR"), platformdirs.user_cache_dir),
            config=_folder(environ.get("FWTUI_CONFIG_DIR"), platformdirs.user_config_dir),
        )


def _folder(named: str | None, usual: Callable[..., str]) -> Path:
    """The named folder, or the platform's."""
    if named:
        return expand_home(named).absolute()
    try:
        folder = expand_home(usual(_APP, appauthor=False))
    except RuntimeError:  # platformdirs, since 4.14; before, its answer begins with "~"
        folder = Path("~")
    if folder.is_absolute():
        return folder
    raise StorageError(
        "This user has no home directory: set FWTUI_STATE_DIR, FWTUI_CACHE_DIR and "
        "FWTUI_CONFIG_DIR to the folders where fwtui may keep its files"
    )
