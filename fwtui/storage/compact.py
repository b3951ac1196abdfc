"""Compaction: a new snapshot, and a journal with nothing but the progress of unfinished files.

The order is what makes it safe. Both new files are complete on the disk before anything is
renamed; then the snapshot (generation + 1) takes its name, then the journal. Between the two
renames the old journal is behind the snapshot: `load` then takes only the progress from it.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from fwtui.core.job import JobId
from fwtui.disk.files import PRIVATE_FILE, FileSystem
from fwtui.sessions.journal import Header, encode_line, mark_of
from fwtui.sessions.paths import SessionFiles
from fwtui.sessions.replay import Progress, ProgressBook, Roster
from fwtui.sessions.snapshot import encode_snapshot
from fwtui.storage.atomic import remove_quietly, write_temp
from fwtui.storage.faults import storage_error
from fwtui.storage.journal_file import JournalFile


class Rewrite:
    """The journal of a new generation while it is written: its lines, and where they will be."""

    def __init__(
        self, header: Header, old: JournalFile | None, progress: dict[JobId, Progress]
    ) -> None:
        self._header = header
        self._old = old
        self._progress = progress
        self.book = ProgressBook()
        self.length = 0
        self.problems: list[str] = []

    @property
    def generation(self) -> int:
        """The new generation."""
        return self._header.generation

    def lines(self) -> Iterator[bytes]:
        """The new journal, line by line."""
        yield self._add(encode_line(self._header))
        if self._old is not None:
            for job_id, progress in self._progress.items():
                yield from self._copy(self._old, job_id, progress)

    def _copy(self, old: JournalFile, job_id: JobId, progress: Progress) -> Iterator[bytes]:
        for line in old.lines((progress.plan, *progress.windows)):
            record = mark_of(line)
            if record is None:
                self.problems.append(
                    f"The journal of session {self._header.session_id} was damaged on the disk; "
                    f"file {job_id} goes on from its last readable window"
                )
                return
            self.book.apply(record, self.length)
            yield self._add(line)

    def _add(self, line: bytes) -> bytes:
        self.length += len(line)
        return line


class Prepared(msgspec.Struct, frozen=True):
    """The new files of a session, on the disk but not yet in place."""

    snapshot: Path
    journal: Path
    length: int


def prepare(paths: SessionFiles, roster: Roster, rewrite: Rewrite, files: FileSystem) -> Prepared:
    """Write the new files. Raises StorageError; nothing has changed then."""
    journal = write_temp(paths.journal, rewrite.lines(), PRIVATE_FILE, files=files)
    chunks = encode_snapshot(roster, rewrite.generation, rewrite.book.files)
    try:
        snapshot = write_temp(paths.snapshot, chunks, PRIVATE_FILE, files=files)
    except BaseException:
        remove_quietly(journal, files)
        raise
    return Prepared(snapshot, journal, rewrite.length)


def commit(
    paths: SessionFiles, prepared: Prepared, old: JournalFile | None, files: FileSystem
) -> JournalFile:
    """Put the new files in place; returns the open journal.

    Raises StorageError; the old journal may be behind the snapshot then, and nothing may be
    appended to it any more until a compaction succeeds.
    """
    try:
        files.replace(prepared.snapshot, paths.snapshot)
        files.sync_folder(paths.directory)
        if old is not None:
            old.let_go_of_name()
        files.replace(prepared.journal, paths.journal)
        files.sync_folder(paths.directory)
    except OSError as error:
        remove_quietly(prepared.snapshot, files)
        remove_quietly(prepared.journal, files)
        raise storage_error(error, paths.snapshot, "write") from error
    return JournalFile(paths.journal, prepared.length, files)
