import math
from datetime import datetime

import pytest

from fwtui.tui import text as fmt

NOW = datetime(2026, 3, 14, 15, 9)


def test_times() -> None:
    assert [fmt.clock(s) for s in (0, 59.6, 3599, 3725, 360_000)] == [
        "0:00",
        "1:00",
        "59:59",
        "1:02:05",
        "100:00:00",
    ]
    assert [fmt.stamp(s) for s in (0, 59.97, 3725.04)] == ["00:00.0", "01:00.0", "1:02:05.0"]
    assert [fmt.span(s) for s in (45, 600, 3590, 11_100, 200_000)] == [
        "45 s",
        "10 min",
        "1 h 00 min",
        "3 h 05 min",
        "2 d 7 h",
    ]
    assert fmt.took(0.34) == "0.3 s"
    assert fmt.took(75) == "1:15"


def test_the_end_names_the_day_when_it_is_not_today() -> None:
    assert fmt.ends_at(NOW, 3600) == "16:09"
    assert fmt.ends_at(NOW, 36_000) == "Sun 01:09"


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_nonsense_is_not_shown(value: float) -> None:
    assert fmt.clock(value) == ""
    assert fmt.ends_at(NOW, value) == ""
    assert fmt.speed(value) == ""
    assert fmt.stamp(value) == "00:00.0"


def test_amounts() -> None:
    assert [fmt.speed(x) for x in (0.54, 9.94, 27.3)] == ["0.5", "9.9", "27"]
    assert [fmt.memory(x) for x in (47.4, 1536)] == ["47 MB", "1.5 GB"]
    assert [fmt.size(x) for x in (12, 2048, 3_000_000)] == ["12 B", "2.0 KB", "2.9 MB"]
    assert [fmt.files(n) for n in (1, 2, 12_345)] == ["1 file", "2 files", "12,345 files"]


def test_a_hundred_percent_means_all() -> None:
    assert fmt.percent(0.9999) == "99%"
    assert fmt.percent(1.0) == "100%"
    assert fmt.share(5, 0) == 0.0
