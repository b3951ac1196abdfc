"""Who looks for a message finds it."""

import re

import pytest

from fwtui.core.failure import FailureKind
from tests.docs.messages import Message, messages
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
ERRORS, OTHERS = PAGE.split("\n## Not an error\n")
HEADINGS = re.findall(r"^### (.+)$", ERRORS, re.MULTILINE)


@pytest.fixture(scope="module")
def found() -> list[Message]:
    """Not at import: each process that collects the tests would read the whole source."""
    return messages()


@pytest.mark.parametrize("kind", FailureKind)
def test_each_kind_of_failure_is_explained(kind: FailureKind) -> None:
    assert f"(`{kind}`)" in PAGE


def test_each_failure_of_the_engine_has_an_entry(found: list[Message]) -> None:
    titles = {message.title for message in found if message.module == "engine.classify"}
    assert len(titles) > 5
    assert titles - set(HEADINGS) == set()


def test_each_entry_is_of_a_message_that_there_is(found: list[Message]) -> None:
    assert HEADINGS
    assert set(HEADINGS) - {message.title for message in found} == set()


def test_messages_are_found_where_they_are_made(found: list[Message]) -> None:
    titles = {message.title: message for message in found}
    assert titles["no files given"].hint == "for example: fwtui run recordings/ --model small"
    assert titles["Out of memory"].package == "engine"
    assert titles["No audio track: …"].hint == "The file has no audio stream."
