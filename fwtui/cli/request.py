"""What the command line asks for, as data that can be sent to another process."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click
import msgspec

from fwtui.config.fields import Value
from fwtui.core.disk_errors import reason_of
from fwtui.core.paths import expand_home, is_link
from fwtui.core.settings import Settings
from fwtui.core.watched_folder import WatchedFolder
from fwtui.errors import FwtuiError, UsageError


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A batch to start or to resume.

    `roots`: the folders that `paths` were found in, if they were searched before.
    `settings`: of a new batch; a resumed one takes only its user settings from them. `changes`:
    the settings given on the command line, which override those of a resumed batch. `resume`: a
    session id, empty for the newest, None for a new batch. `maps`: folders of another machine, and
    where they are here. `retry`: retry the failed files of a resumed batch. `watch`: folders whose
    new recordings are transcribed. `may_move`: the user agreed that the resumed batch moves or tags
    recordings in the folders that it watches: that is in a file which others may have written.
    """

    paths: tuple[str, ...]
    roots: tuple[str, ...] = ()
    settings: Settings
    changes: Mapping[str, Value] = {}
    resume: str | None = None
    maps: Mapping[str, str] = {}
    retry: bool = True
    watch: tuple[WatchedFolder, ...] = ()
    may_move: bool = False


Function = TypeVar("Function", bound=Callable[..., Any])


def files_from_options(function: Function) -> Function:
    """Add options that read the names of files from a list."""
    click.option(
        "--null", "-0", "null", is_flag=True, help="Names in lists end with a NUL (find -print0)"
    )(function)
    click.option(
        "--files_from",
        "--files-from",
        "files_from",
        multiple=True,
        type=click.Path(readable=False, allow_dash=True),
        metavar="FILE",
        help="Read names of files, folders and links from a list, one per line; - is stdin",
    )(function)
    return function


def names_from(lists: Iterable[str], *, null: bool) -> tuple[str, ...]:
    """The names in lists of files, in their order. Raises UsageError."""
    names: list[str] = []
    for name in lists:
        data = _content_of(name)
        if not null and b"\0" in data:
            raise UsageError(f"the names in {name} end with NULs", "add -0")
        lines = data.split(b"\0") if null else _lines(data)
        names += [os.fsdecode(line) for line in lines if line]
    return tuple(names)


def _lines(data: bytes) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in data.removeprefix(_BOM).split(b"\n")]


_BOM = b"\xef\xbb\xbf"  # some editors begin a file with it


def _content_of(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else expand_home(name).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the list {name}: {reason_of(error)}") from error


def check_links(paths: Iterable[str]) -> None:
    """Raise FwtuiError if there are links and yt-dlp is not installed."""
    if any(is_link(path) for path in paths):
        from fwtui.batch.ytdlp import NEEDED, is_installed

        if not is_installed():
            raise FwtuiError(NEEDED.title, NEEDED.hint)
