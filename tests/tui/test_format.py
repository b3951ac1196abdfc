import math
from datetime import datetime

import pytest

from fwtui.core.text import clock, percent
from fwtui.tui.formatting import (
    elapsed,
    ends_at,
    file_count,
    file_size,
    fraction,
    memory_size,
    speed_factor,
    time_span,
    timestamp,
)

NOW = datetime(2026, 3, 14, 15, 9)


def test_times() -> None:
    assert [clock(s) for s in (0, 59.6, 3599, 3725, 360_000)] == [
        "0:00",
        "1:00",
        "59:59",
        "1:02:05",
        "100:00:00",
    ]
    assert [timestamp(s) for s in (0, 59.97, 3725.04)] == ["00:00.0", "01:00.0", "1:02:05.0"]
    assert [time_span(s) for s in (45, 600, 3590, 11_100, 200_000)] == [
        "45 s",
        "10 min",
        "1 h 00 min",
        "3 h 05 min",
        "2 d 7 h",
    ]
    assert elapsed(0.34) == "0.3 s"
    assert elapsed(75) == "1:15"


def test_the_end_names_the_day_when_it_is_not_today() -> None:
    assert ends_at(NOW, 3600) == "16:09"
    assert ends_at(NOW, 36_000) == "Sun 01:09"


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_nonsense_is_not_shown(value: float) -> None:
    assert clock(value) == ""
    assert ends_at(NOW, value) == ""
    assert speed_factor(value) == ""
    assert timestamp(value) == "00:00.0"


def test_amounts() -> None:
    assert [speed_factor(x) for x in (0.54, 9.94, 27.3)] == ["0.5", "9.9", "27"]
    assert [memory_size(x) for x in (47.4, 1536)] == ["47 MB", "1.5 GB"]
    assert [file_size(x) for x in (12, 2048, 3_000_000)] == ["12 B", "2.0 KB", "2.9 MB"]
    assert [file_count(n) for n in (1, 2, 12_345)] == ["1 file", "2 files", "12,345 files"]


def test_a_hundred_percent_means_all() -> None:
    assert percent(0.9999) == "99%"
    assert percent(1.0) == "100%"
    assert fraction(5, 0) == 0.0
