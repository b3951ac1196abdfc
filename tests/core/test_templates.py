"""Templates for the names of outputs."""

import os
from pathlib import Path

import pytest

from fwtui.core.paths import path_to_text
from fwtui.core.templates import (
    DEFAULT_TEMPLATE,
    NameParts,
    check_template,
    default_stem,
    model_name,
    render,
    split_name,
    usable_template,
)

PARTS = NameParts(
    stem="talk", ext="mp3", relpath="day 1/room", language="de", model="small", date="2025-12-14"
)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{stem}", "talk"),
        ("{stem}.{language}", "talk.de"),
        ("{relpath}/{stem}_{ext}", "day 1/room/talk_mp3"),
        ("{date}/{model}/{stem}", "2025-12-14/small/talk"),
        ("{{{stem}}}", "{talk}"),
    ],
)
def test_fields_are_filled_in(template: str, name: str) -> None:
    check_template(template)
    assert render(template, PARTS) == name


def test_without_a_folder_above_it_a_file_is_right_in_the_folder() -> None:
    assert render("{relpath}/{stem}", NameParts("talk")) == "talk"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("", "a name is missing"),
        ("talk", "without {stem}"),
        ("/{stem}", "begins with /"),
        ("../{stem}", "'..'"),
        ("a//{stem}", "missing between"),
        ("{stem}/", "after the last one"),
        ("{stem}?", "'?'"),
        ("{stem}\n", "is not allowed in file names"),
        ("con/{stem}", "'con'"),
        (" a/{stem}", "' a'"),
        ("{name}", "unknown field {name}"),
        ("{stem!r}", "{stem!r}"),
        ("{stem:>9}", "{stem:>9}"),
        ("{stem", "braces"),
        ("{stem}/{relpath}", "must follow {relpath}"),
        ("x{relpath}/{stem}", "a separate folder"),
    ],
)
def test_what_is_no_name_everywhere_is_refused(template: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        check_template(template)
    assert said in str(caught.value)
    assert usable_template(template) == "{stem}"


@pytest.mark.parametrize("value", ["..", ".", "", "a/b", "../../etc/passwd", "\0", "x/../.."])
@pytest.mark.parametrize("field", ["stem", "ext", "language", "model", "date"])
def test_no_value_leads_out_of_the_folder(field: str, value: str) -> None:
    parts = NameParts(**{"stem": "talk", field: value})
    for template in ("{stem}", "{language}/{stem}", "{model}/{date}/{ext}/{stem}"):
        name = render(template, parts)
        assert name.count("/") == template.count("/")
        assert not {"", ".", ".."}.intersection(name.split("/"))
        assert "\0" not in name


@pytest.mark.parametrize("stem", ["x" * 300, "ü" * 200, "\udcff" * 300])
def test_a_name_leaves_room_for_its_extension(stem: str) -> None:
    assert 0 < len(os.fsencode(render("{stem}", NameParts(stem)))) <= 240


def test_a_strange_but_short_name_is_kept_as_it_is() -> None:
    assert render("{stem}", NameParts('a:b "c"\udcff')) == 'a:b "c"\udcff'


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("small", "small"),
        ("Systran/faster-whisper-tiny", "faster-whisper-tiny"),
        ("/models/mine/", "mine"),
        ("C:\\models\\mine", "mine"),
    ],
)
def test_the_name_of_a_model(model: str, name: str) -> None:
    assert model_name(model) == name


@pytest.mark.parametrize(
    "name",
    ["talk.mp3", "a.b.mp3", ".mp3", "talk.", "talk", "  .wav", "ü" * 130 + ".wav", "caf\udce9.mp3"],
)
def test_the_plain_name_is_that_of_the_default_template(name: str) -> None:
    path = Path("/in") / name
    rendered = render(DEFAULT_TEMPLATE, NameParts(stem=path.stem))
    assert default_stem(path_to_text(path)) == path_to_text(rendered)
    assert split_name(name) == (path.stem, path.suffix)
