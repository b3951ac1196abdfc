"""History of transcribed files by content and settings, so that they can be skipped.

A table of the database in the state folder, shared by all fwtuis. It is optional: without it, or
when it cannot be used, every file is transcribed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import msgspec

from fwtui.core.paths import text_to_path
from fwtui.outputs.history_file import KNOWN_FILES, NAME, HistoryFile

__all__ = ["NAME", "TranscribedFile", "TranscriptionHistory"]

MOST = 200_000  # files


_SELECT = (
    "select content, modified, settings, source, outputs, at from transcribed"
    " where {} order by number desc limit 20"
)


class TranscribedFile(msgspec.Struct, frozen=True):
    """A transcribed file. `content` and `modified` are those of its `Identity`.

    `settings` is a digest of everything that its outputs depend on; `source` and `outputs` are
    `path_to_text`.
    """

    content: str
    modified: int | None
    settings: str
    source: str
    outputs: tuple[str, ...]
    at: datetime

    @property
    def stem(self) -> str:
        """The path of its outputs without extension."""
        return self.outputs[0].rpartition(".")[0] if self.outputs else ""

    @property
    def has_outputs(self) -> bool:
        """Whether all of its outputs still exist; blocks on the disk."""
        return bool(self.outputs) and all(
            os.path.lexists(text_to_path(path)) for path in self.outputs
        )


class TranscriptionHistory:
    """The history in the folder `state`. No method raises."""

    def __init__(self, state: Path) -> None:
        self._file = HistoryFile(state)

    def find(self, content: str, settings: str) -> tuple[TranscribedFile, ...]:
        """Files with this content that were transcribed with these settings, the last first."""
        return self._select("content = ? and settings = ?", content, settings)

    def with_content(self, content: str) -> tuple[TranscribedFile, ...]:
        """Files with this content, the last first."""
        return self._select("content = ?", content)

    def owner(self, stem: str) -> TranscribedFile | None:
        """The file whose outputs have this path without extension (`path_to_text`)."""
        return next(iter(self._select("stem = ?", stem)), None)

    def sources_in(self, folder: str) -> dict[str, str]:
        """Whose outputs are below a folder: sources by `stem`. All as by `path_to_text`."""
        with _errors_ignored():
            if not self._file.exists:
                return {}
            first = f"{folder.rstrip('/')}/"
            with self._file.open() as db:
                rows = db.execute(
                    "select stem, source from transcribed where stem >= ? and stem < ?",
                    (first, f"{first}\U0010ffff"),
                )
                return dict(rows.fetchall())
        return {}

    def _select(self, condition: str, *values: str) -> tuple[TranscribedFile, ...]:
        with _errors_ignored():
            if not self._file.exists:
                return ()
            with self._file.open() as db:
                rows = db.execute(_SELECT.format(condition), values)
                return tuple(_earlier(row) for row in rows)
        return ()

    def add(self, earlier: TranscribedFile) -> None:
        """Add a file; one whose outputs had the same names before is removed."""
        stem = earlier.stem
        values = (
            earlier.content,
            earlier.modified,
            earlier.settings,
            earlier.source,
            stem,
            msgspec.json.encode(earlier.outputs).decode(),
            earlier.at.isoformat(),
        )
        with _errors_ignored(), self._file.open() as db:
            db.executescript(KNOWN_FILES)
            db.execute("delete from transcribed where stem = ?", (stem,))
            cursor = db.execute(
                "insert into transcribed"
                " (content, modified, settings, source, stem, outputs, at)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                values,
            )
            oldest = (cursor.lastrowid or 0) - MOST
            db.execute("delete from transcribed where number <= ?", (oldest,))


@contextmanager
def _errors_ignored() -> Iterator[None]:
    """A history that cannot be used counts as empty."""
    import sqlite3

    with suppress(sqlite3.Error, OSError, ValueError):
        yield


def _earlier(row: tuple[str, int | None, str, str, str, str]) -> TranscribedFile:
    content, modified, settings, source, outputs, at = row
    known = msgspec.json.decode(outputs, type=tuple[str, ...])
    return TranscribedFile(content, modified, settings, source, known, datetime.fromisoformat(at))
