"""The settings of speakers: what is refused, and that it is refused in every source."""

from collections.abc import Callable

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fwtui.cli.run import command
from fwtui.config.fields import Value, apply, find_field
from fwtui.config.sources import environment_values, parse_settings
from fwtui.config.validate import validated, warnings
from fwtui.core.settings import MOST_SPEAKERS, OutputSettings, Settings, SpeakerSettings
from fwtui.errors import FwtuiError, UsageError
from fwtui.tui.settings_draft import Draft

COUNTS = ("num_speakers", "min_speakers", "max_speakers")


def speakers(**values: Value) -> Settings:
    return apply(Settings(), {f"speakers.{name}": value for name, value in values.items()})


def by_flag(name: str, text: str) -> object:
    return command.make_context("run", ["x.mp3", f"--{name}", text])


def by_file(name: str, text: str) -> object:
    quoted = text if text.lstrip("-").replace(".", "").isdigit() else f'"{text}"'
    return validated(parse_settings(f"[speakers]\n{name} = {quoted}\n".encode()))


def by_environment(name: str, text: str) -> object:
    values = environment_values({f"FWTUI_{name.upper()}": text})
    return validated(apply(Settings(), values))


def on_screen(name: str, text: str) -> object:
    return Draft(Settings()).typed(find_field(f"speakers.{name}"), text)


SOURCES = (by_flag, by_file, by_environment, on_screen)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("text", ["0", "-1", "101", "1.5", "two", "99999999999"])
def test_wrong_numbers_are_refused_in_every_source(
    source: Callable[[str, str], object], name: str, text: str
) -> None:
    with pytest.raises((FwtuiError, click.UsageError)) as caught:
        source(name, text)
    error = caught.value
    if isinstance(error, FwtuiError):
        said = f"{error} {error.hint}"
    else:
        assert isinstance(error, click.UsageError)
        said = error.format_message()
    assert f"at most {MOST_SPEAKERS}" in said
    assert name in said


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", COUNTS)
def test_right_numbers_are_taken_in_every_source(
    source: Callable[[str, str], object], name: str
) -> None:
    for text in ("1", "2", "100"):
        source(name, text)


@pytest.mark.parametrize("source", SOURCES[1:])
@pytest.mark.parametrize("name", ["speaker_name", "speaker_names"])
@pytest.mark.parametrize("text", ["[A]", "a=b=c", "x" * 99, "Anna, Ben"])
def test_wrong_names_are_refused(
    source: Callable[[str, str], object], name: str, text: str
) -> None:
    with pytest.raises(FwtuiError) as caught:
        source(name, text)
    assert caught.value.setting == f"speakers.{name}"
    assert "allowed: " in caught.value.hint


NUMBERS = st.none() | st.integers(1, MOST_SPEAKERS)


@given(num=NUMBERS, least=NUMBERS, most=NUMBERS)
def test_numbers_that_exclude_each_other(
    num: int | None, least: int | None, most: int | None
) -> None:
    made = speakers(diarize="voices", num_speakers=num, min_speakers=least, max_speakers=most)
    both = num is not None and (least is not None or most is not None)
    if not both and not (least is not None and most is not None and least > most):
        assert validated(made).speakers == made.speakers
        return
    with pytest.raises(UsageError) as caught:
        validated(made)
    wanted = "speakers.num_speakers" if both else "speakers.min_speakers"
    assert caught.value.setting == wanted
    assert caught.value.hint


def test_what_has_no_effect_is_said() -> None:
    assert list(warnings(speakers(diarize="voices", num_speakers=2))) == []
    assert list(warnings(speakers(num_speakers=2, speaker_name="PERSON"))) == [
        "--num_speakers has no effect without --diarize"
    ]
    assert list(warnings(speakers(diarize="channels", max_speakers=2))) == [
        "--max_speakers has no effect with --diarize channels"
    ]


def test_word_times_come_with_speakers_and_change_what_is_transcribed() -> None:
    usual, told = Settings(), speakers(diarize="voices")
    timed = replace(usual, decoding=replace(usual.decoding, word_timestamps=True))
    assert told.engine_decoding == timed.decoding
    assert told.decoding == usual.decoding
    assert usual.engine_decoding is usual.decoding
    assert told.text_hash() == timed.text_hash() != usual.text_hash()
    # and so do settings that need them
    validated(replace(told, output=OutputSettings(highlight_words=True)))


@given(
    st.builds(
        SpeakerSettings,
        diarize=st.sampled_from(["voices", "channels"]),
        num_speakers=NUMBERS,
        min_speakers=NUMBERS,
        max_speakers=NUMBERS,
        speaker_name=st.text(),
        speaker_names=st.none() | st.text(),
        diarize_model=st.none() | st.text(),
    )
)
def test_numbers_and_names_never_transcribe_again(changed: SpeakerSettings) -> None:
    assert (
        replace(Settings(), speakers=changed).text_hash() == speakers(diarize="voices").text_hash()
    )
