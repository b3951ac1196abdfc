"""History of a watched folder: which of its files were processed, kept for good.

`<name>.taken` has lines as in the journal: first a header, then one line for each change of a
file's status; the last one about a path counts. `<name>.lock` is held by the fwtui that watches.
"""

import contextlib
import filecmp
import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from fwtui.audio.identity import Identity
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.watched_folder import WatchedFolder
from fwtui.disk.codec import UNREADABLE, encode_checked, framed, unframed
from fwtui.disk.files import (
    FILES,
    PRIVATE_FILE,
    FileSystem,
    ensure_folder,
    open_regular,
    read_regular,
    storage_error,
    write_atomic,
)
from fwtui.disk.lock import SessionLock, holder_of
from fwtui.errors import SessionInUseError, StorageError
from fwtui.sessions.journal import JournalFile

FORMAT = 1

# left: ignored (it existed before, is a copy, or was removed from the queue); queued: in the queue
# of the session, or about to be; done: nothing remains to be done; forgotten: as if never seen.
FileStatus = Literal["left", "queued", "done", "forgotten"]


class HistoryHeader(msgspec.Struct, frozen=True, tag="header"):
    """First line: the folder, the version of the format, and the folder's inode (0: not known)."""

    folder: str
    version: int = FORMAT
    inode: int = 0


class ProcessedFile(msgspec.Struct, frozen=True, tag="file"):
    """A file and its status. `path` as `path_to_text`, `identity` as its `str`."""

    path: str
    identity: str
    status: FileStatus = msgspec.field(name="fate")
    session: str = ""

    @property
    def known(self) -> Identity:
        """The identity of the file."""
        return Identity.parse(self.identity)


_lines: msgspec.json.Decoder[HistoryHeader | ProcessedFile] = msgspec.json.Decoder(
    HistoryHeader | ProcessedFile
)


class ProcessedFiles:
    """The files of one folder. Thread-safe; changes are durable, and raise StorageError."""

    def __init__(self, path: Path, folder: str, lock: SessionLock, files: FileSystem) -> None:
        """Use `open`."""
        self._path = path
        self._folder = folder
        self._lock = lock
        self._files = files
        self._guard = threading.RLock()
        self._journal: JournalFile | None = None
        self._by_path: dict[str, ProcessedFile] = {}
        self._by_digest: dict[str, dict[str, ProcessedFile]] = {}
        self.problem = ""

    @classmethod
    def open(cls, directory: Path, folder: str, files: FileSystem = FILES) -> "ProcessedFiles":
        """Open the history of a folder (`path_to_text`), and lock it until `close`.

        It is new if the folder was never watched; `create` writes it then. A damaged file is
        copied, and `problem` says so. Raises SessionInUseError or StorageError.
        """
        path = history_path(directory, folder)
        try:
            ensure_folder(directory, files)
        except OSError as error:
            raise storage_error(error, directory, "create") from error
        try:
            lock = SessionLock.acquire(path.with_suffix(".lock"), files)
        except SessionInUseError as error:
            raise _watched_already(path, folder) from error
        opened = cls(path, folder, lock, files)
        try:
            opened._load()
        except BaseException:
            opened.close()
            raise
        return opened

    @property
    def is_new(self) -> bool:
        """Whether the folder was never watched."""
        return self._journal is None

    def _load(self) -> None:
        try:
            data = read_regular(self._path, _LARGEST)
        except FileNotFoundError:
            return
        except OSError as error:
            raise storage_error(error, self._path, "read") from error
        end, lines = 0, 0
        for line in data.splitlines(keepends=True):
            record = _record(line)
            if record is None or isinstance(record, HistoryHeader) != (end == 0):
                break
            if isinstance(record, HistoryHeader) and record.version > FORMAT:
                raise StorageError(
                    f"{self._path} was written by a newer fwtui", "Use that version."
                )
            if isinstance(record, ProcessedFile):
                self._index(record)
            end, lines = end + len(line), lines + 1
        if b"\n" in data[end:] or end == 0:
            self._copy_damaged()
        if end == 0 or lines > 2 * len(self._by_path) + 1000:
            self._rewrite()
        else:
            self._journal = JournalFile(self._path, end, self._files)

    def _copy_damaged(self) -> None:
        """Copy the file: more than its last line is damaged, which fwtui itself cannot cause."""
        copy = self._path.with_suffix(f".damaged-{os.getpid()}")
        with contextlib.suppress(OSError, StorageError):
            write_atomic(copy, read_regular(self._path, _LARGEST), PRIVATE_FILE, files=self._files)
        self.problem = (
            f"The history of the watched folder {self._folder} is damaged. The part before the "
            f"damage is used; a copy of the whole file is {copy}"
        )

    def _rewrite(self) -> None:
        header = HistoryHeader(self._folder, inode=_inode(text_to_path(self._folder)))
        lines = [framed(msgspec.json.encode(header))]
        lines += [_line(entry) for entry in self._former()]
        lines += [_line(entry) for entry in self._by_path.values() if entry.status != "forgotten"]
        if self._journal is not None:
            self._journal.close()
        write_atomic(self._path, lines, PRIVATE_FILE, files=self._files)
        self._journal = JournalFile(self._path, sum(map(len, lines)), self._files)

    def _former(self) -> Iterator[ProcessedFile]:
        """Files whose paths have other content now."""
        for alike in self._by_digest.values():
            yield from (one for one in alike.values() if self._by_path[one.path] is not one)

    def create(self, entries: Iterable[ProcessedFile] = ()) -> None:
        """Write a new history with these files, atomically."""
        with self._guard:
            assert self.is_new
            for entry in entries:
                self._index(entry)
            self._rewrite()

    def add(self, entries: Sequence[ProcessedFile]) -> None:
        """Record the statuses of files."""
        with self._guard:
            if entries:
                if self._journal is None:
                    raise StorageError(f"The history of {self._folder} is closed")
                self._journal.append_lines([_line(entry) for entry in entries])
                for entry in entries:
                    self._index(entry)

    def set_status(self, path: str, status: FileStatus) -> None:
        """Change the status of a known file."""
        with self._guard:
            entry = self._by_path.get(path)
            if entry is not None and entry.status not in {status, "forgotten"}:
                self.add([replace(entry, status=status)])

    def _index(self, entry: ProcessedFile) -> None:
        before = self._by_path.get(entry.path)
        digest = entry.known.digest
        if before is not None and before.known.digest == digest:
            self._by_digest[digest].pop(entry.path, None)
        self._by_path[entry.path] = entry
        if entry.status != "forgotten":
            self._by_digest.setdefault(digest, {})[entry.path] = entry

    def at(self, path: str) -> ProcessedFile | None:
        """The file last seen at this path."""
        with self._guard:
            entry = self._by_path.get(path)
            return entry if entry is not None and entry.status != "forgotten" else None

    def with_content(self, digest: str) -> tuple[ProcessedFile, ...]:
        """All files that have or had this content."""
        with self._guard:
            return tuple(self._by_digest.get(digest, {}).values())

    def queued(self) -> tuple[ProcessedFile, ...]:
        """The files with the status `queued`."""
        with self._guard:
            return tuple(entry for entry in self._by_path.values() if entry.status == "queued")

    def close(self) -> None:
        """Unlock the folder. Closing twice is fine."""
        with self._guard:
            if self._journal is not None:
                self._journal.close()
            self._journal = None
            self._lock.release()


def history_path(directory: Path, folder: str) -> Path:
    """The file with the history of a folder (`path_to_text`)."""
    return directory / f"{hashlib.blake2b(folder.encode(), digest_size=12).hexdigest()}.taken"


def one_folder(folder: WatchedFolder, directory: Path) -> WatchedFolder:
    """The folder with the one path that it is known by, whatever path it was given by.

    That is the path by which it was watched before, else its real one: without links and `..`.
    Blocks on the disk; `directory` is that of the histories.
    """
    path = known_path(text_to_path(folder.path), directory)
    move_to = folder.move_to and path_to_text(os.path.realpath(text_to_path(folder.move_to)))
    return replace(folder, path=path_to_text(path), move_to=move_to)


def known_path(path: Path, directory: Path) -> Path:
    """The path by which a folder was watched before, else its real path."""
    real = Path(os.path.realpath(path))
    if _has_history(directory, real):
        return real
    if _has_history(directory, path):  # by a version that did not look where links lead
        return path
    try:
        own = real.stat()
    except OSError:
        return real
    for header in _headers(directory):
        other = text_to_path(header.folder)
        if header.inode in {0, own.st_ino} and _is_at(other, own):  # mounted at two places
            return other
    return real


def _has_history(directory: Path, folder: Path) -> bool:
    return os.path.lexists(history_path(directory, path_to_text(folder)))


def _headers(directory: Path) -> Iterator[HistoryHeader]:
    """The headers of all histories; those that cannot be read are left out."""
    with contextlib.suppress(OSError):
        for path in sorted(directory.glob("*.taken")):
            with contextlib.suppress(OSError), open_regular(path) as file:
                header = _record(file.readline(_LONGEST_HEADER))
                if isinstance(header, HistoryHeader):
                    yield header


_LONGEST_HEADER = 1 << 16
_LARGEST = 1 << 29  # bytes; a line of a file takes about 200


def _is_at(path: Path, found: os.stat_result) -> bool:
    try:
        return os.path.samestat(path.stat(), found)
    except (OSError, ValueError):
        return False


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def check_not_watched(directory: Path, folder: str) -> None:
    """Raise SessionInUseError if another fwtui watches the folder. Raises StorageError."""
    path = history_path(directory, folder)
    if holder_of(path.with_suffix(".lock")) is not None:
        raise _watched_already(path, folder)


def forget_folder(directory: Path, folder: str) -> None:
    """Delete the history of a folder, as if it had never been watched. Raises as `open`."""
    files = ProcessedFiles.open(directory, folder)
    try:
        FILES.unlink(history_path(directory, folder))
    except OSError as error:
        raise storage_error(error, directory, "delete in") from error
    finally:
        files.close()


def processed_file(
    path: Path | str, identity: Identity, status: FileStatus, session: str = ""
) -> ProcessedFile:
    """The entry for a file."""
    return ProcessedFile(path_to_text(path), str(identity), status, session)


def _line(entry: ProcessedFile) -> bytes:
    return framed(encode_checked(entry, _lines))


def _record(line: bytes) -> HistoryHeader | ProcessedFile | None:
    body = unframed(line)
    if body is None:
        return None
    try:
        return _lines.decode(body)
    except UNREADABLE:
        return None


def _watched_already(path: Path, folder: str) -> SessionInUseError:
    holder = holder_of(path.with_suffix(".lock"))
    by = f" by {holder}" if holder is not None else ""
    return SessionInUseError(
        f"The folder {folder} is already being watched{by}",
        "Attach to it with: fwtui attach; stop it with: fwtui stop",
    )


class Relation(Enum):
    """How a file relates to the known files."""

    NEW = auto()  # also a known path with new content
    TOUCHED = auto()  # known content with another date
    RENAMED = auto()
    COPY = auto()


class Comparison(NamedTuple):
    """The relation of a file, and the entry that it relates to."""

    relation: Relation
    known: ProcessedFile | None = None


def compare(path: str, identity: Identity, files: ProcessedFiles) -> Comparison:
    """Compare the file at `path` (`path_to_text`) with the known ones; may read both.

    Content decides: a renamed file is not new, one whose content was replaced is. Only files with
    the same size, beginning and end are compared in full.
    """
    before = files.at(path)
    if before is not None:
        same = before.known.digest == identity.digest
        return Comparison(Relation.TOUCHED, before) if same else Comparison(Relation.NEW, before)
    gone: ProcessedFile | None = None
    for other in files.with_content(identity.digest):
        if not _is_unchanged(other):
            gone = gone or other
        elif _same_content(path, other.path):
            return Comparison(Relation.COPY, other)
    return Comparison(Relation.RENAMED, gone) if gone is not None else Comparison(Relation.NEW)


def _is_unchanged(entry: ProcessedFile) -> bool:
    """Whether the file still exists unchanged."""
    try:
        status = os.stat(text_to_path(entry.path))  # noqa: PTH116
    except (OSError, ValueError):
        return False
    known = entry.known
    return (status.st_size, status.st_mtime_ns) == (known.size, known.modified)


def _same_content(one: str, other: str) -> bool:
    try:
        return filecmp.cmp(text_to_path(one), text_to_path(other), shallow=False)
    except OSError:
        return True  # it cannot be compared: assume the same, so that nothing is done twice
