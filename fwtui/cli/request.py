"""What the command line asks for, as data that can be sent to another process."""

from collections.abc import Iterable, Mapping

import msgspec

from fwtui.config.fields import Value
from fwtui.core.paths import is_link
from fwtui.core.settings import Settings
from fwtui.core.watched_folder import WatchedFolder
from fwtui.errors import FwtuiError


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A batch to start or to resume.

    `roots`: the folders that `paths` were found in, if they were searched before.
    `settings`: of a new batch; a resumed one takes only its user settings from them. `changes`:
    the settings given on the command line, which override those of a resumed batch. `resume`: a
    session id, empty for the newest, None for a new batch. `maps`: folders of another machine, and
    where they are here. `retry`: retry the failed files of a resumed batch. `watch`: folders whose
    new recordings are transcribed.
    """

    paths: tuple[str, ...]
    roots: tuple[str, ...] = ()
    settings: Settings
    changes: Mapping[str, Value] = {}
    resume: str | None = None
    maps: Mapping[str, str] = {}
    retry: bool = True
    watch: tuple[WatchedFolder, ...] = ()


def check_links(paths: Iterable[str]) -> None:
    """Raise FwtuiError if there are links and yt-dlp is not installed."""
    if any(is_link(path) for path in paths):
        from fwtui.batch.ytdlp import NEEDED, is_installed

        if not is_installed():
            raise FwtuiError(NEEDED.title, NEEDED.hint)
