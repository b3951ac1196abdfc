"""A little of `python -m tests.fuzz`, and what it found once."""

from pathlib import Path
from random import Random

import pytest

from fwtui.errors import BadMediaError
from tests.audio.making import decode
from tests.fuzz.__main__ import try_media
from tests.fuzz.documents import try_documents
from tests.fuzz.driver import MEMORY_MB
from tests.fuzz.mutate import mutate
from tests.fuzz.seeds import wav

MANY_FILES = 100
SEED = 7


def test_mutated_media_files_are_decoded_or_refused(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    totals = try_media(MANY_FILES, SEED, tmp_path, kept)
    print(totals)
    assert totals.problems == []
    assert totals.ends["decoded"] > 20
    assert totals.ends["bad_media"] > 20
    assert totals.peak_mb < MEMORY_MB / 2


def test_mutated_settings_and_sessions_are_read_or_refused(tmp_path: Path) -> None:
    assert try_documents(60, SEED, tmp_path) == []


def test_the_same_numbers_make_the_same_file() -> None:
    data = bytes(range(256))
    made = [mutate(data, Random(seed)) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


def test_a_sample_rate_that_is_none_is_refused(tmp_path: Path) -> None:
    """Resampled, three hours of a ten kilobyte file took 1.6 GB of memory at once."""
    path = tmp_path / "one-hertz.wav"
    path.write_bytes(wav(1, 1, 8, bytes(range(256)) * 40))
    with pytest.raises(BadMediaError, match="claims 1 samples per second"):
        decode(path, tmp_path / "out.wav")


@pytest.mark.parametrize("name", ["cut.mka", "changed.asf"])
def test_damage_is_not_taken_for_a_bad_disk_or_a_want_of_rights(name: str, tmp_path: Path) -> None:
    """FFmpeg says "Input/output error" and "Permission denied" of these."""
    path = tmp_path / name
    path.write_bytes((Path(__file__).parent / "found" / name).read_bytes())
    with pytest.raises(BadMediaError, match="Not a media file, or damaged"):
        decode(path, tmp_path / "out.wav")
