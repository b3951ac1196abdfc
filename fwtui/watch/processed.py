"""Which files of a watched folder were taken: one ledger for each folder, kept for good.

`<name>.taken`, lines as in the journal: first a header, then one line whenever something becomes
of a file; the last one about a path counts. `<name>.lock` is held by the fwtui that watches.
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
from fwtui.disk.codec import UNREADABLE, encode_checked, framed, unframed
from fwtui.disk.files import (
    FILES,
    PRIVATE_FILE,
    FileSystem,
    ensure_folder,
    storage_error,
    write_atomic,
)
from fwtui.disk.lock import SessionLock, holder_of
from fwtui.errors import SessionInUseError, StorageError
from fwtui.sessions.journal import JournalFile

FORMAT = 1

# left: not taken (it was there before, or is a copy); queued: in the session's queue, or about to
# be; done: nothing more is to be done; forgotten: as if it had never been there.
Fate = Literal["left", "queued", "done", "forgotten"]


class Header(msgspec.Struct, frozen=True, tag="header"):
    """First line: whose ledger it is."""

    folder: str
    version: int = FORMAT


class Taken(msgspec.Struct, frozen=True, tag="file"):
    """A file, `path` as `path_to_text`, and what became of it. `identity` as its `str`."""

    path: str
    identity: str
    fate: Fate
    session: str = ""

    @property
    def known(self) -> Identity:
        """What the file was."""
        return Identity.parse(self.identity)


_lines: msgspec.json.Decoder[Header | Taken] = msgspec.json.Decoder(Header | Taken)


class TakenLedger:
    """Thread-safe; what changes it is durable when it returns, and raises StorageError."""

    def __init__(self, path: Path, folder: str, lock: SessionLock, files: FileSystem) -> None:
        """Use `open`."""
        self._path = path
        self._folder = folder
        self._lock = lock
        self._files = files
        self._guard = threading.RLock()
        self._journal: JournalFile | None = None
        self._by_path: dict[str, Taken] = {}
        self._by_digest: dict[str, dict[str, Taken]] = {}
        self.problem = ""

    @classmethod
    def open(cls, directory: Path, folder: str, files: FileSystem = FILES) -> "TakenLedger":
        """The ledger of a folder (`path_to_text`), which is ours until `close`.

        `is_new` if the folder was never watched; then `begin` makes it. What is damaged is kept
        aside, and `problem` says so. Raises SessionInUseError or StorageError.
        """
        path = ledger_path(directory, folder)
        try:
            ensure_folder(directory, files)
        except OSError as error:
            raise storage_error(error, directory, "create") from error
        try:
            lock = SessionLock.acquire(path.with_suffix(".lock"), files)
        except SessionInUseError as error:
            raise _watched_already(path, folder) from error
        ledger = cls(path, folder, lock, files)
        try:
            ledger._load()
        except BaseException:
            ledger.close()
            raise
        return ledger

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever written."""
        return self._journal is None

    def _load(self) -> None:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise storage_error(error, self._path, "read") from error
        end, lines = 0, 0
        for line in data.splitlines(keepends=True):
            record = _record(line)
            if record is None or isinstance(record, Header) != (end == 0):
                break
            if isinstance(record, Header) and record.version > FORMAT:
                raise StorageError(
                    f"The ledger {self._path} was written by a newer fwtui", "Use that one."
                )
            if isinstance(record, Taken):
                self._note(record)
            end, lines = end + len(line), lines + 1
        if b"\n" in data[end:] or end == 0:
            self._keep_aside()
        if end == 0 or lines > 2 * len(self._by_path) + 1000:
            self._rewrite()
        else:
            self._journal = JournalFile(self._path, end, self._files)

    def _keep_aside(self) -> None:
        """More than the last line is damaged: only a fault outside fwtui does that."""
        aside = self._path.with_suffix(f".damaged-{os.getpid()}")
        with contextlib.suppress(OSError, StorageError):
            write_atomic(aside, self._path.read_bytes(), PRIVATE_FILE, files=self._files)
        self.problem = (
            f"The ledger of the watched folder {self._folder} is damaged. What comes before the "
            f"damage counts; a copy of all of it is {aside}"
        )

    def _rewrite(self) -> None:
        lines = [framed(msgspec.json.encode(Header(self._folder)))]
        lines += [_line(entry) for entry in self._former()]
        lines += [_line(entry) for entry in self._by_path.values() if entry.fate != "forgotten"]
        if self._journal is not None:
            self._journal.close()
        write_atomic(self._path, lines, PRIVATE_FILE, files=self._files)
        self._journal = JournalFile(self._path, sum(map(len, lines)), self._files)

    def _former(self) -> Iterator[Taken]:
        """What was at paths that have other content now."""
        for alike in self._by_digest.values():
            yield from (one for one in alike.values() if self._by_path[one.path] is not one)

    def begin(self, entries: Iterable[Taken] = ()) -> None:
        """Make a new ledger with these files in it, in one step."""
        with self._guard:
            assert self.is_new
            for entry in entries:
                self._note(entry)
            self._rewrite()

    def add(self, entries: Sequence[Taken]) -> None:
        """Write down what became of files."""
        with self._guard:
            if entries:
                if self._journal is None:
                    raise StorageError(f"The ledger of {self._folder} is closed")
                self._journal.append_lines([_line(entry) for entry in entries])
                for entry in entries:
                    self._note(entry)

    def change(self, path: str, fate: Fate) -> None:
        """Something else became of a file; nothing to do if it is not known, or was so already."""
        with self._guard:
            entry = self._by_path.get(path)
            if entry is not None and entry.fate not in {fate, "forgotten"}:
                self.add([replace(entry, fate=fate)])

    def _note(self, entry: Taken) -> None:
        before = self._by_path.get(entry.path)
        digest = entry.known.digest
        if before is not None and before.known.digest == digest:
            self._by_digest[digest].pop(entry.path, None)
        self._by_path[entry.path] = entry
        if entry.fate != "forgotten":
            self._by_digest.setdefault(digest, {})[entry.path] = entry

    def at(self, path: str) -> Taken | None:
        """What is known of the file at this path."""
        with self._guard:
            entry = self._by_path.get(path)
            return entry if entry is not None and entry.fate != "forgotten" else None

    def like(self, digest: str) -> tuple[Taken, ...]:
        """All files that had this content, also those that have another one now."""
        with self._guard:
            return tuple(self._by_digest.get(digest, {}).values())

    def queued(self) -> tuple[Taken, ...]:
        """The files that are in a queue."""
        with self._guard:
            return tuple(entry for entry in self._by_path.values() if entry.fate == "queued")

    def close(self) -> None:
        """Let the folder go. Closing twice is fine."""
        with self._guard:
            if self._journal is not None:
                self._journal.close()
            self._journal = None
            self._lock.release()


def ledger_path(directory: Path, folder: str) -> Path:
    """The ledger of a folder (`path_to_text`)."""
    return directory / f"{hashlib.blake2b(folder.encode(), digest_size=12).hexdigest()}.taken"


def check_free(directory: Path, folder: str) -> None:
    """Raise SessionInUseError if another fwtui watches the folder. Raises StorageError."""
    path = ledger_path(directory, folder)
    if holder_of(path.with_suffix(".lock")) is not None:
        raise _watched_already(path, folder)


def forget_all(directory: Path, folder: str) -> None:
    """Forget all that is known of a folder, as if it had never been watched. Raises as `open`."""
    ledger = TakenLedger.open(directory, folder)
    try:
        FILES.unlink(ledger_path(directory, folder))
    except OSError as error:
        raise storage_error(error, directory, "delete in") from error
    finally:
        ledger.close()


def entry_of(path: Path | str, identity: Identity, fate: Fate, session: str = "") -> Taken:
    """The entry of a file."""
    return Taken(path_to_text(path), str(identity), fate, session)


def _line(entry: Taken) -> bytes:
    return framed(encode_checked(entry, _lines))


def _record(line: bytes) -> Header | Taken | None:
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
        f"The folder {folder} is watched already{by}",
        "See it with: fwtui attach, or end that watch with: fwtui stop",
    )


class Verdict(Enum):
    """What a file is."""

    NEW = auto()  # or other content than before
    TOUCHED = auto()  # the content that was taken, with another date
    RENAMED = auto()
    COPY = auto()


class Decision(NamedTuple):
    """What a file is, and the entry that it goes on from."""

    verdict: Verdict
    before: Taken | None = None


def decide(path: str, identity: Identity, ledger: TakenLedger) -> Decision:
    """Look the file at `path` (`path_to_text`) up. Reads files of the same digest.

    Content decides: a file that was taken is not taken again under another name, but one whose
    content was replaced is. Only files with the same size, beginning and end are compared whole.
    """
    before = ledger.at(path)
    if before is not None:
        same = before.known.digest == identity.digest
        return Decision(Verdict.TOUCHED, before) if same else Decision(Verdict.NEW, before)
    gone: Taken | None = None
    for other in ledger.like(identity.digest):
        if not _is_still(other):
            gone = gone or other
        elif _same_content(path, other.path):
            return Decision(Verdict.COPY, other)
    return Decision(Verdict.RENAMED, gone) if gone is not None else Decision(Verdict.NEW)


def _is_still(entry: Taken) -> bool:
    """Whether the file is there as it was."""
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
        return True  # it cannot be compared now: nothing is done twice
