"""Thread of one watched folder: notices new files and reports them when they are complete."""

import contextlib
import os
import stat
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from fwtui.audio.identity import Identity, identify
from fwtui.core.disk_errors import DiskErrorKind, kind_of, reason_of
from fwtui.core.events import Level
from fwtui.core.paths import OUTPUT_SUFFIXES, is_kept_out, path_to_text, text_to_path
from fwtui.core.text import left_out_text, plural, printable
from fwtui.core.watched_folder import FolderStatus, WatchedFolder
from fwtui.disk.files import is_folder
from fwtui.errors import StorageError
from fwtui.watch.completeness import Clocks, Observation, being_written, complete_in
from fwtui.watch.filters import FileKind, NameFilter, sidecar
from fwtui.watch.processed import ProcessedFile, ProcessedFiles, Relation, compare, processed_file
from fwtui.watch.source import (
    Changes,
    NotificationsUnavailable,
    is_on_network,
    notifications,
    polling,
)


class FilesArrived(Struct, frozen=True):
    """Complete files to transcribe, recorded as queued in the folder's history.

    `folder` and `files` as `path_to_text`.
    """

    folder: str
    files: tuple[str, ...]


class FileRenamed(Struct, frozen=True):
    """A queued file has another name now, or exists again under its own."""

    folder: str
    before: str
    after: str


class FolderStatusChanged(Struct, frozen=True):
    """The new status of the folder."""

    status: FolderStatus


class FolderLogLine(Struct, frozen=True):
    """A line for the log."""

    level: Level
    text: str


FolderMessage = FilesArrived | FileRenamed | FolderStatusChanged | FolderLogLine


def walk(
    folder: str, excluded: Collection[str], refused: Callable[[str, OSError], None]
) -> Iterator[str]:
    """All files below a folder, except those in hidden, system and `excluded` folders.

    Symbolic links to folders are not followed, because they could form a loop. Folders that
    cannot be read are skipped and `refused`.
    """
    waiting = [folder]
    while waiting:
        present = waiting.pop()
        try:
            with os.scandir(present) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if not is_kept_out(entry.name) and entry.path not in excluded:
                            waiting.append(entry.path)
                    else:
                        yield entry.path
        except OSError as error:
            refused(present, error)


PORTION = 1000  # files that are recorded at once
_MISSING_SECONDS = 1.0
_MOST_UNFINISHED = 100_000


class FolderWatch:
    """Watches until `stop`. `post` gets the messages, in the thread.

    `session` is the batch's. Two sets may change at any time: `excluded` folders are not searched
    (other watched folders, targets of transcribed files, fwtui's own); `missing` files
    (`path_to_text`) did not exist when they were to be transcribed.
    """

    def __init__(
        self,
        folder: WatchedFolder,
        files: ProcessedFiles,
        session: str,
        excluded: Collection[str],
        missing: Collection[str],
        post: Callable[[FolderMessage], None],
    ) -> None:
        self.folder = folder
        self.root = text_to_path(folder.path)
        self._files = files
        self._session = session
        self._excluded = excluded
        self._missing = missing
        self._post = post
        self._filter = NameFilter(folder.include, folder.exclude)
        self._real = self.root
        self._stop = threading.Event()
        self._incomplete: dict[str, tuple[Observation, float]] = {}  # and since when they are so
        # Inodes of files that had names of unfinished ones.
        self._unfinished: dict[tuple[int, int], None] = {}
        self._unreadable: set[str] = set()
        self._problem = ""  # of the last search of the whole folder
        self._held: set[str] = set()  # of which was said that they wait for a downloader
        self._local = True
        self._mentioned = False
        self._status = FolderStatus(folder=folder)
        # A daemon: a share that hangs for ever must not keep fwtui from ending.
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Report nothing more; `join` waits for what has begun."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait a limited time for the thread's end."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._watch_once()
        except Exception as error:  # noqa: BLE001 - the thread's outermost frame
            problem = f"{type(error).__name__}: {error}"
            self._set_status(state="failed", problem=problem)
            text = f"No longer watching {self.root}: {problem}"
            self._post(FolderLogLine(Level.ERROR, printable(text)))

    # --- the folder itself ---------------------------------------------------------------------

    def _watch_once(self) -> None:
        problem = f"folder not found: {self.root}"
        try:
            if is_folder(self.root):
                self._watch()
                return
        except OSError as error:
            problem = f"{self.root}: {error.strerror or error}"
        self._set_status(state="missing", problem=problem)
        self._stop.wait(_MISSING_SECONDS)

    def _watch(self) -> None:
        """Watch until the folder is gone or was replaced."""
        poll = self.folder.poll
        share = poll == "auto" and is_on_network(self.root)
        self._real = self.root.resolve()
        self._local = not share and poll != "on"
        if self._local:
            try:
                self._follow(notifications(self.root, self._stop), "watching")
                return
            except NotificationsUnavailable as error:
                text = f"{self.root} is polled every {self.folder.poll_seconds:g} s: "
                text += f"the system gives no notifications for it ({error})"
                self._post(FolderLogLine(Level.WARNING, printable(text)))
        self._follow(polling(self._stop, self.folder.poll_seconds), "polling")

    def _follow(self, changes: Iterator[Changes], state: str) -> None:
        inode = self._inode()
        for changed in changes:
            if self._stop.is_set() or inode is None or self._inode() != inode:
                self._incomplete.clear()
                return
            if changed is None:
                self._problem = ""
                self._observe(self._walk(self.root))
                self._mention_left_out()
            else:
                self._observe(path for name in changed for path in self._below(name))
            problem = self._problem
            try:
                if self._files.is_new:
                    self._create_history()
                self._report_complete()
            except StorageError as error:
                problem = error.title  # files are only reported when that is recorded: they wait
            self._set_status(state=state, problem=problem)

    def _inode(self) -> tuple[int, int] | None:
        try:
            found = self.root.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _set_status(self, **changes: object) -> None:
        status = replace(self._status, waiting=len(self._incomplete), **changes)
        if status != self._status:
            self._status = status
            self._post(FolderStatusChanged(status))

    # --- observing -----------------------------------------------------------------------------

    def _walk(self, folder: Path) -> Iterator[str]:
        return walk(str(folder), self._excluded, self._refused)

    def _refused(self, folder: str, error: OSError) -> None:
        """Say once that a folder cannot be read; of the watched one that is its status."""
        if folder == str(self.root):
            self._problem = f"{folder} cannot be read: {reason_of(error)}"
        elif folder not in self._unreadable and kind_of(error) is not DiskErrorKind.MISSING:
            self._unreadable.add(folder)
            text = f"The folder {folder} cannot be read and is left out: {reason_of(error)}"
            self._post(FolderLogLine(Level.WARNING, printable(text)))

    def _below(self, name: str) -> Iterator[str]:
        """The files that a change affects: a folder may have been moved here with its files."""
        path = Path(name)
        for root in (self.root, self._real):  # some systems report the paths that links lead to
            if path.is_relative_to(root):
                relative = path.relative_to(root)
                break
        else:
            return iter(())
        path = self.root / relative
        folders = [*relative.parents][:-1]
        if any(self._is_excluded(self.root / one) for one in folders):
            return iter(())
        if path.is_dir() and not path.is_symlink():
            skipped = path == self.root or self._is_excluded(path)
            return iter(()) if skipped else self._walk(path)
        return iter((str(path),))

    def _is_excluded(self, folder: Path) -> bool:
        return is_kept_out(folder.name) or str(folder) in self._excluded

    def _observe(self, paths: Iterable[str]) -> None:
        now, below = time.monotonic(), len(os.path.join(self.root, ""))  # noqa: PTH118
        for path in paths:
            if self._stop.is_set():
                return
            kind = self._filter.kind(path[below:])
            if kind is FileKind.OTHER:
                continue
            seen = _observation(path)
            if seen is None:
                self._incomplete.pop(path, None)
            elif kind is FileKind.UNFINISHED:
                self._remember_unfinished(seen)
            elif not self._is_known(path, seen):
                before = self._incomplete.get(path)
                unchanged = before is not None and seen.is_unchanged_from(before[0])
                self._incomplete[path] = seen, before[1] if before and unchanged else now

    def _mention_left_out(self) -> None:
        """Say once what is in the folder that is no recording; our transcripts are expected."""
        if self._mentioned:
            return
        self._mentioned = True
        below = len(os.path.join(self.root, ""))  # noqa: PTH118
        counts = Counter[str]()
        for path in self._walk(self.root):
            suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122
            is_other = self._filter.kind(path[below:]) is FileKind.OTHER
            if is_other and suffix not in OUTPUT_SUFFIXES:
                counts[suffix or "without extension"] += 1
        if text := left_out_text(counts.items()):
            text = f"Not taken from {self.root}: {text}"
            self._post(FolderLogLine(Level.INFO, printable(text)))

    def _remember_unfinished(self, seen: Observation) -> None:
        if len(self._unfinished) >= _MOST_UNFINISHED:
            self._unfinished.clear()
        self._unfinished[seen.inode] = None

    def _is_known(self, path: str, seen: Observation) -> bool:
        text = path_to_text(path)
        entry = self._files.at(text)
        if entry is None or text in self._missing:
            return False
        known = entry.known
        return (known.size, known.modified) == (seen.size, seen.modified)

    # --- reporting -----------------------------------------------------------------------------

    def _create_history(self) -> None:
        """Create the history of a folder that is watched for the first time."""
        entries: list[ProcessedFile] = []
        if self.folder.existing == "ignore":
            for path in self._incomplete:
                with contextlib.suppress(OSError):
                    entries.append(processed_file(path, identify(Path(path)), "left"))
        self._files.create(entries)
        if self.folder.existing == "ignore":
            self._incomplete.clear()
        if entries:
            text = f"Ignoring {plural(len(entries), 'existing file')} in {self.root}"
            self._post(FolderLogLine(Level.INFO, printable(text)))

    def _report_complete(self) -> None:
        ready = iter(self._complete())
        while paths := tuple(islice(ready, PORTION)):
            portion = _Portion()
            for path in paths:
                self._classify(path, portion)
            self._files.add(portion.entries)
            for path in portion.handled:
                seen, _ = self._incomplete.pop(path)
                self._unfinished.pop(seen.inode, None)
            for message in portion.messages:
                self._post(message)
            if portion.arrived:
                self._post(FilesArrived(self.folder.path, tuple(portion.arrived)))
                self._set_status(taken=self._status.taken + len(portion.arrived))

    def _complete(self) -> list[str]:
        """The files that are complete now."""
        now = Clocks(time.monotonic(), time.time_ns())
        self._observe(list(self._incomplete))  # up to the moment
        ready = [
            path
            for path, (seen, since) in self._incomplete.items()
            if self._is_due(seen, since, now)
        ]
        if not ready:
            return []
        written = being_written(ready)
        held = self._held_back(ready)
        return [path for path in ready if path not in written and path not in held]

    def _held_back(self, paths: Iterable[str]) -> set[str]:
        """The files beside which a downloader notes that they are not complete; said once each."""
        names: dict[str, list[str]] = {}
        held = set()
        for path in paths:
            folder, name = os.path.split(path)
            if folder not in names:
                names[folder] = _names_in(folder)
            if other := sidecar(name, names[folder]):
                held.add(path)
                if path not in self._held:
                    text = f"{path} waits: {other} beside it says that it is not complete"
                    self._post(FolderLogLine(Level.INFO, printable(text)))
        self._held = (self._held | held) & (set(self._incomplete) | held)
        return held

    def _is_due(self, seen: Observation, since: float, now: Clocks) -> bool:
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

    def _classify(self, path: str, portion: "_Portion") -> None:
        identity = self._identify(path)
        # Of two copies, the second one is classified when the first is recorded.
        if identity is None or identity.digest in portion.digests:
            return
        portion.digests.add(identity.digest)
        portion.handled.append(path)
        text = path_to_text(path)
        relation, known = compare(text, identity, self._files)
        if known is None or relation is Relation.NEW:
            portion.entries.append(processed_file(path, identity, "queued", self._session))
            portion.arrived.append(text)
        elif relation is Relation.COPY:
            portion.entries.append(processed_file(path, identity, "left"))
            copy = f"Ignoring {path}: it is a copy of {text_to_path(known.path)}"
            portion.messages.append(FolderLogLine(Level.INFO, printable(copy)))
        else:
            if relation is Relation.RENAMED:
                portion.entries.append(replace(known, status="forgotten"))
            if known.status == "queued":
                portion.messages.append(FileRenamed(self.folder.path, known.path, text))
            portion.entries.append(replace(known, path=text, identity=str(identity)))


class _Portion:
    """Results for some complete files, to be recorded together."""

    def __init__(self) -> None:
        self.entries: list[ProcessedFile] = []
        self.handled: list[str] = []
        self.arrived: list[str] = []
        self.messages: list[FolderMessage] = []
        self.digests: set[str] = set()


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - thousands of strings
    except OSError:
        return []


def _observation(path: str) -> Observation | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - thousands of them
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return Observation(
        found.st_size, found.st_mtime_ns, found.st_ctime_ns, (found.st_dev, found.st_ino)
    )
