"""Compaction of a session: a new snapshot, and a journal with the progress inside files alone.

Two renames, the snapshot first. After a crash between them the journal is of the generation before
the snapshot: its changes are in the snapshot already, its progress still counts.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from fwtui.core.job import JobId
from fwtui.disk.files import PRIVATE_FILE, FileSystem, remove_quietly, storage_error, write_temp
from fwtui.sessions.journal import (
    JournalFile,
    JournalHeader,
    SettingsRecord,
    encode_line,
    mark_of,
)
from fwtui.sessions.replay import FileProgress, ProgressIndex, SessionContent
from fwtui.sessions.session_files import SessionFiles
from fwtui.sessions.snapshot import encode_snapshot


class JournalRewrite:
    """The lines of a new journal, and the progress that they hold.

    `progress` is that of unfinished files; `turns` are kept of completed ones, too.
    """

    def __init__(
        self,
        header: JournalHeader,
        old: JournalFile | None,
        progress: dict[JobId, FileProgress],
        turns: dict[JobId, int],
        settings: SettingsRecord,
    ) -> None:
        self._header = header
        self._settings = settings
        self._old = old
        self._progress = progress
        self._turns = turns
        self.index = ProgressIndex()
        self.length = 0
        self.problems: list[str] = []

    @property
    def generation(self) -> int:
        """The new generation."""
        return self._header.generation

    def lines(self) -> Iterator[bytes]:
        """The new journal, line by line.

        The settings are those of the snapshot: they are there in case that one is damaged.
        """
        yield self._add(encode_line(self._header))
        yield self._add(encode_line(self._settings))
        if self._old is not None:
            for job_id, progress in self._progress.items():
                lines = (progress.plan, *progress.windows, *progress.groups)
                yield from self._copy(self._old, job_id, lines)
            for job_id, offset in self._turns.items():
                yield from self._copy(self._old, job_id, (offset,))

    def _copy(self, old: JournalFile, job_id: JobId, lines: Sequence[int]) -> Iterator[bytes]:
        for line in old.lines(lines):
            record = mark_of(line)
            if record is None:
                self.problems.append(
                    f"The journal of session {self._header.session_id} was damaged on the disk; "
                    f"file {job_id} resumes after its last readable record"
                )
                return
            self.index.apply(record, self.length)
            yield self._add(line)

    def _add(self, line: bytes) -> bytes:
        self.length += len(line)
        return line


class NewGeneration(msgspec.Struct, frozen=True):
    """The new files of a session under temporary names."""

    snapshot: Path
    journal: Path
    length: int


def write_generation(
    paths: SessionFiles, content: SessionContent, rewrite: JournalRewrite, files: FileSystem
) -> NewGeneration:
    """Write the new files under temporary names. Raises StorageError; nothing has changed then."""
    journal = write_temp(paths.journal, rewrite.lines(), PRIVATE_FILE, files=files)
    # The first journal has nothing to continue: it may be missing after a crash at the creation.
    chunks = encode_snapshot(
        content,
        rewrite.generation,
        rewrite.index.files,
        lambda: rewrite.length if rewrite.generation else 0,
    )
    try:
        snapshot = write_temp(paths.snapshot, chunks, PRIVATE_FILE, files=files)
    except BaseException:
        remove_quietly(journal, files)
        raise
    return NewGeneration(snapshot, journal, rewrite.length)


def install_generation(
    paths: SessionFiles, new: NewGeneration, old: JournalFile | None, files: FileSystem
) -> JournalFile:
    """Rename the new files; returns the open journal.

    Raises StorageError; the old journal may be behind the snapshot then, and nothing may be
    appended to it until a compaction succeeds.
    """
    try:
        files.replace(new.snapshot, paths.snapshot)
        files.sync_folder(paths.directory)
        if old is not None:
            old.allow_replacement()
        files.replace(new.journal, paths.journal)
        files.sync_folder(paths.directory)
    except OSError as error:
        remove_quietly(new.snapshot, files)
        remove_quietly(new.journal, files)
        raise storage_error(error, paths.snapshot, "write") from error
    return JournalFile(paths.journal, new.length, files)
