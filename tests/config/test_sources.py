"""Which layer a value comes from, and what the environment may say."""

from pathlib import Path

import pytest
from hypothesis import given, settings

from fwtui.config.fields import Value, all_fields, field_named, value_of
from fwtui.config.sources import (
    FACTS,
    Origin,
    environment_values,
    make_layers,
    merge_layers,
    misspelt_variables,
    sourced_values,
    variable,
)
from fwtui.core.settings import Settings
from fwtui.errors import ConfigError
from tests.config.test_files import SETTINGS

FILE = """\
[decoding]
beam_size = 2
patience = 1.5
[output]
output_format = "srt"
[profiles.Meetings]
decoding.beam_size = 3
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize(
    ("profile", "environ", "given", "beams", "origin", "source"),
    [
        ("", {}, {}, 2, Origin.FILE, "settings.toml"),
        ("meetings", {}, {}, 3, Origin.PROFILE, "profile Meetings"),
        ("", {"FWTUI_PROFILE": "Deep"}, {}, 10, Origin.PROFILE, "profile Deep"),
        ("Fast", {"FWTUI_PROFILE": "Deep"}, {}, 1, Origin.PROFILE, "profile Fast"),
        ("Fast", {"FWTUI_BEAM_SIZE": "4"}, {}, 4, Origin.ENVIRONMENT, "FWTUI_BEAM_SIZE"),
        ("Fast", {"FWTUI_BEAM_SIZE": ""}, {}, 1, Origin.PROFILE, "profile Fast"),
        (
            "Fast",
            {"FWTUI_BEAM_SIZE": "4"},
            {"decoding.beam_size": 5},
            5,
            Origin.COMMAND_LINE,
            "--beam_size",
        ),
    ],
)
def test_each_layer_is_over_the_one_before(
    file: Path,
    profile: str,
    environ: dict[str, str],
    given: dict[str, Value],
    beams: int,
    origin: Origin,
    source: str,
) -> None:
    layers = make_layers(file, profile=profile, given=given, environ=environ)
    assert merge_layers(layers).decoding.beam_size == beams
    found = {one.field.key: one for one in sourced_values(layers)}
    assert len(found) == len(all_fields())
    told = found["decoding.beam_size"]
    assert (told.value, told.origin) == (beams, origin)
    assert told.source.endswith(source)
    assert found["interface.theme"].origin is Origin.DEFAULT


def test_a_profile_of_ones_own_sets_all_that_it_holds(file: Path) -> None:
    found = merge_layers(make_layers(file, profile="Meetings", environ={}))
    assert (found.decoding.patience, found.output.output_format) == (1.0, "all")


def test_an_unknown_profile_names_the_nearest(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        make_layers(file, profile="meting", environ={})
    assert "Meetings" in caught.value.hint


@given(wanted=SETTINGS)
@settings(max_examples=25)
def test_every_setting_can_come_from_the_environment(wanted: Settings) -> None:
    environ = {
        variable(field): "None" if value is None else str(value)
        for field in all_fields()
        if (value := value_of(wanted, field)) != ""
        and not (field.kind == "str" and field.optional and value == "None")
    }
    found = environment_values(environ)
    for field in all_fields():
        if field.key in found and field.kind != "str":
            assert found[field.key] == value_of(wanted, field)
    assert list(misspelt_variables(environ)) == []


def test_variables_are_unique_and_no_others() -> None:
    names = [variable(field) for field in all_fields()]
    assert len(set(names)) == len(names)
    taken = {f"FWTUI_{name}" for name in ("STATE_DIR", "CACHE_DIR", "CONFIG_DIR", "PROFILE")}
    assert not taken & set(names)
    assert not [name for name in names if name.startswith(FACTS)]


def test_a_wrong_value_is_told_with_its_variable() -> None:
    with pytest.raises(ConfigError) as caught:
        environment_values({"FWTUI_MEMORY_LIMIT": "x", "FWTUI_BEAM_SIZE": "0"})
    assert caught.value.title.startswith("FWTUI_BEAM_SIZE: ")
    assert "at least 1" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "close"),
    [
        ("FWTUI_BEAMSIZE", ["FWTUI_BEAM_SIZE"]),
        ("FWTUI_BEAM_SIZE", []),
        ("FWTUI_STATE_DIR", []),
        ("FWTUI_DONE_FILES", []),
        ("FWTUI_REQUIRE_TOOLS", []),
        ("BEAM_SIZE", []),
    ],
)
def test_what_is_misspelt_is_told(name: str, close: list[str]) -> None:
    assert [right for _, right in misspelt_variables({name: "1"})] == close


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("beam_size", "decoding.beam_size"),
        ("decoding.beam_size", "decoding.beam_size"),
        ("--memory-limit", "memory.limit"),
        ("log_level", "log.level"),
    ],
)
def test_a_setting_has_a_key_and_a_word(name: str, key: str) -> None:
    assert field_named(name).key == key
