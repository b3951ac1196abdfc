"""Numbers and names of speakers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwtui.core.speakers import (
    Turn,
    in_order_of_appearance,
    is_speaker_name,
    speaker_labels,
    speaker_names,
)


def test_numbers_are_in_the_order_of_first_appearance() -> None:
    turns = in_order_of_appearance([Turn(5, 6, 3), Turn(1, 2, 7), Turn(3, 4, 1), Turn(8, 9, 7)])
    assert [(turn.start, turn.speaker) for turn in turns] == [(1, 0), (3, 1), (5, 2), (8, 0)]


def test_labels_are_those_of_whisperx_unless_there_is_a_name() -> None:
    turns = (Turn(0, 1, 0), Turn(1, 2, 1), Turn(2, 3, 12))
    assert speaker_labels(turns, "SPEAKER", {1: "Ben", 5: "Nobody"}) == {
        0: "SPEAKER_00",
        1: "Ben",
        12: "SPEAKER_12",
    }
    assert speaker_labels(turns, "PARLANT", {})[0] == "PARLANT_00"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (None, {}),
        ("", {}),
        ("00=Anna,01=Ben", {0: "Anna", 1: "Ben"}),
        (" 0 = Anna Müller , SPEAKER_12=李 , ", {0: "Anna Müller", 12: "李"}),
        ("PARLANT_3=Zoë O'Neil", {3: "Zoë O'Neil"}),
    ],
)
def test_names_that_are_read(text: str | None, names: dict[int, str]) -> None:
    assert dict(speaker_names(text)) == names


REFUSED = ["Anna", "=Anna", "00=", "00=A,0=B", "x=A", "-1=A", "٣=A", "00=[A]", "00=A=B"]
REFUSED += ["99999=A", "00=A\x1b[0m", "00=A\nB", "1.5=A", "00=" + "x" * 61]


@pytest.mark.parametrize("text", REFUSED)
def test_names_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        speaker_names(text)


LETTERS = st.characters(exclude_categories=("C", "Z"), exclude_characters="[]=,")
NAMES = st.text(LETTERS | st.just(" "), min_size=1).map(str.strip).filter(is_speaker_name)


@given(st.dictionaries(st.integers(0, 9999), NAMES, max_size=4))
def test_every_name_that_is_allowed_can_be_given_in_a_setting(names: dict[int, str]) -> None:
    assert speaker_names(",".join(f"{at:02d}={name}" for at, name in names.items())) == names
