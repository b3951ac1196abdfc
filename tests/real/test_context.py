"""Long lists of hotwords and long prompts leave room for the text."""

from pathlib import Path

import pytest

from fwtui.core.settings import DecodingSettings
from tests.real.decoding import text, windows_of

HOTWORDS = {
    "names": "Brzęczyszczykiewicz, Venkatasubramanian, Dnipropetrovsk, Llanfairpwllgwyngyll, " * 8,
    "japanese": "東京特許許可局、量子力学、" * 20,
}


@pytest.mark.parametrize("script", HOTWORDS)
def test_speech_beside_many_hotwords_is_transcribed(
    base: Path, recordings: Path, tmp_path: Path, script: str
) -> None:
    for batched in (False, True):
        decoding = DecodingSettings(
            hotwords=HOTWORDS[script], initial_prompt=HOTWORDS["names"] * 2, language="en",
            beam_size=1, batched=batched,
        )  # fmt: skip
        plan, found = windows_of(base, recordings / "jfk.flac", tmp_path, decoding)
        assert "what you can do for your country" in text(found)
        assert [warning.split()[0] for warning in plan.warnings] == ["hotwords", "the"]
