"""The search for media files in the files, folders, glob patterns and links that the user names."""

import glob
import math
import os
import re
import stat
import threading
import time
from codecs import getincrementaldecoder
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from fwtui.core.commands import AddPaths, AnyCommand, Pause, Quit, Start, Stop
from fwtui.core.events import AddingChanged
from fwtui.core.paths import (
    MEDIA_SUFFIXES,
    OUTPUT_SUFFIXES,
    REPORT_PREFIX,
    UNFINISHED,
    expand_home,
    is_kept_out,
    is_link,
)
from fwtui.core.text import in_natural_order, valid_unicode

if TYPE_CHECKING:
    from fwtui.core.failure import Failure


class Problem(NamedTuple):
    """A path that cannot be transcribed, and why."""

    path: Path
    failure: "Failure"


class Found(NamedTuple):
    """Absolute paths of media files, each once; paths that cannot be read; links.

    `roots` has for each file the given folder in which it was found, empty if the file itself was
    given. `left_out` counts what was not taken, by what it is; `notes` tell which folders could not
    be read. Text and not `Path`: a hundred thousand paths take 30 MB.
    """

    files: tuple[str, ...]
    problems: tuple[Problem, ...]
    roots: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()


FIRST_SECONDS, MOST_SECONDS = 0.001, 0.05  # of search for the first portion, and for any


class _File(NamedTuple):
    path: str
    root: str = ""


class _Note(NamedTuple):
    """A folder below a given one that was left out: `path`, and what to say of it."""

    path: str
    text: str


class _LeftOut(NamedTuple):
    path: str  # of the file, or of the folder that so many are in
    what: str
    times: int = 1


_Find = _File | Problem | _Note | _LeftOut | str  # the string is a link

# What is left out: kinds beside the suffixes of files.
_TRANSCRIPT, _HIDDEN, _LINKED, _BARE = "transcript", "hidden", "linked folder", "without extension"


def find_media(names: Iterable[str]) -> Found:
    """Search files, folders (recursively), glob patterns and links, in the order given.

    Within a folder or pattern the order is natural: `part 2` before `part 10`. Blocks on the disk.
    """
    return next(find_in_portions(names, math.inf))


def find_in_portions(
    names: Iterable[str], first: float = FIRST_SECONDS, most: float = MOST_SECONDS
) -> Iterator[Found]:
    """The results of `find_media` in portions, at least one.

    A portion holds what was found in `first` seconds, each further one in twice the time of the
    one before, up to `most`.
    """
    results, seconds = _Results(), first
    for find in _search_all(names):
        if results.add(find) and time.monotonic() - results.began > seconds:
            yield results.portion()
            seconds = min(2 * seconds, most)
    yield results.portion()


class _Results:
    """A portion of search results, without those of the portions before."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._portion: list[_Find] = []
        self._left_out = Counter[str]()
        self.began = 0.0  # when the first of the portion was found

    def add(self, find: _Find) -> bool:
        """Add a result to the portion; False if it was found before."""
        key = find if isinstance(find, str) else str(find.path)
        if isinstance(find, _LeftOut):
            key += f"\0{find.what}"
        if key in self._seen:
            return False
        self._seen.add(key)
        if isinstance(find, _LeftOut):
            self._left_out[find.what] += find.times
            return False
        if not self._portion:
            self.began = time.monotonic()
        self._portion.append(find)
        return True

    def portion(self) -> Found:
        """The results since the last portion."""
        finds, self._portion = self._portion, []
        left_out, self._left_out = self._left_out, Counter()
        files = [find for find in finds if isinstance(find, _File)]
        return Found(
            files=tuple(file.path for file in files),
            problems=tuple(find for find in finds if isinstance(find, Problem)),
            roots=tuple(file.root for file in files),
            links=tuple(find for find in finds if isinstance(find, str)),
            left_out=tuple(left_out.items()),
            notes=tuple(find.text for find in finds if isinstance(find, _Note)),
        )


def absolute(name: str) -> Path:
    """The absolute path with `~` expanded; symbolic links are not followed."""
    return Path(os.path.abspath(expand_home(name)))  # noqa: PTH100  resolve() follows links


def _search_all(names: Iterable[str]) -> Iterator[_Find]:
    for name in names:
        if is_link(name):
            yield name
            continue
        path = absolute(name)
        try:
            yield from _search(name, path)
        except OSError as error:
            yield _problem(path, error)


def _search(name: str, path: Path) -> Iterator[_Find]:
    if _is_folder(path):
        yield from _walk(str(path), str(path))
    elif os.path.lexists(path):
        transcript = is_own_transcript(str(path))
        yield _LeftOut(str(path), _TRANSCRIPT) if transcript else _File(str(path))
    elif glob.has_magic(name):
        yield from _match(path)
    else:
        raise FileNotFoundError(2, "No such file or folder", str(path))


def _match(pattern: Path) -> Iterator[_Find]:
    """What an absolute pattern stands for.

    It takes every file whose suffix it names, of others the media files. Parts of it that exist
    are names, whatever characters they have.
    """
    literal, rest = _split_pattern(pattern)
    if not any(map(glob.has_magic, rest)):
        raise FileNotFoundError(2, "No such file or folder", str(pattern))
    text = os.path.join(glob.escape(literal), *rest)  # noqa: PTH118
    named = [part.casefold() for part in rest if any(map(str.isalnum, part))]
    suffix = os.path.splitext(rest[-1])[1]  # noqa: PTH122
    names_suffix = bool(suffix) and "*" not in suffix and "?" not in suffix
    for match in in_natural_order(glob.iglob(text, recursive=True)):  # noqa: PTH207
        is_folder = os.path.isdir(match)  # noqa: PTH112  100,000 of them
        relative = match[len(literal) :].strip(os.sep)
        if _keeps_out(relative if is_folder else os.path.dirname(relative), named):  # noqa: PTH120
            yield _LeftOut(match, _HIDDEN)
        elif is_folder:
            yield from _walk(os.path.normpath(match), literal)
        elif is_own_transcript(match):
            yield _LeftOut(match, _TRANSCRIPT)
        elif names_suffix or is_media(match):
            yield _File(match, literal)
        else:
            yield _LeftOut(match, _suffix(match))


def _split_pattern(pattern: Path) -> tuple[str, list[str]]:
    """The part of a pattern that exists as it is written, and the parts behind it."""
    literal, *rest = pattern.parts
    while len(rest) > 1 and os.path.lexists(inside := os.path.join(literal, rest[0])):  # noqa: PTH118
        literal = inside
        rest.pop(0)
    return literal, rest


def _keeps_out(path: str, named: Iterable[str]) -> bool:
    """Whether one of a path's folders is kept out, and no part of the pattern names it."""
    return any(
        is_kept_out(folder) and not any(fnmatchcase(folder.casefold(), part) for part in named)
        for folder in path.split(os.sep)  # noqa: PTH206
        if folder not in {"", ".", ".."}
    )


def _is_folder(path: Path) -> bool:
    """Whether there is a folder. Raises OSError if that cannot be found out."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _walk(folder: str, root: str) -> Iterator[_Find]:
    refused: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=refused.append):
        searched: list[str] = []
        for name in in_natural_order(folders):
            path = os.path.join(parent, name)  # noqa: PTH118
            if is_kept_out(name):
                yield _LeftOut(path, _HIDDEN if name[0] == "." else f"{name} folder")
            elif os.path.islink(path):  # noqa: PTH114  not followed: it may form a loop
                yield _LeftOut(path, _LINKED)
            else:
                searched.append(name)
        folders[:] = searched
        others: list[str] = []
        for name in in_natural_order(names):
            if is_media(name) and not name.startswith("."):
                yield _File(os.path.join(parent, name), root)  # noqa: PTH118  100,000 of them
            else:
                others.append(name)
        for what, count in _counted(others, names).items():
            yield _LeftOut(parent, what, count)
    for error in refused:
        path = str(error.filename or folder)
        if isinstance(error, PermissionError) and path != folder:
            # Such as a folder of root's on a shared disk: no recording has failed.
            text = f"{path} was left out: {error.strerror or error}"
            yield _Note(path, valid_unicode(text))
        else:
            yield _problem(Path(path), error)


def _counted(others: Collection[str], names: Iterable[str]) -> Mapping[str, int]:
    """What the files of a folder are that are not taken; `names` are all of its files."""
    recordings = _names_of(names) if others else ()
    return Counter(
        _HIDDEN
        if name.startswith(".")
        else _TRANSCRIPT
        if _is_named_like_one(name, recordings)
        else _suffix(name)
        for name in others
    )


def is_media(name: str) -> bool:
    """Whether a file has the suffix of a recording."""
    return os.path.splitext(name)[1].lower() in MEDIA_SUFFIXES  # noqa: PTH122  100,000 of them


def _suffix(name: str) -> str:
    """What a file is counted as that is left out."""
    return os.path.splitext(name)[1].lower() or _BARE  # noqa: PTH122


def is_own_transcript(path: str) -> bool:
    """Whether a file is a transcript beside its recording, or a report of ours."""
    folder, name = os.path.split(path)
    if os.path.splitext(name)[1].lower() not in OUTPUT_SUFFIXES:  # noqa: PTH122
        return False
    try:
        changed = os.stat(folder).st_mtime_ns  # noqa: PTH116
        return _is_named_like_one(name, _recordings(folder, changed)) and _is_text(path)
    except OSError:
        return False


def _is_named_like_one(name: str, recordings: Collection[str]) -> bool:
    """Whether a file is named `talk.txt`, `talk (2).txt` or `talk.mp3.txt` beside `talk.mp3`."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122
    if suffix.lower() not in OUTPUT_SUFFIXES:
        return False
    bare = re.sub(r" \(\d+\)$", "", stem).removesuffix(UNFINISHED)
    return name.startswith(REPORT_PREFIX) or stem in recordings or bare in recordings


@lru_cache(maxsize=4)
def _recordings(folder: str, changed: int) -> Collection[str]:  # noqa: ARG001  for the cache
    """The names of a folder's recordings, with and without suffix. Raises OSError."""
    return _names_of(os.listdir(folder))  # noqa: PTH208


def _names_of(names: Iterable[str]) -> Collection[str]:
    media = [name for name in names if is_media(name)]
    return {*media, *(os.path.splitext(name)[0] for name in media)}  # noqa: PTH122


def _is_text(path: str) -> bool:
    """Whether a file has text, or a Word document, and not sound under a wrong name."""
    with open(path, "rb") as file:  # noqa: PTH123
        begin = file.read(512)
    if begin.startswith(b"PK"):
        return True
    try:
        getincrementaldecoder("utf-8")().decode(begin)
    except UnicodeDecodeError:
        return False
    return b"\0" not in begin


def _problem(path: Path, error: OSError) -> Problem:
    from msgspec.structs import replace

    from fwtui.core.disk_errors import DiskArea, disk_failure, reason_of

    failure = disk_failure(DiskArea.INPUT, error, "")
    title = valid_unicode(f"{reason_of(error)}: {path}")
    hint = _HINTS.get(failure.kind, "check the disk or share")
    return Problem(path, replace(failure, title=title, hint=hint))


_HINTS = {"permission": "check its permissions", "file_missing": "check the name"}


Finder = Callable[[Iterable[str]], Iterator[Found]]


def finder_of(names: Sequence[str], found: Found) -> Finder:
    """A finder for names that were searched already: it gives `found` for them, once.

    It searches for all other names, and for these if they are asked for again.
    """
    results = [found]

    def find(wanted: Iterable[str]) -> Iterator[Found]:
        wanted = tuple(wanted)
        if results and wanted == tuple(names):
            yield results.pop()
        else:
            yield from find_in_portions(wanted)

    return find


class FilesFound(Struct, frozen=True):
    """A portion of the results for the paths of an `AddPaths`, with its roots and lengths."""

    found: Found
    roots: tuple[str, ...] = ()
    lengths: Mapping[str, float] = MappingProxyType({})


class DiscoveryFinished(Struct, frozen=True):
    """The search of these paths has ended."""

    paths: tuple[str, ...]


class Discovery:
    """Searches paths in a thread: a folder can be huge, and a network share can hang.

    Other commands wait during a search, because they may be about the files that are being added;
    those that end work do not wait. `post` takes the results from any thread, portion by portion,
    so that the first of a hundred thousand files are shown at once. `find` does the search;
    `emit` is called when the state of the search changes.
    """

    def __init__(
        self,
        post: Callable[[FilesFound | DiscoveryFinished], None],
        emit: Callable[[AddingChanged], None],
        find: Finder = find_in_portions,
    ) -> None:
        self.find = find
        self._post = post
        self._emit = emit
        self._emitted = AddingChanged(adding=False)
        self._portion_added = threading.Semaphore(0)
        self._searching = False
        self._waiting: deque[AnyCommand] = deque()

    @property
    def is_searching(self) -> bool:
        """Whether more files may be found."""
        return self._searching

    @property
    def waiting_paths(self) -> tuple[str, ...]:
        """The paths of searches that have not begun."""
        waiting = (command for command in self._waiting if isinstance(command, AddPaths))
        return tuple(path for command in waiting for path in command.paths)

    @property
    def is_busy(self) -> bool:
        """Whether a search runs or commands wait."""
        return self._searching or bool(self._waiting)

    @property
    def state(self) -> AddingChanged:
        """Whether files are being added, and whether the batch starts afterwards."""
        starts = any(isinstance(command, Start) for command in self._waiting)
        return AddingChanged(self._searching, self._searching and starts)

    def must_wait(self, command: AnyCommand) -> bool:
        """Whether the command has to wait; `next` returns it later then.

        A command that ends work does not wait, and discards a `Start` that does.
        """
        if isinstance(command, Pause | Stop | Quit):
            self._waiting = deque(one for one in self._waiting if not isinstance(one, Start))
            self._emit_changes()
            return False
        if self.is_busy:
            self._waiting.append(command)
            self._emit_changes()
            return True
        return False

    def next(self) -> AnyCommand | None:
        """The next command that has waited, unless a search runs."""
        return self._waiting.popleft() if self._waiting and not self._searching else None

    def search(
        self,
        paths: tuple[str, ...],
        roots: tuple[str, ...] = (),
        lengths: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        """Begin to search paths. The results are posted, each with `roots` and `lengths`."""
        self._searching = True
        self._emit_changes()
        # A daemon: a share that hangs must not keep fwtui from ending.
        threading.Thread(
            target=self._search, args=(paths, roots, lengths), name="discovery", daemon=True
        ).start()

    def _search(
        self, paths: tuple[str, ...], roots: tuple[str, ...], lengths: Mapping[str, float]
    ) -> None:
        try:
            for found in self.find(paths):
                self._post(FilesFound(found, roots, lengths))
                # Otherwise thousands of files would be ahead of a command in the inbox.
                self._portion_added.acquire()
        finally:  # all other commands wait for it
            self._post(DiscoveryFinished(paths))

    def continue_search(self) -> None:
        """A portion was taken out of the inbox."""
        self._portion_added.release()

    def search_ended(self) -> None:
        """The last result was taken out of the inbox."""
        self._searching = False
        self._emit_changes()

    def _emit_changes(self) -> None:
        state = self.state
        if state != self._emitted:
            self._emitted = state
            self._emit(state)
