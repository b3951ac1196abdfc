"""Settings from the command line, over the settings file, over the defaults."""

from pathlib import Path

import click
import pytest

from fwtui.cli.options import Switch, given, option_name, settings_from
from fwtui.cli.run import command
from fwtui.config.fields import Value, all_fields
from fwtui.config.locations import Locations
from fwtui.core.settings import Settings

# Options of whisper-ctranslate2 0.5.8 that are for other features than transcribing files, or
# that have another place here.
NOT_OURS = {
    "batch_size",
    "batched",
    "live_input_device",
    "live_input_device_sample_rate",
    "live_transcribe",
    "live_volume_threshold",
    "print_colors",
}
WHISPER_CTRANSLATE2 = """
append_punctuations batch_size batched beam_size best_of compression_ratio_threshold compute_type
condition_on_previous_text device device_index hallucination_silence_threshold hf_token
highlight_words hotwords initial_prompt language length_penalty live_input_device
live_input_device_sample_rate live_transcribe live_volume_threshold local_files_only
logprob_threshold max_line_count max_line_width max_words_per_line model model_dir model_directory
multilingual no_repeat_ngram_size no_speech_threshold output_dir output_format patience prefix
prepend_punctuations pretty_json print_colors prompt_reset_on_temperature repetition_penalty
speaker_name speaker_num suppress_blank suppress_tokens task temperature
temperature_increment_on_fallback threads vad_filter vad_max_speech_duration_s
vad_min_silence_duration_ms vad_min_speech_duration_ms vad_threshold verbose word_timestamps
"""


def context(*arguments: str) -> click.Context:
    return command.make_context("run", ["x.mp3", *arguments])


def named(*arguments: str) -> dict[str, Value]:
    return dict(given(context(*arguments)))


def test_the_options_of_whisper_ctranslate2_are_there() -> None:
    ours = {name for param in command.params for name in param.opts}
    assert {f"--{name}" for name in WHISPER_CTRANSLATE2.split() if name not in NOT_OURS} <= ours
    assert {"-o", "-f", "-p"} <= ours


def test_setting_names_are_unique_across_sections() -> None:
    names = [field.name for field in all_fields()]
    assert len(names) == len(set(names))


def test_nothing_named_is_nothing_given() -> None:
    assert named() == {}


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ("--beam_size 3", {"decoding.beam_size": 3}),
        ("--beam-size=3 --beam_size 4", {"decoding.beam_size": 4}),
        ("--vad_filter", {"decoding.vad_filter": True}),
        ("--vad-filter False", {"decoding.vad_filter": False}),
        ("--no-condition-on-previous-text", {"decoding.condition_on_previous_text": False}),
        ("--no_speech_threshold None", {"decoding.no_speech_threshold": None}),
        ("--language None", {"decoding.language": None}),
        ("--language English", {"decoding.language": "English"}),
        (
            "-o out -f srt -p",
            {
                "output.output_dir": "out",
                "output.output_format": "srt",
                "output.pretty_json": True,
            },
        ),
        ("--model_directory m", {"model.model": "m"}),
        ("--temperature 0.4", {"decoding.temperature": 0.4}),
        ("--logprob_threshold -1.5", {"decoding.logprob_threshold": -1.5}),
        ("--suppress_tokens -1", {"decoding.suppress_tokens": "-1"}),
        ("--initial_prompt --beam-size", {"decoding.initial_prompt": "--beam-size"}),
        ("--max_line_width None", {"output.max_line_width": None}),
        ("--diarize", {"speakers.diarize": "voices"}),
        ("--diarize --num_speakers 2", {"speakers.diarize": "voices", "speakers.num_speakers": 2}),
        ("--diarize channels", {"speakers.diarize": "channels"}),
        ("--diarize=Voices", {"speakers.diarize": "voices"}),
        ("--diarize True", {"speakers.diarize": "voices"}),
        ("--diarize false", {"speakers.diarize": "off"}),
        ("--no-diarize", {"speakers.diarize": "off"}),
        ("--speaker_num 3", {"speakers.num_speakers": 3}),
        ("--num-speakers None", {"speakers.num_speakers": None}),
        ("--hf_token hf_secret", {"speakers.diarize": "voices"}),
        ("--hf_token=", {}),
        ("--hf_token t --diarize channels", {"speakers.diarize": "channels"}),
    ],
)
def test_what_is_named_is_given(arguments: str, values: dict[str, Value]) -> None:
    assert named(*arguments.split()) == values


# Without a screen its settings have no options.
OPTIONAL = [field for field in all_fields() if field.section != "interface"]


@pytest.mark.parametrize("field", OPTIONAL, ids=lambda field: str(field.key))
def test_every_setting_takes_its_own_default(field: object) -> None:
    described = next(found for found in OPTIONAL if found is field)
    value = str(described.default)
    assert named(f"{option_name(described)}={value}") == {described.key: described.default}


def test_a_file_may_follow_an_option_that_may_stand_alone() -> None:
    assert context("--diarize", "y.mp3").params["paths"] == ("x.mp3", "y.mp3")
    assert context("--diarize", "channels", "y.mp3").params["paths"] == ("x.mp3", "y.mp3")


@pytest.mark.parametrize("switch", [p for p in command.params if isinstance(p, Switch)])
def test_every_switch_can_stand_alone_and_be_negated(switch: Switch) -> None:
    name = max(switch.opts, key=len)
    assert switch.name is not None
    negated = "--no-" + name[2:]
    assert context(name).params[switch.name] is True
    assert context(negated).params[switch.name] is False
    assert context(name, "--", "y.mp3").params["paths"] == ("x.mp3", "y.mp3")


@pytest.mark.parametrize(
    ("arguments", "resume", "paths"),
    [
        ([], None, ("x.mp3",)),
        (["--resume"], "", ("x.mp3",)),
        (["--resume", "y.mp3"], "", ("x.mp3", "y.mp3")),
        (["--resume", "20251214_101530"], "20251214_101530", ("x.mp3",)),
        (["--resume", "20251214_101530_2"], "20251214_101530_2", ("x.mp3",)),
        (["--resume=other"], "other", ("x.mp3",)),
    ],
)
def test_resume_takes_an_id_but_no_path(
    arguments: list[str], resume: str | None, paths: tuple[str, ...]
) -> None:
    found = context(*arguments).params
    assert (found["resume"], found["paths"]) == (resume, paths)


def test_defaults_lie_below_the_file_and_the_file_below_the_command_line(
    own_folders: Path,
) -> None:
    locations = Locations.default()
    assert settings_from(context(), locations) == Settings()
    locations.config_file.parent.mkdir(parents=True)
    locations.config_file.write_text('[model]\nmodel = "tiny"\n[decoding]\nbeam_size = 2\n')
    assert settings_from(context(), locations).model.model == "tiny"
    mixed = settings_from(context("--beam_size", "7"), locations)
    assert (mixed.model.model, mixed.decoding.beam_size) == ("tiny", 7)
    back = settings_from(context("--model", "small"), locations)
    assert back.model.model == "small"


def test_help_shows_every_setting_in_its_group() -> None:
    text = command.get_help(click.Context(command, info_name="run"))
    for field in OPTIONAL:
        assert option_name(field) in text
    for title in ("Model:", "Transcription:", "Output:", "Batch:", "Memory:"):
        assert f"\n{title}\n" in text
