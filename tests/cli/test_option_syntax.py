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
