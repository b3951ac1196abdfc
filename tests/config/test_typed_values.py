"""Every setting with values that a person might type: refused with what is allowed, or usable."""

import os
from itertools import product
from pathlib import Path

import pytest

from fwtui.batch.retry import ladder
from fwtui.config.fields import Field, Value, all_fields, apply, find_field, parse, parse_argument
from fwtui.config.overrides import from_overrides, to_overrides
from fwtui.config.sources import environment_values
from fwtui.config.validate import problems_in, validated, validated_value, warnings
from fwtui.core.decoding import clip_points, clips_past_end, suppressed_tokens
from fwtui.core.settings import LEAST_INCREMENT, LIMITS, MOST_NEW_TOKENS, Settings
from fwtui.errors import ConfigError, ExitCode, FwtuiError
from fwtui.sessions.settings_codec import settings_from, settings_to

WORDS = """
0 -0 1 -1 -2 2 5 10 99 100 223 224 225 300 448 1000 1001 5000 65536 2147483647 2147483648
-99999999999 999999999999999999999 0.5 -0.5 .5 5. 1,5 1.5 1e-9 1e-300 1e9 1e308 1e400 -1e308
nan -nan inf -inf infinity None none auto off on yes true default a abc a,b a;b 1,2 0,5 5,2 5,5
-1,3 3, ,3 , 0,5,3,9 0,5,5,9 100,200 1,,2 -1,50257 50000,-5 999999999 -1,999999999 0x10 1_000 0:30
1:00,2:00 30s 10% 120% 12GB 0GB 1e5GB ½ ٣ é {} {stem} {x} ../{stem} ' " \\ / ~ ~nobody/x . .. ...
/dev/null /dev/zero /dev/stdin/x /proc/self/mem cpu cuda float16 de klingon English en-GB
"""
BLANKS = ("", " ", " 7 ", "\n", "\t1", "1, 2", "\u200b", "a\0b", "\udcff", "x" * 5000, "9" * 400)
TYPED = (*WORDS.split(), *BLANKS)


def usable(settings: Settings) -> None:
    """What is computed of settings later on must not fail."""
    assert len(settings.decoding.temperatures) <= 2 / LEAST_INCREMENT + 1
    clips_past_end(clip_points(settings.decoding.clip_timestamps), 60.0)
    suppressed_tokens(settings.decoding.suppress_tokens)
    assert max(settings.model.device_indexes) < 1 << 16
    assert ladder(settings, "cpu")
    list(warnings(settings))


@pytest.mark.parametrize("field", all_fields(), ids=lambda field: field.key)
def test_what_is_typed_is_refused_by_name_or_can_be_used(
    field: Field, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for text, read in product(TYPED, (parse, parse_argument)):
        try:
            value = read(field, text)
            validated_value(field, value)
            settings = validated(apply(Settings(), {field.key: value}))
        except FwtuiError as error:
            assert error.exit_code in {ExitCode.USAGE, ExitCode.CANNOT_START}
            assert error.setting == field.key, (text, error.title)
            assert error.hint, (text, error.title)
            assert len(error.title) < 500
        else:
            usable(settings)
            assert validated(settings) == settings
            assert from_overrides(to_overrides(settings)).decoding == settings.decoding


@pytest.mark.parametrize("key", sorted(LIMITS))
def test_a_stored_session_from_before_a_limit_opens_and_is_refused_where_it_is_used(
    key: str,
) -> None:
    field = find_field(key)
    for limit, beyond in zip(LIMITS[key], (-1, 1), strict=True):
        if limit is None:
            continue
        value: Value = int(limit + beyond) if field.kind == "int" else limit + beyond
        with pytest.raises(ConfigError) as caught:
            apply(Settings(), {key: value})
        assert f"{limit:g}" in caught.value.hint
        old = apply(Settings(), {key: value}, stored=True)
        if field.section in {"model", "decoding"} and field.minimum in {None, *LIMITS[key]}:
            assert from_overrides({key: value}) == old
        with pytest.raises(ConfigError) as caught:
            validated(old)
        assert caught.value.setting == key


def test_a_limit_is_none_for_what_reads_session_files() -> None:
    plain = settings_to(Settings(), {})
    plain["decoding"] |= {"max_new_tokens": 300, "beam_size": 5000}
    settings, _ = settings_from(plain)
    assert settings.decoding.max_new_tokens == 300
    with pytest.raises(ConfigError, match="beam_size"):
        validated(settings)


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("0", ()),
        ("", ()),
        ("0.0", ()),
        ("0,", ()),
        ("30", (30.0,)),
        ("0,5", (0.0, 5.0)),
        (" 1 , 2.5,", (1.0, 2.5)),
        ("0,5,5,9", (0.0, 5.0, 5.0, 9.0)),
        ("2,8,7.5,14", (2.0, 8.0, 7.5, 14.0)),
    ],
)
def test_clips(text: str, points: tuple[float, ...]) -> None:
    assert clip_points(text) == points


@pytest.mark.parametrize(
    "text", ["5,2", "5,5", "-1", "nan", "0,inf", "1,,2", "0,5,0,9", "3,9,1,10", "0,9,3,8", "0:30"]
)
def test_clips_that_go_back_or_are_no_numbers(text: str) -> None:
    with pytest.raises(FwtuiError, match="--clip_timestamps") as one:
        validated(apply(Settings(), {"decoding.clip_timestamps": text}))
    assert "start,end" in one.value.hint


def test_clips_past_the_end_are_told_with_their_times() -> None:
    assert clips_past_end((), 10) == ()
    assert clips_past_end((0.0, 5.0, 8.0), 10) == ()
    assert clips_past_end((0.0, 10.5), 10) == ()  # as a player rounds the length
    assert clips_past_end((0.0, 5.0, 8.0, 70.0), 10) == (
        "the clip 0:08 to 1:10 ends early: the recording ends at 0:10",
    )
    assert clips_past_end((100.0, 200.0, 300.0), 60) == (
        "the clip 1:40 to 3:20 is past the end of the recording (1:00)",
        "the clip from 5:00 is past the end of the recording (1:00)",
    )


def test_new_tokens_fit_beside_the_longest_prompt() -> None:
    assert MOST_NEW_TOKENS + 224 == 448
    assert validated(apply(Settings(), {"decoding.max_new_tokens": MOST_NEW_TOKENS}))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"decoding.patience": 0.01}, "decoding.patience"),
        ({"decoding.beam_size": 1, "decoding.patience": 0.4}, "decoding.patience"),
        (
            {"decoding.temperature_increment_on_fallback": 1e-9},
            "decoding.temperature_increment_on_fallback",
        ),
    ],
)
def test_values_that_only_fail_together(values: dict[str, Value], named: str) -> None:
    with pytest.raises(FwtuiError) as caught:
        validated(apply(Settings(), values))
    assert caught.value.setting == named


def test_an_output_folder_cannot_be_or_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for folder in (file, file / "below", file / "below" / "more"):
        with pytest.raises(FwtuiError, match="--output_dir") as caught:
            validated(apply(Settings(), {"output.output_dir": str(folder)}))
        assert str(file) in caught.value.title
    validated(apply(Settings(), {"output.output_dir": str(tmp_path / "new" / "er")}))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_replacements_are_a_file_and_no_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(FwtuiError, match="not a text file"):
            validated(apply(Settings(), {"output.replacements": str(path)}))


def test_every_source_is_checked_alike() -> None:
    """Settings files, their profiles, and the environment."""
    wrong = b"[decoding]\nclip_timestamps = 'abc'\n"
    assert [error.setting for error in problems_in(wrong)] == ["decoding.clip_timestamps"]
    profile = b"[profiles.mine.decoding]\nsuppress_tokens = 'a,b'\n"
    (error,) = problems_in(profile)
    assert error.setting == "decoding.suppress_tokens"
    assert "mine" in error.title
    values = environment_values({"FWTUI_CLIP_TIMESTAMPS": "9,1"})
    with pytest.raises(FwtuiError, match="--clip_timestamps"):
        validated(apply(Settings(), values))
