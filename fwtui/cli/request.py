"""TODO."""

from collections.abc import Mapping

import msgspec

from fwtui.config.fields import Value
from fwtui.core.settings import Settings
from fwtui.core.watched_folder import WatchedFolder


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for.

    `settings` are for a new batch, and of them what is the user's own for a resumed one, too;
    `changes` are those that were named on the command line, and go over the settings of a resumed
    one. `resume`: None: no; empty: the newest; else its id.
    `maps`: folders of another machine and where they are here. `retry`: also try failed files of a
    resumed one again. `watch`: take what comes into these folders.
    """

    paths: tuple[str, ...]
    settings: Settings
    changes: Mapping[str, Value] = {}
    resume: str | None = None
    maps: Mapping[str, str] = {}
    retry: bool = True
    watch: tuple[WatchedFolder, ...] = ()
