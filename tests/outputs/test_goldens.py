"""Byte for byte what whisper-ctranslate2 0.5.8 writes for the same segments."""

from pathlib import Path

import pytest

from fwtui.outputs.formats.registry import render
from tests.outputs.cases import CASES, OPTIONS, golden_names

FOLDER = Path(__file__).parent.parent / "data" / "writers"


@pytest.mark.parametrize(("case", "options", "name"), golden_names())
def test_equal_to_whisper_ctranslate2(case: str, options: str, name: str) -> None:
    golden = (FOLDER / f"{case}.{options}.{name}").read_bytes()
    assert b"".join(render(CASES[case], name, OPTIONS[options])) == golden


def test_every_golden_is_compared() -> None:
    compared = {".".join(names) for names in golden_names()}
    assert {path.name for path in FOLDER.iterdir() if not path.name.startswith(".")} == compared
