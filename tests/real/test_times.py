"""Times stay inside in every mode, with every recording."""

from pathlib import Path
from typing import Any

import pytest

from fwtui.core.settings import DecodingSettings
from tests.engine.test_inside import check_windows
from tests.real.decoding import segments, windows_of

MODES: dict[str, dict[str, Any]] = {
    "plain": {},
    "words": {"word_timestamps": True},
    "vad": {"vad_filter": True, "word_timestamps": True},
    "batched": {"batched": True},
    "batched words": {"batched": True, "word_timestamps": True},
}


@pytest.mark.parametrize("mode", MODES)
def test_times_stay_inside(tiny_en: Path, recordings: Path, tmp_path: Path, mode: str) -> None:
    decoding = DecodingSettings(beam_size=1, temperature_increment_on_fallback=None, **MODES[mode])
    found = 0
    for path in sorted(recordings.iterdir()):
        if path.suffix not in {".mp3", ".flac", ".wav"}:
            continue
        plan, windows = windows_of(tiny_en, path, tmp_path, decoding)
        check_windows(windows, decoding, plan.duration)
        found += len(segments(windows))
    assert found > 10
