"""The reference document's lines, to the character."""

import pytest

from fwtui.core.events import MemoryReading
from fwtui.memory.describe import after_cleanup, batch_line, file_finished, file_started


def reading(rss: float, vms: float = 2100, percent: float = 15.2) -> MemoryReading:
    return MemoryReading(
        rss=rss, vms=vms, percent=percent, peak_rss=rss, system_used=0, system_total=0
    )


def test_the_lines_of_the_reference_document() -> None:
    start, begun, done = reading(1250.4), reading(1300), reading(1450)
    cleaned = reading(1280, 2050, 14.8)
    assert batch_line("Batch start", start) == (
        "Batch start: Memory: 1250 MB (RSS), 2100 MB (VMS), 15.2%"
    )
    assert file_started("audio.mp3", begun) == "[File: audio.mp3] Starting - Memory: 1300 MB"
    assert file_finished("audio.mp3", done, begun) == (
        "[File: audio.mp3] Finished - Memory: 1450 MB (Δ +150 MB)"
    )
    assert after_cleanup(cleaned) == ("After cleanup: Memory: 1280 MB (RSS), 2050 MB (VMS), 14.8%")


@pytest.mark.parametrize(
    ("before", "after", "change"), [(10, 10, "+0"), (10.4, 9.6, "+0"), (10, 9, "-1")]
)
def test_the_change_agrees_with_the_numbers(before: float, after: float, change: str) -> None:
    assert file_finished("a", reading(after), reading(before)).endswith(f"(Δ {change} MB)")


def test_a_name_cannot_forge_a_line() -> None:
    line = file_started("a\n[12:00] \x1b[31mb\u202e\udcff", reading(1))
    assert line == "[File: a\\x0a[12:00] \\x1b[31mb\\u202e\\udcff] Starting - Memory: 1 MB"
