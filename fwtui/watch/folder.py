"""One watched folder: a thread that sees files come, waits until they are complete, takes them."""

import contextlib
import os
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from fwtui.audio.identity import Identity, identify
from fwtui.core.events import Level
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.text import printable
from fwtui.core.watched_folder import FolderStatus, WatchedFolder
from fwtui.errors import StorageError
from fwtui.watch.completeness import Clocks, Sighting, being_written, complete_in
from fwtui.watch.filters import Kind, Names
from fwtui.watch.processed import Taken, TakenLedger, Verdict, decide, entry_of
from fwtui.watch.source import CannotTell, Hint, is_on_network, polled, told


class FilesArrived(Struct, frozen=True):
    """Complete files to transcribe, written down in the folder's ledger already.

    `folder` and `files` as `path_to_text`.
    """

    folder: str
    files: tuple[str, ...]


class FileRenamed(Struct, frozen=True):
    """A file that is in the queue has another name now, or is there again under its own."""

    folder: str
    before: str
    after: str


class FolderStatusChanged(Struct, frozen=True):
    """How the folder is."""

    status: FolderStatus


class FolderLogLine(Struct, frozen=True):
    """A line for the log."""

    level: Level
    text: str


FolderMessage = FilesArrived | FileRenamed | FolderStatusChanged | FolderLogLine


def walk(folder: str, apart: Collection[str]) -> Iterator[str]:
    """The files below, without those in hidden folders and in the folders `apart`.

    Links to folders are not followed: they could lead round in a circle. What cannot be read is
    left out.
    """
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if not entry.name.startswith(".") and entry.path not in apart:
                            waiting.append(entry.path)
                    else:
                        yield entry.path
        except OSError:
            continue


PORTION = 1000  # files that are taken at once
_MISSING_SECONDS = 1.0
_MOST_UNFINISHED = 100_000


class FolderWatch:
    """Watches until `stop`. `post` gets the news, in the thread.

    `session` is the batch's. At this moment, `apart` are folders that are not looked into: other
    watched ones, where transcribed files go, and what is fwtui's own; and `missed` are files
    (`path_to_text`) that were not there when they were to be transcribed.
    """

    def __init__(
        self,
        folder: WatchedFolder,
        ledger: TakenLedger,
        session: str,
        apart: Collection[str],
        missed: Collection[str],
        post: Callable[[FolderMessage], None],
    ) -> None:
        self.folder = folder
        self.root = text_to_path(folder.path)
        self._ledger = ledger
        self._session = session
        self._apart = apart
        self._missed = missed
        self._post = post
        self._names = Names(folder.include, folder.exclude)
        self._real = self.root
        self._stop = threading.Event()
        self._seen: dict[str, tuple[Sighting, float]] = {}  # not complete yet; since when so
        self._unfinished: dict[tuple[int, int], None] = {}  # files with names of unfinished ones
        self._unreadable: set[str] = set()
        self._local = True
        self._status = FolderStatus(folder=folder)
        # A daemon: a share that hangs for ever must not keep fwtui from ending.
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Take nothing more; `join` waits for what is under way."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait for the thread's end, but not for ever."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._live()
        except Exception as error:  # noqa: BLE001 - the thread's outermost frame
            problem = f"{type(error).__name__}: {error}"
            self._tell(state="failed", problem=problem)
            text = f"The folder {self.root} is not watched any more: {problem}"
            self._post(FolderLogLine(Level.ERROR, printable(text)))

    # --- one life of the folder ----------------------------------------------------------------

    def _live(self) -> None:
        problem = f"there is no folder {self.root}"
        try:
            if self.root.is_dir():
                self._watch()
                return
        except OSError as error:
            problem = f"{self.root}: {error.strerror or error}"
        self._tell(state="missing", problem=problem)
        self._stop.wait(_MISSING_SECONDS)

    def _watch(self) -> None:
        """Until the folder is gone, or another one is in its place."""
        poll = self.folder.poll
        share = poll == "auto" and is_on_network(self.root)
        self._real = self.root.resolve()
        self._local = not share and poll != "on"
        if self._local:
            try:
                self._follow(told(self.root, self._stop), "watching")
                return
            except CannotTell as error:
                text = f"{self.root} is looked through every {self.folder.poll_seconds:g} s: "
                text += f"the system does not tell what happens in it ({error})"
                self._post(FolderLogLine(Level.WARNING, printable(text)))
        self._follow(polled(self._stop, self.folder.poll_seconds), "polling")

    def _follow(self, hints: Iterator[Hint], state: str) -> None:
        place = self._place()
        for hint in hints:
            if self._stop.is_set() or place is None or self._place() != place:
                self._seen.clear()
                return
            if hint is None:
                self._look(self._walk(self.root))
            else:
                self._look(path for name in hint for path in self._below(name))
            problem = ""
            try:
                if self._ledger.is_new:
                    self._begin()
                self._take()
            except StorageError as error:
                problem = error.title  # nothing is taken that is not written down: the files wait
            self._tell(state=state, problem=problem)

    def _place(self) -> tuple[int, int] | None:
        try:
            found = self.root.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _tell(self, **news: object) -> None:
        status = replace(self._status, waiting=len(self._seen), **news)
        if status != self._status:
            self._status = status
            self._post(FolderStatusChanged(status))

    # --- seeing --------------------------------------------------------------------------------

    def _walk(self, folder: Path) -> Iterator[str]:
        return walk(str(folder), self._apart)

    def _below(self, name: str) -> Iterator[str]:
        """The files that a hint is about: a folder may have come with all that is in it."""
        path = Path(name)
        for root in (self.root, self._real):  # some systems tell where the links lead
            if path.is_relative_to(root):
                relative = path.relative_to(root)
                break
        else:
            return iter(())
        path = self.root / relative
        folders = [*relative.parents][:-1]
        if any(one.name.startswith(".") or str(self.root / one) in self._apart for one in folders):
            return iter(())
        if path.is_dir() and not path.is_symlink():
            hidden = path.name.startswith(".") or str(path) in self._apart
            return iter(()) if hidden or path == self.root else self._walk(path)
        return iter((str(path),))

    def _look(self, paths: Iterable[str]) -> None:
        now, below = time.monotonic(), len(os.path.join(self.root, ""))  # noqa: PTH118
        for path in paths:
            if self._stop.is_set():
                return
            kind = self._names.kind(path[below:])
            if kind is Kind.OTHER:
                continue
            seen = _sight(path)
            if seen is None:
                self._seen.pop(path, None)
            elif kind is Kind.UNFINISHED:
                self._remember_unfinished(seen)
            elif not self._is_known(path, seen):
                before = self._seen.get(path)
                since = before[1] if before is not None and before[0].is_as(seen) else now
                self._seen[path] = seen, since

    def _remember_unfinished(self, seen: Sighting) -> None:
        if len(self._unfinished) >= _MOST_UNFINISHED:
            self._unfinished.clear()
        self._unfinished[seen.inode] = None

    def _is_known(self, path: str, seen: Sighting) -> bool:
        text = path_to_text(path)
        entry = self._ledger.at(text)
        if entry is None or text in self._missed:
            return False
        known = entry.known
        return (known.size, known.modified) == (seen.size, seen.modified)

    # --- taking --------------------------------------------------------------------------------

    def _begin(self) -> None:
        """The folder is watched for the first time."""
        entries: list[Taken] = []
        if self.folder.existing == "ignore":
            for path in self._seen:
                with contextlib.suppress(OSError):
                    entries.append(entry_of(path, identify(Path(path)), "left"))
        self._ledger.begin(entries)
        if self.folder.existing == "ignore":
            self._seen.clear()
        if entries:
            text = f"{len(entries):,} files were in {self.root} before and are left alone"
            self._post(FolderLogLine(Level.INFO, printable(text)))

    def _take(self) -> None:
        ready = iter(self._complete())
        while portion := tuple(islice(ready, PORTION)):
            batch = _Portion()
            for path in portion:
                self._decide(path, batch)
            self._ledger.add(batch.entries)
            for path in batch.handled:
                seen, _ = self._seen.pop(path)
                self._unfinished.pop(seen.inode, None)
            for one in batch.news:
                self._post(one)
            if batch.arrived:
                self._post(FilesArrived(self.folder.path, tuple(batch.arrived)))
                self._tell(taken=self._status.taken + len(batch.arrived))

    def _complete(self) -> list[str]:
        """The files that can be taken now."""
        now = Clocks(time.monotonic(), time.time_ns())
        self._look(list(self._seen))  # as they are at this moment
        ready = [
            path for path, (seen, since) in self._seen.items() if self._is_due(seen, since, now)
        ]
        if not ready:
            return []
        written = being_written(ready)
        return [path for path in ready if path not in written]

    def _is_due(self, seen: Sighting, since: float, now: Clocks) -> bool:
        renamed = seen.inode in self._unfinished
        settle = self.folder.settle_seconds
        left = complete_in(seen, since, now, settle, local=self._local, renamed=renamed)
        return left is not None and left <= 0

    def _identify(self, path: str) -> Identity | None:
        try:
            identity = identify(Path(path))
        except OSError as error:
            if path not in self._unreadable:
                self._unreadable.add(path)
                text = f"{path} cannot be read yet: {error.strerror or error}"
                self._post(FolderLogLine(Level.WARNING, printable(text)))
            return None
        self._unreadable.discard(path)
        return identity

    def _decide(self, path: str, batch: "_Portion") -> None:
        identity = self._identify(path)
        # Two copies at once: the second is looked at when the first is written down.
        if identity is None or identity.digest in batch.digests:
            return
        batch.digests.add(identity.digest)
        batch.handled.append(path)
        text = path_to_text(path)
        verdict, before = decide(text, identity, self._ledger)
        if before is None or verdict is Verdict.NEW:
            batch.entries.append(entry_of(path, identity, "queued", self._session))
            batch.arrived.append(text)
        elif verdict is Verdict.COPY:
            batch.entries.append(entry_of(path, identity, "left"))
            words = f"{path} is not taken: it is a copy of {text_to_path(before.path)}"
            batch.news.append(FolderLogLine(Level.INFO, printable(words)))
        else:
            if verdict is Verdict.RENAMED:
                batch.entries.append(replace(before, fate="forgotten"))
            if before.fate == "queued":
                batch.news.append(FileRenamed(self.folder.path, before.path, text))
            batch.entries.append(replace(before, path=text, identity=str(identity)))


class _Portion:
    """What is found out about some complete files, to be written down at once."""

    def __init__(self) -> None:
        self.entries: list[Taken] = []
        self.handled: list[str] = []
        self.arrived: list[str] = []
        self.news: list[FolderMessage] = []
        self.digests: set[str] = set()


def _sight(path: str) -> Sighting | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - thousands of them
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return Sighting(
        found.st_size, found.st_mtime_ns, found.st_ctime_ns, (found.st_dev, found.st_ino)
    )
