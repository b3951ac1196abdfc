"""Rules of the code's structure. `python -m tests.house` prints the figures."""

import re

from tests import house

LONGEST_CYCLE = 3
LONGEST_FUNCTION = 66  # lines; the median is 6


def test_no_public_class_name_stands_twice() -> None:
    assert house.repeated_class_names() == {}


def test_no_module_name_stands_twice() -> None:
    assert house.repeated_module_names() == {}


def test_no_class_was_cut_in_two_by_inheritance() -> None:
    assert house.single_subclasses() == {}


def test_modules_import_each_other_in_small_circles_only() -> None:
    assert [cycle for cycle in house.import_cycles() if len(cycle) > LONGEST_CYCLE] == []


def test_functions_are_short() -> None:
    lengths = house.function_lengths().items()
    assert {name: lines for name, lines in lengths if lines > LONGEST_FUNCTION} == {}


def test_files_that_the_architecture_names_are_there() -> None:
    text = (house.ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.(?:py|tcss))`", text))
    assert named
    missing = {
        name
        for name in named
        if not (house.ROOT / house.PACKAGE / name).exists() and not (house.ROOT / name).exists()
    }
    assert missing == set()
