"""The record of what was transcribed before."""

from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from fwtui.core.paths import path_to_text
from fwtui.outputs.history import NAME, TranscribedFile, TranscriptionHistory


def earlier(out: Path, **changes: object) -> TranscribedFile:
    first = TranscribedFile(
        content="c",
        modified=5,
        settings="s",
        source="/in/a.mp3",
        outputs=(path_to_text(out / "a.txt"), path_to_text(out / "a.srt")),
        at=datetime(2025, 12, 14, tzinfo=UTC),
    )
    return replace(first, **changes)


def test_what_was_added_is_found_by_another(tmp_path: Path) -> None:
    assert TranscriptionHistory(tmp_path).find("c", "s") == ()
    assert list(tmp_path.iterdir()) == []  # to look makes no file
    one = earlier(tmp_path)
    TranscriptionHistory(tmp_path).add(one)
    assert TranscriptionHistory(tmp_path).find("c", "s") == (one,)
    assert TranscriptionHistory(tmp_path).find("c", "other") == ()
    assert TranscriptionHistory(tmp_path).find("other", "s") == ()


def test_the_last_one_that_wrote_to_a_place_counts(tmp_path: Path) -> None:
    record = TranscriptionHistory(tmp_path)
    record.add(earlier(tmp_path))
    other = earlier(tmp_path, content="d", outputs=(path_to_text(tmp_path / "a.srt"),))
    record.add(other)
    assert record.find("c", "s") == ()
    assert record.find("d", "s") == (other,)


def test_it_is_there_only_with_all_of_its_outputs(tmp_path: Path) -> None:
    one = earlier(tmp_path)
    (tmp_path / "a.txt").touch()
    assert not one.has_outputs
    (tmp_path / "a.srt").touch()
    assert one.has_outputs


def test_a_file_that_is_no_record_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"no database" * 200)
    record = TranscriptionHistory(tmp_path)
    record.add(earlier(tmp_path))
    assert record.find("c", "s") == ()
    assert TranscriptionHistory(tmp_path / "nowhere").find("c", "s") == ()
    TranscriptionHistory(tmp_path / "nowhere").add(earlier(tmp_path))
