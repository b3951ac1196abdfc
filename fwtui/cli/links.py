"""Links on the command line."""

from collections.abc import Iterable

from fwtui.core.inputs import is_link
from fwtui.errors import FwtuiError


def check_links(paths: Iterable[str]) -> None:
    """Raise FwtuiError if there are links and what downloads them is not installed."""
    if any(is_link(path) for path in paths):
        from fwtui.batch.ytdlp import NEEDED, is_installed

        if not is_installed():
            raise FwtuiError(NEEDED.title, NEEDED.hint)
