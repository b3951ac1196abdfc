"""The natural order of names."""

import pytest

from fwtui.core.text import in_natural_order


@pytest.mark.parametrize(
    "ordered",
    [
        [],
        ["9", "10", "a1b", "A2", "a10", "b"],
        ["part 1", "part 2", "part 10"],
        ["take 2 of 10", "take 10 of 9", "take 10 of 10"],
        ["20240101", "20240101120000", "20240101120001"],
        ["A", "a", "b"],
        ["x 9" + "0" * 20, "x 1" + "0" * 22],
        ["01", "1", "001a", "2"],
        ["\u0663", "\u0664b", "\u0661\u0660"],
        ["2\udcff", "10\udcff"],
        [f"part-{number}.mp3" for number in range(1, 2000)],
    ],
)
def test_numbers_count_as_numbers(ordered: list[str]) -> None:
    assert in_natural_order(reversed(ordered)) == ordered
    assert in_natural_order(ordered) == ordered
