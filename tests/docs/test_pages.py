"""The reference says what the code says."""

import pytest

from tests.docs.events_page import normalized
from tests.docs.pages import PAGES, ROOT, text_of


@pytest.mark.parametrize("name", PAGES)
def test_what_is_made_from_the_code_is_up_to_date(name: str) -> None:
    there = (ROOT / name).read_text(encoding="utf-8")
    assert there == text_of(name), "to mend it: python -m tests.docs"


def test_the_schema_is_the_same_with_every_version_of_msgspec() -> None:
    older = {
        "description": "First line.\n\n    Second\n    paragraph.\n    ",
        "properties": {"job": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/Job"}]}},
    }
    newer = {
        "description": "First line.\n\nSecond\nparagraph.",
        "properties": {"job": {"anyOf": [{"$ref": "#/$defs/Job"}, {"type": "null"}]}},
    }
    assert normalized(older) == normalized(newer) == newer
