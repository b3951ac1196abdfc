"""Write `history-0.1/transcribed.sqlite3` as versions without a history of batches did.

Run with such a version only (commit 31fc9d7): `python -m tests.data.make_history`. Tests read the
file that it wrote; it is not made anew.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from fwtui.core.paths import path_to_text
from fwtui.outputs.history import NAME, TranscribedFile, TranscriptionHistory

FOLDER = Path(__file__).parent / "history-0.1"
NAMES = (
    "interview-müller.m4a",
    "lecture 07.flac",
    b"r\xe9union.mp3".decode(errors="surrogateescape"),
    "会議.wav",
    "evil \x1b[31m[red]\n.mp3",
)


def main() -> None:
    """Write the file."""
    (FOLDER / NAME).unlink(missing_ok=True)
    history = TranscriptionHistory(FOLDER)
    start = datetime(2026, 3, 14, 15, 9, 26, 535897, tzinfo=UTC)
    for number, name in enumerate(NAMES):
        source, stem = f"/data/in/{name}", f"/data/out/{Path(name).stem}"
        history.add(
            TranscribedFile(
                content=f"{number:032x}",
                modified=None if number == 3 else 1_700_000_000_000_000_000 + number,
                settings="f" * 32,
                source=path_to_text(source),
                outputs=(path_to_text(f"{stem}.txt"), path_to_text(f"{stem}.srt")),
                at=start + timedelta(days=number),
            )
        )


if __name__ == "__main__":
    main()
