"""The reference says what the code says."""

import pytest

from tests.docs.pages import PAGES, ROOT, text_of


@pytest.mark.parametrize("name", PAGES)
def test_what_is_made_from_the_code_is_up_to_date(name: str) -> None:
    there = (ROOT / name).read_text(encoding="utf-8")
    assert there == text_of(name), "to mend it: python -m tests.docs"
