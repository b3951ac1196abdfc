"""How options may be written."""

import re

import click
import pytest

from fwtui.cli.options import OptionalValue, Switch, rewritten


def _options() -> dict[str, click.Option]:
    options = [
        Switch(["--vad_filter"]),
        Switch(["-p", "--pretty_json"]),
        OptionalValue(["--resume"], bare="", fits=re.compile(r"\d{8}_\d{6}")),
        click.Option(["-f", "--output_format"]),
        click.Option(["-o", "--output_dir"]),
        click.Option(["--beam_size"]),
        click.Option(["--initial_prompt"]),
        click.Option(["--help"], is_flag=True),
    ]
    return {name: option for option in options for name in option.opts}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("--vad_filter", "--vad_filter=True"),
        ("--vad-filter a.mp3", "--vad_filter=True a.mp3"),
        ("--vad_filter True a.mp3", "--vad_filter=True a.mp3"),
        ("--vad_filter false", "--vad_filter=false"),
        ("--vad-filter=false", "--vad_filter=false"),
        ("--no-vad_filter a.mp3", "--vad_filter=False a.mp3"),
        ("--no_vad_filter", "--vad_filter=False"),
        ("--no-vad-filter=False", "--no-vad-filter=False"),
        ("-p a.mp3", "--pretty_json=True a.mp3"),
        ("-p False", "--pretty_json=False"),
        ("-f srt a.mp3", "-f srt a.mp3"),
        ("--output-format srt", "--output_format srt"),
        ("--beam-size=3", "--beam_size=3"),
        ("--initial_prompt --vad-filter", "--initial_prompt --vad-filter"),
        ("--initial_prompt -- x", "--initial_prompt -- x"),
        ("--vad-filter -- --vad-filter", "--vad_filter=True -- --vad-filter"),
        ("--vad_filter --pretty-json", "--vad_filter=True --pretty_json=True"),
        ("--resume", "--resume="),
        ("--resume a.mp3", "--resume= a.mp3"),
        ("--resume 20251214_101530", "--resume=20251214_101530"),
        ("--resume=xyz", "--resume=xyz"),
        ("--help --unknown-thing x", "--help --unknown-thing x"),
        ("--no-beam-size", "--no-beam-size"),
        ("--output_format", "--output_format"),
        ("a_b-c", "a_b-c"),
        ("-", "-"),
    ],
)
def test_arguments_are_rewritten(typed: str, meant: str) -> None:
    assert list(rewritten(typed.split(), _options())) == meant.split()


def test_nothing_is_changed_in_values() -> None:
    args = ["--initial_prompt", "a_b - --c=d", "", "-x"]
    assert list(rewritten(args, _options())) == args


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("a.mp3", "a.mp3"),
        ("-f srt a.mp3", "--output_format=srt a.mp3"),
        ("-f srt -f vtt", "--output_format=srt --more_formats=vtt"),
        ("-fsrt a.mp3 -fvtt", "--output_format=srt a.mp3 --more_formats=vtt"),
        ("-f=srt --output-format=vtt -f lrc", "--output_format=srt --more_formats=vtt,lrc"),
        ("-f srt,vtt", "--output_format=srt --more_formats=vtt"),
        ("-f srt,vtt -f md", "--output_format=srt --more_formats=vtt,md"),
        ("--more_formats md -f srt", "--output_format=srt --more_formats=md"),
        ("-f srt --more-formats=md,lrc", "--output_format=srt --more_formats=md,lrc"),
        ("--more_formats md", "--more_formats=md"),
        ("-f srt -- -f vtt", "--output_format=srt -- -f vtt"),
        ("-f srt -f", "--output_format=srt -f"),
        ("--vad_filter -f srt -f vtt", "--vad_filter=True --output_format=srt --more_formats=vtt"),
        ("-p -f srt", "--pretty_json=True --output_format=srt"),
        ("-oout -f srt", "-oout --output_format=srt"),
    ],
)
def test_no_format_is_dropped(typed: str, meant: str) -> None:
    more = {"--more_formats": click.Option(["--more_formats"])}
    assert list(rewritten(typed.split(), _options() | more)) == meant.split()
