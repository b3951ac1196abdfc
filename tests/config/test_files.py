"""Settings files: what is written is read back, and what is wrong is named."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwtui.config.fields import Field, all_fields, apply
from fwtui.config.save import render_settings, save_settings
from fwtui.config.sources import load_settings, parse_settings
from fwtui.core.settings import Settings
from fwtui.errors import ConfigError


def values_for(field: Field) -> st.SearchStrategy[object]:
    low, high = field.minimum, field.maximum
    match field.kind:
        case "bool":
            values: st.SearchStrategy[object] = st.booleans()
        case "int":
            values = st.integers(
                int(low) if low is not None else -9, 2**31 - 1 if high is None else int(high)
            )
        case "float":
            values = st.floats(
                low,
                high,
                exclude_min=field.exclusive_minimum,
                allow_nan=False,
                allow_infinity=False,
            )
        case "str":
            anything = st.text(st.characters(exclude_categories=["Cs"]))
            values = st.from_regex(field.pattern) if field.pattern else anything
        case "choice":
            values = st.sampled_from(field.choices)
    return st.none() | values if field.optional else values


SETTINGS = st.fixed_dictionaries(
    {}, optional={field.key: values_for(field) for field in all_fields()}
).map(lambda values: apply(Settings(), values))  # type: ignore[arg-type]


@given(settings=SETTINGS)
def test_what_is_written_is_read_back(settings: Settings) -> None:
    assert parse_settings(render_settings(settings)) == settings


def test_a_missing_file_is_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "no.toml") == Settings()


def test_only_differences_are_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.toml"
    settings = apply(
        Settings(),
        {"decoding.beam_size": 1, "decoding.temperature_increment_on_fallback": None},
    )
    save_settings(path, settings)
    assert path.read_text() == (
        '[decoding]\nbeam_size = 1\ntemperature_increment_on_fallback = "none"\n'
    )
    assert load_settings(path) == settings
    save_settings(path, Settings())
    assert path.read_text() == ""
    assert list(path.parent.iterdir()) == [path]


MINE = """\
# my settings
[decoding]   # how
beam_size = 3 # three, as in the paper
language = "de"

# all of them
patience = 2

# where to
[output]
output_format  =  "srt"
"""


def test_the_users_comments_and_layout_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(MINE)
    changes = {
        "decoding.beam_size": 5,
        "decoding.language": None,
        "decoding.vad_filter": True,
        "batch.cpu_fallback": True,
    }
    settings = apply(load_settings(path), changes)
    save_settings(path, settings)
    assert load_settings(path) == settings
    expected = MINE.replace("beam_size = 3", "beam_size = 5").replace('language = "de"\n', "")
    expected = expected.replace("patience = 2\n", "patience = 2\nvad_filter = true\n")
    assert path.read_text() == expected + "\n[batch]\ncpu_fallback = true\n"
    save_settings(path, settings)
    assert path.read_text() == expected + "\n[batch]\ncpu_fallback = true\n"


LAYOUTS = (
    "decoding.beam_size = 3 # dotted\nmodel.threads = 2\ndecoding.patience = 2.0",
    'decoding = {beam_size = 3}\noutput = {output_format = "srt"}',
    "[decoding]\r\nbeam_size = 3\r\n",
    "[decoding]\nvad_filter = true # always\nbeam_size = 3",
    "[decoding]\n# nothing\n\n[output]\n",
)


@given(settings=SETTINGS)
def test_every_layout_can_be_changed(settings: Settings) -> None:
    for text in LAYOUTS:  # making settings up takes longer than writing them
        assert parse_settings(render_settings(settings, text.encode())) == settings, text


def test_a_file_that_is_wrong_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[decoding\n")
    with pytest.raises(ConfigError, match="not valid TOML"):
        save_settings(path, Settings())
    assert path.read_text() == "[decoding\n"


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xef\xbb\xbf[decoding]\r\nbeam_size = 2\r\n")
    assert load_settings(path).decoding.beam_size == 2


def test_a_whole_number_is_a_number(tmp_path: Path) -> None:
    assert parse_settings(b"[decoding]\npatience = 2").decoding.patience == 2.0


@pytest.mark.parametrize(
    ("text", "title", "hint"),
    [
        ("[decoding]\nbeam_size = 0", "decoding.beam_size cannot be 0", "at least 1"),
        ("[decoding]\nbeam_size = '5'", "decoding.beam_size cannot be '5'", "whole number"),
        ("[decoding]\nbeam_siz = 5", "decoding.beam_siz", "did you mean decoding.beam_size?"),
        ("[model]\nbeam_size = 5", "model.beam_size", "did you mean decoding.beam_size?"),
        ("[decodin]\nbeam_size = 5", "[decodin]", "did you mean [decoding]?"),
        ("[zzz]\n", "[zzz]", "[batch]"),
        ("beam_size = 5", "not in a section", "did you mean decoding.beam_size?"),
        ("qqqqqq = 5", "not in a section", "fwtui"),
        ("model = 'small'", "'model' is a section", "[model]"),
        ("[decoding]\nlanguage = 5", "decoding.language cannot be 5", "text, or none"),
        ("[decoding]\npatience = nan", "decoding.patience cannot be nan", "above 0"),
        ("[decoding]\nlanguage = [1]", "decoding.language cannot be [1]", "text"),
        ("[model]\ndevice = 1979-05-27", "model.device cannot be 1979-05-27", "one of auto"),
        ("[model]\ndevice = []", "model.device cannot be []", "one of auto"),
        ("[decoding.beam_size]\nx = 1", "decoding.beam_size cannot be {'x': 1}", "whole number"),
        ("[[decoding]]\nx = 1", "'decoding' is a section", "[decoding]"),
        ("[decoding", "not valid TOML", ""),
        ("x = " + "[" * 100_000, "not valid TOML", ""),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, title: str, hint: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert str(path) in caught.value.title
    assert title in caught.value.title
    assert hint in caught.value.hint


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"# \xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_settings(path)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load_settings(tmp_path)
    with pytest.raises(ConfigError, match="Cannot write"):
        save_settings(tmp_path, Settings())
    assert list(tmp_path.parent.glob(".fwtui-*")) == []


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_a_link_to_the_file_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "settings.toml"
    link.symlink_to(tmp_path / "dotfiles.toml")
    save_settings(link, apply(Settings(), {"decoding.beam_size": 1}))
    assert link.is_symlink()
    assert load_settings(tmp_path / "dotfiles.toml").decoding.beam_size == 1
