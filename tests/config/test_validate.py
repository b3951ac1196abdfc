"""Settings checked before a batch uses them."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui.config.fields import Value, apply, find_field
from fwtui.config.sources import environment_values, load_settings
from fwtui.config.validate import validated, validated_value, warnings
from fwtui.core.settings import Settings, SpeakerSettings
from fwtui.errors import ConfigError, FwtuiError, ModelError, UsageError


def settings(**values: Value) -> Settings:
    sections = {
        "model": "model",
        "language": "decoding",
        "channel": "decoding",
        "word_timestamps": "decoding",
        "hallucination_silence_threshold": "decoding",
        "batched": "decoding",
        "batch_size": "decoding",
        "prefix": "decoding",
        "max_initial_timestamp": "decoding",
    }
    keys = {f"{sections.get(name, 'output')}.{name}": value for name, value in values.items()}
    return apply(Settings(), keys)


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = tmp_path / "models" / "mine"
    model.mkdir(parents=True)
    (model / "model.bin").touch()
    found = validated(settings(model="models/mine", output_dir="out"))
    assert found.model.model == str(model)
    assert found.output.output_dir == str(tmp_path / "out")
    assert validated(found) == found


def test_a_model_name_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert validated(settings(model="org/whisper-x")).model.model == "org/whisper-x"


@pytest.mark.parametrize("model", ["./gone", "/gone", "~/gone"])
def test_a_folder_that_is_not_there_is_no_model(model: str) -> None:
    with pytest.raises(ModelError):
        validated(settings(model=model))


@pytest.mark.parametrize(
    ("typed", "code"),
    [("de", "de"), ("German", "de"), ("GERMAN", "de"), ("Haitian Creole", "ht"), ("flemish", "nl")],
)
def test_languages_by_code_or_name(typed: str, code: str) -> None:
    assert validated(settings(language=typed)).decoding.language == code


def test_an_english_model_takes_english_only(tmp_path: Path) -> None:
    assert validated(settings(model="tiny.en", language="English")).decoding.language == "en"
    assert validated(settings(model="tiny.en")).decoding.language is None
    with pytest.raises(UsageError, match="English only"):
        validated(settings(model="tiny.en", language="de"))
    folder = tmp_path / "mine.en"
    folder.mkdir()
    (folder / "model.bin").touch()
    assert validated(settings(model=str(folder), language="de")).decoding.language == "de"


@pytest.mark.parametrize(
    "values",
    [
        {"highlight_words": True},
        {"max_line_width": 40},
        {"max_line_count": 2},
        {"max_words_per_line": 3},
        {"hallucination_silence_threshold": 2.0},
    ],
)
def test_what_needs_words_says_so(values: dict[str, Value]) -> None:
    with pytest.raises(UsageError, match=f"--{next(iter(values))} requires"):
        validated(settings(**values))
    validated(settings(**values, word_timestamps=True))


def test_what_has_no_effect_is_a_warning() -> None:
    assert list(warnings(Settings())) == []
    assert len(list(warnings(settings(max_line_count=2)))) == 1
    assert len(list(warnings(settings(max_line_width=9, max_words_per_line=2)))) == 1
    assert list(warnings(replace(Settings()))) == []
    assert list(warnings(settings(batched=True, batch_size=8))) == []
    assert len(list(warnings(settings(batch_size=8)))) == 1
    ignored = settings(batched=True, prefix="Well,", max_initial_timestamp=0.0)
    assert list(warnings(ignored)) == [
        "--prefix has no effect with --batched",
        "--max_initial_timestamp has no effect with --batched",
    ]


def test_names_that_cannot_be_are_refused_before_anything_starts() -> None:
    assert validated(settings(output_name="{date}/{stem}")).output.output_name == "{date}/{stem}"
    with pytest.raises(UsageError, match="output_name") as caught:
        validated(settings(output_name="../{stem}"))
    assert "'..'" in caught.value.hint
    with pytest.raises(UsageError, match="output_name"):
        validated_value(find_field("output.output_name"), "plain")


def test_replacements_are_read_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.txt").write_text("wrong => right\n")
    found = validated(settings(replacements="rules.txt"))
    assert found.output.replacements == str(tmp_path / "rules.txt")
    with pytest.raises(ConfigError, match=r"none\.txt"):
        validated(settings(replacements="none.txt"))
    (tmp_path / "rules.txt").write_text("wrong\n")
    with pytest.raises(ConfigError, match="line 1"):
        validated_value(find_field("output.replacements"), "rules.txt")


def test_a_gap_does_nothing_between_highlighted_words() -> None:
    wanted = settings(min_gap_ms=80, highlight_words=True, word_timestamps=True)
    assert list(warnings(wanted)) == ["--min_gap_ms has no effect with --highlight_words"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model.model", "./gone"),
        ("model.model", "tiny.en"),
        ("decoding.language", "klingon"),
        ("decoding.hallucination_silence_threshold", 2.0),
        ("output.highlight_words", True),
        ("output.max_line_width", 40),
        ("output.output_name", "plain"),
        ("output.replacements", "/gone.txt"),
        ("memory.warn", "much"),
        ("memory.limit", "120%"),
        ("memory.gpu_limit", "12"),
        ("done.on_file_done", '"'),
        ("done.on_batch_done", ""),
    ],
)
def test_an_error_names_the_setting_that_it_is_about(key: str, value: Value) -> None:
    values = {"decoding.language": "de"} if value == "tiny.en" else {}
    with pytest.raises(FwtuiError) as caught:
        validated(apply(Settings(), {**values, key: value}))
    assert caught.value.setting == key


def test_a_value_that_is_not_allowed_names_its_setting_wherever_it_stands(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        apply(Settings(), {"decoding.beam_size": 0})
    assert caught.value.setting == "decoding.beam_size"
    file = tmp_path / "settings.toml"
    file.write_text("[decoding]\nbeam_size = 0\n")
    with pytest.raises(ConfigError, match=r"settings\.toml: decoding\.beam_size") as caught:
        load_settings(file)
    assert caught.value.setting == "decoding.beam_size"
    with pytest.raises(ConfigError, match="FWTUI_BEAM_SIZE") as caught:
        environment_values({"FWTUI_BEAM_SIZE": "0"})
    assert caught.value.setting == "decoding.beam_size"


def test_docx_without_its_package_names_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UsageError, match="python-docx") as caught:
        validated(settings(output_format="docx"))
    assert caught.value.setting == "output.output_format"


@pytest.mark.parametrize(
    ("text", "value"),
    [("Mix", "mix"), (" LEFT ", "left"), ("right", "right"), ("Split", "split"), ("6", "6")],
)
def test_a_channel_is_a_side_a_number_or_a_way_to_use_all(text: str, value: str) -> None:
    assert validated_value(find_field("decoding.channel"), text) == value
    assert validated(settings(channel=text)).decoding.channel == value


@pytest.mark.parametrize("text", ["", "0", "-1", "both", "l", "1,2", "1.5"])
def test_other_channels_are_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(UsageError, match="--channel cannot be") as caught:
        validated(settings(channel=text))
    assert caught.value.setting == "decoding.channel"
    assert "split" in caught.value.hint


@pytest.mark.parametrize(
    ("channel", "diarize", "warned"),
    [
        ("mix", "channels", False),
        ("mix", "voices", False),
        ("left", "voices", False),
        ("left", "channels", True),
        ("split", "channels", True),
        ("split", "voices", True),
        ("split", "off", False),
    ],
)
def test_diarize_says_where_the_channel_decides_who_speaks(
    channel: str, diarize: str, warned: bool
) -> None:
    chosen = replace(settings(channel=channel), speakers=SpeakerSettings(diarize=diarize))  # type: ignore[arg-type]
    told = (f"--diarize has no effect with --channel {channel}",) if warned else ()
    assert tuple(warnings(chosen)) == told


def test_split_needs_the_time_of_every_word_and_has_it() -> None:
    wanted = settings(channel="split", highlight_words=True)
    assert validated(wanted).engine_decoding.word_timestamps
    assert wanted.text_hash() != settings(channel="left").text_hash() != Settings().text_hash()
