"""The JSON schema takes what fwtui takes, and refuses what it refuses."""

import tomllib

import jsonschema
import pytest
from hypothesis import given, settings

from fwtui.config.save import render_settings
from fwtui.config.schema import json_schema
from fwtui.config.validate import problems_in
from fwtui.core.settings import Settings
from tests.config.test_files import SETTINGS

VALIDATOR = jsonschema.Draft7Validator(json_schema(["remove", "skip"]))
jsonschema.Draft7Validator.check_schema(VALIDATOR.schema)


@given(wanted=SETTINGS)
@settings(max_examples=25)
def test_what_fwtui_writes_is_valid(wanted: Settings) -> None:
    VALIDATOR.validate(tomllib.loads(render_settings(wanted).decode()))


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", 0),
        ("[decoding]\nbatch_size = 'auto'\nvad_threshold = 'none'", 0),
        ("[model]\ndevice_index = 1", 0),
        ("[keys]\nremove = 'x'\nskip = ['x', 'f8']\n[profiles.Mine]\ndecoding.beam_size = 8", 0),
        ("[decoding]\nbeam_size = 0\nbeamsize = 3\npatience = 2", 2),
        ("[decodin]\nbeam_size = 0\npatience = 2", 1),
        ("[model]\ndevice = 'gpu'\n[done]\nhook_seconds = 0", 2),
        ("[profiles.Mine]\ndecoding.beam_size = 'x'\n[profiles.More]\nbatch.workers = 2", 2),
        ("[keys]\nremove = 5", 1),
        ("beam_size = 5", 1),
    ],
)
def test_it_agrees_with_the_program_and_every_problem_is_told(text: str, problems: int) -> None:
    assert len(list(problems_in(text.encode()))) == problems
    assert bool(list(VALIDATOR.iter_errors(tomllib.loads(text)))) is bool(problems)


def test_a_contradiction_and_a_broken_file_are_told() -> None:
    (problem,) = problems_in(b"[output]\nhighlight_words = true")
    assert "word_timestamps" in problem.title
    (problem,) = problems_in(b"[output\nx = 1")
    assert "line 1" in problem.title
