"""The settings as data: complete, in order, and the only gate for new values."""

import math
import typing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwtui.config.fields import (
    Value,
    all_fields,
    apply,
    check,
    differing,
    find_field,
    parse,
    value_of,
)
from fwtui.core.settings import ComputeType, Settings
from fwtui.errors import ConfigError

FIELDS = st.sampled_from(all_fields())
ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["auto", "cpu", "int8", "txt", "translate"])
)


def test_every_setting_is_there_once_and_described() -> None:
    keys = [field.key for field in all_fields()]
    expected = [
        f"{section}.{name}"
        for section in Settings.__struct_fields__
        for name in getattr(Settings(), section).__struct_fields__
    ]
    assert keys == expected
    assert all(field.description for field in all_fields())


def test_names_are_unique_so_that_they_can_be_options() -> None:
    names = [field.name for field in all_fields()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("key", "kind", "optional", "default", "minimum", "exclusive", "maximum"),
    [
        ("model.model", "str", False, "small", None, False, None),
        ("model.model_dir", "str", True, None, None, False, None),
        ("model.local_files_only", "bool", False, False, None, False, None),
        ("decoding.beam_size", "int", False, 5, 1, False, 1000),
        ("decoding.patience", "float", False, 1.0, 0, True, 100),
        ("decoding.vad_threshold", "float", True, None, 0, False, 1),
        ("output.max_line_width", "int", True, None, 1, False, None),
    ],
)
def test_what_a_field_says(
    key: str,
    kind: str,
    optional: bool,
    default: Value,
    minimum: float | None,
    exclusive: bool,
    maximum: float | None,
) -> None:
    field = find_field(key)
    assert (field.kind, field.optional, field.default) == (kind, optional, default)
    assert (field.minimum, field.exclusive_minimum, field.maximum) == (minimum, exclusive, maximum)


def test_choices_are_in_declared_order() -> None:
    assert find_field("model.compute_type").choices == typing.get_args(ComputeType)


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("decoding.beam_size", "a whole number, at least 1, at most 1000"),
        ("decoding.patience", "a number, above 0, at most 100"),
        ("decoding.vad_threshold", "a number, at least 0, at most 1, or none"),
        ("decoding.batch_size", "a whole number, at least 1, at most 1024, or auto"),
        ("model.device", "one of auto, cpu, cuda"),
        ("model.local_files_only", "true or false"),
    ],
)
def test_allowed_is_readable(key: str, allowed: str) -> None:
    assert find_field(key).allowed == allowed


def test_auto_and_none_are_words_for_a_batch_size_that_is_not_set() -> None:
    field = find_field("decoding.batch_size")
    assert [parse(field, word) for word in ("auto", "none", "", "4")] == [None, None, None, 4]
    with pytest.raises(ConfigError):
        parse(find_field("decoding.beam_size"), "auto")


def test_apply_changes_only_what_is_named() -> None:
    changed = apply(Settings(), {"decoding.beam_size": 1, "model.device": "cpu"})
    assert (changed.decoding.beam_size, changed.model.device) == (1, "cpu")
    assert changed.output == Settings().output
    assert [(field.key, value) for field, value in differing(changed)] == [
        ("model.device", "cpu"),
        ("decoding.beam_size", 1),
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("decoding.beam_size", 0),
        ("decoding.beam_size", 2**31),
        ("decoding.beam_size", 1.0),
        ("decoding.beam_size", True),
        ("decoding.beam_size", "5"),
        ("decoding.beam_size", None),
        ("decoding.patience", 0),
        ("decoding.length_penalty", math.nan),
        ("decoding.length_penalty", 10**400),
        ("decoding.vad_threshold", 1.1),
        ("decoding.vad_filter", 1),
        ("model.device", "gpu"),
        ("model.model", "\udcff"),
    ],
)
def test_what_is_not_allowed_is_named(key: str, value: Value) -> None:
    with pytest.raises(ConfigError) as caught:
        apply(Settings(), {key: value})
    assert key in caught.value.title
    assert find_field(key).allowed in caught.value.hint
    assert len(caught.value.title) < 120


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("decoding.beamsize", "decoding.beam_size"),
        ("model.beam_size", "decoding.beam_size"),
        ("beam_size", "decoding.beam_size"),
        ("output.outputformat", "output.output_format"),
    ],
)
def test_an_unknown_key_names_the_nearest(key: str, nearest: str) -> None:
    with pytest.raises(ConfigError) as caught:
        apply(Settings(), {key: 1})
    assert key in caught.value.title
    assert nearest in caught.value.hint


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("decoding.vad_filter", "True", True),
        ("decoding.vad_filter", "off", False),
        ("decoding.beam_size", " 3 ", 3),
        ("decoding.temperature", "0.2", 0.2),
        ("decoding.temperature_increment_on_fallback", "None", None),
        ("decoding.initial_prompt", "", None),
        ("decoding.initial_prompt", "None", "None"),
        ("decoding.suppress_tokens", "", ""),
        ("model.device", "cuda", "cuda"),
    ],
)
def test_parse(key: str, text: str, value: Value) -> None:
    assert parse(find_field(key), text) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("decoding.vad_filter", "maybe"),
        ("decoding.beam_size", "x"),
        ("decoding.beam_size", "0"),
        ("decoding.temperature", "nan"),
        ("decoding.temperature", "none"),
        ("model.device", ""),
    ],
)
def test_parse_refuses(key: str, text: str) -> None:
    with pytest.raises(ConfigError, match=key):
        parse(find_field(key), text)


@given(field=FIELDS, value=ANYTHING)
def test_what_passes_is_what_the_struct_accepts(field: typing.Any, value: Value) -> None:
    try:
        checked = check(field, value)
    except ConfigError:
        return
    settings = apply(Settings(), {field.key: checked})
    assert value_of(settings, field) == checked
    assert msgspec.json.decode(msgspec.json.encode(settings), type=Settings) == settings


def test_defaults_pass_their_own_check() -> None:
    for field in all_fields():
        assert check(field, field.default) == field.default
