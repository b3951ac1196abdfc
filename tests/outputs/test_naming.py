"""How the outputs of a batch are called, by layout and template."""

from pathlib import Path

import pytest

from fwtui.batch.queue import Queue
from fwtui.core.settings import DecodingSettings, OutputSettings, Settings
from fwtui.outputs.naming import Naming, is_one_of, roots_of
from tests.batch.queues import add

TALK = Path("/in/day 1/talk.mp3")


def naming(language: str | None = None, **output: str) -> Naming:
    settings = Settings(
        output=OutputSettings(**output),  # type: ignore[arg-type]
        decoding=DecodingSettings(language=language),
    )
    return Naming(settings, "2025-12-14")


@pytest.mark.parametrize(
    ("output", "names"),
    [
        ({}, ("talk", "talk.mp3")),
        ({"output_layout": "tree"}, ("day 1/talk", "day 1/talk.mp3")),
        ({"output_layout": "source"}, ("/in/day 1/talk", "/in/day 1/talk.mp3")),
        ({"output_name": "{relpath}/{stem}"}, ("day 1/talk", "day 1/talk.mp3")),
        (
            {"output_layout": "tree", "output_name": "{relpath}/{stem}"},
            ("day 1/talk", "day 1/talk.mp3"),
        ),
        ({"output_name": "{date} {stem} {model}"}, ("2025-12-14 talk small",) * 1),
        ({"output_name": "{stem}.{language}"}, ("talk.und", "talk.mp3.und")),
        ({"output_name": "../{stem}"}, ("talk", "talk.mp3")),
    ],
)
def test_names(output: dict[str, str], names: tuple[str, ...]) -> None:
    assert naming(**output).names(TALK, "/in")[: len(names)] == names


def test_the_language_is_the_users_or_the_one_that_was_found() -> None:
    named = naming("en", output_name="{stem}.{language}")
    assert (named.awaits_language, named.names(TALK)[0]) == (False, "talk.en")
    named = naming(None, output_name="{stem}.{language}")
    assert (named.awaits_language, named.names(TALK, "", "de")[0]) == (True, "talk.de")


@pytest.mark.parametrize(
    ("stem", "is_one"),
    [
        ("talk", True),
        ("talk.mp3", True),
        ("talk (2)", True),
        ("talk (x)", False),
        ("talk (02)", False),
        ("talks", False),
        ("day/talk", False),
    ],
)
def test_a_numbered_name_is_still_the_wanted_one(stem: str, is_one: bool) -> None:
    assert is_one_of(stem, ("talk", "talk.mp3")) is is_one


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ("/in", "day 1/talk"),
        ("/", "in/day 1/talk"),
        ("/in/day 1", "talk"),
        ("/x", "talk"),
        ("", "talk"),
    ],
)
def test_the_tree_is_that_below_the_folder_that_was_added(root: str, name: str) -> None:
    assert naming(output_layout="tree").names(TALK, root)[0] == name


def test_the_deepest_root_counts() -> None:
    files = [str(TALK), "/else/a.mp3"]
    assert roots_of(files, ["/in", ""], []) == ["/in", ""]
    assert roots_of(files, ["", ""], ["/in", "/in/day 1"]) == ["/in/day 1", ""]


def test_names_in_a_tree_never_clash() -> None:
    queue = Queue()
    named = naming(output_layout="tree")
    stems = [
        add(queue, Path(path), named.names(Path(path), "/in"), "/in").stem
        for path in ("/in/a/talk.mp3", "/in/b/talk.mp3", "/in/A/Talk.wav", "/in/a/TALK.ogg")
    ]
    assert stems == ["a/talk", "b/talk", "A/Talk.wav", "a/TALK.ogg"]
