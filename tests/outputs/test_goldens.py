"""Byte for byte what whisper-ctranslate2 0.5.8 writes for the same segments.

But for WebVTT, where it does not write `&`, `<` and `>` as references, as browsers need.
"""

import re
from pathlib import Path

import pytest

from fwtui.outputs.formats.registry import render
from tests.outputs.cases import CASES, OPTIONS, golden_names

FOLDER = Path(__file__).parent.parent / "data" / "writers"


@pytest.mark.parametrize(("case", "options", "name"), golden_names())
def test_equal_to_whisper_ctranslate2(case: str, options: str, name: str) -> None:
    golden = (FOLDER / f"{case}.{options}.{name}").read_bytes()
    if name == "vtt":
        golden = _with_references(golden.decode()).encode()
    assert b"".join(render(CASES[case], name, OPTIONS[options])) == golden


def _with_references(vtt: str) -> str:
    """The file with its texts escaped, but not the lines of times and the highlighting."""
    lines = [
        line if re.match(r"[\d:.]+ --> ", line) else re.sub("[&<>]", _reference, line)
        for line in vtt.split("\n")
    ]
    return re.sub("&lt;(/?u)&gt;", r"<\1>", "\n".join(lines))


def _reference(found: re.Match[str]) -> str:
    return {"&": "&amp;", "<": "&lt;", ">": "&gt;"}[found[0]]


def test_every_golden_is_compared() -> None:
    compared = {".".join(names) for names in golden_names()}
    assert {path.name for path in FOLDER.iterdir() if not path.name.startswith(".")} == compared
