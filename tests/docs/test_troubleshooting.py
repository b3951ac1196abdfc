"""Who looks for a message finds it."""

import re

import pytest

from fwtui.core.failure import FailureKind
from tests.docs.messages import Message, messages
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
ERRORS, OTHERS = PAGE.split("\n## No error, but\n")
HEADINGS = re.findall(r"^### (.+)$", ERRORS, re.MULTILINE)
FOUND = messages()


@pytest.mark.parametrize("kind", FailureKind)
def test_each_kind_of_failure_is_explained(kind: FailureKind) -> None:
    assert f"(`{kind}`)" in PAGE


@pytest.mark.parametrize(
    "message", [one for one in FOUND if one.module == "engine.failure"], ids=lambda one: one.title
)
def test_each_failure_of_the_engine_has_an_entry(message: Message) -> None:
    assert message.title in HEADINGS


@pytest.mark.parametrize("heading", HEADINGS)
def test_each_entry_is_of_a_message_that_there_is(heading: str) -> None:
    assert heading in {message.title for message in FOUND}


def test_messages_are_found_where_they_are_made() -> None:
    titles = {message.title: message for message in FOUND}
    assert titles["no files given"].hint == "for example: fwtui run recordings/ --model small"
    assert titles["Out of memory"].package == "engine"
    assert titles["… has no sound"].hint == "The file holds no audio stream."
