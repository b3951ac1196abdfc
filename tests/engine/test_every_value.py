"""The ends of the range of every decoding setting, in a real engine."""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from fwtui import demo
from fwtui.config.fields import Field, Value, all_fields, apply
from fwtui.config.validate import validated
from fwtui.core.failure import FailureKind
from fwtui.core.settings import ModelSettings, Settings
from fwtui.engine.classify import classify_exception
from fwtui.engine.prepare import vad_options
from fwtui.engine.transcriber import Transcriber, feature_extractor, load_model
from fwtui.errors import FwtuiError, ModelError, UsageError
from fwtui.models.capabilities import capabilities
from tests.engine.support import MODEL, prepared_file, transcriber_on
from tests.models.folders import damaged_copies, model_copy, widen

SHORT = demo.clips()[0]
SEED = 11
# Nothing comes of more, but time and memory.
FEWER = {"decoding.beam_size": 40, "decoding.best_of": 20}
TEXTS = ("", " ", "red", "x" * 3000, "\u200b", "0", "½")


@pytest.fixture(scope="module")
def transcriber() -> Transcriber:
    return transcriber_on(MODEL)


def edges(field: Field) -> tuple[Value, ...]:
    """The ends of a range, and far away where it has none."""
    if field.kind == "bool":
        return (True, False)
    if field.kind == "choice":
        return field.choices
    if field.key == "decoding.clip_timestamps":
        return ("0", "1", "0,0.001", "3,900", "900", "900,1000", "1,1.01,2,2.02")
    if field.key == "decoding.suppress_tokens":
        return ("", "-1", "0", "0,1,2,3,-1", "1927")
    if field.key == "decoding.language":
        return (None, "en", "de")
    if field.kind == "str":
        return TEXTS
    tiny = 1e-6 if field.exclusive_minimum else 0
    least = -1e6 if field.minimum is None else field.minimum + tiny
    most = FEWER.get(field.key, 1e6 if field.maximum is None else field.maximum)
    ends = (least, most)
    return tuple(int(end) for end in ends) if field.kind == "int" else ends


def settings(random: Random) -> Settings:
    """A third of the decoding settings at an end of their range, the others as usual."""
    while True:
        chosen = {
            field.key: random.choice(edges(field))
            for field in all_fields()
            if field.section == "decoding" and random.random() < 0.33
        }
        try:
            return validated(apply(Settings(model=MODEL), chosen))
        except UsageError:  # two of them contradict each other
            continue


def test_no_value_that_is_accepted_fails_in_the_engine(
    transcriber: Transcriber, tmp_path: Path
) -> None:
    random = Random(SEED)
    for _ in range(16):
        decoding = replace(settings(random).decoding, batched=False)
        vad_options(decoding)
        with prepared_file(transcriber, SHORT, tmp_path, decoding) as prepared:
            plan = transcriber.plan(prepared)
            list(transcriber.windows(prepared, plan))


def test_clips_past_the_end_are_a_warning_of_the_file(
    transcriber: Transcriber, tmp_path: Path
) -> None:
    decoding = replace(Settings().decoding, clip_timestamps="0,1,900,1000")
    with prepared_file(transcriber, SHORT, tmp_path, decoding) as prepared:
        (warning,) = transcriber.plan(prepared).warnings
    assert warning.startswith("the clip 15:00 to 16:40 is past the end of the recording")


def unusable(model: ModelSettings) -> FwtuiError:
    with pytest.raises(FwtuiError) as caught:
        load_model(model)
    failure = classify_exception(caught.value)
    assert failure.kind in {FailureKind.MODEL_MISSING, FailureKind.BAD_SETTINGS}
    return caught.value


def test_a_compute_type_that_the_device_lacks_names_those_it_has() -> None:
    for name in ("float16", "int8_float16", "bfloat16", "int8_bfloat16"):
        error = unusable(replace(MODEL, compute_type=name))
        assert isinstance(error, UsageError)
        assert error.setting == "model.compute_type"
        assert "int8" in error.hint


def test_a_device_number_means_nothing_on_the_cpu() -> None:
    for device in ("cpu", "auto"):
        model, _ = load_model(replace(MODEL, device=device, device_index="7,1"))
        assert model.model.device == "cpu"


def damage() -> Iterator[str]:
    yield from damaged_copies()


@pytest.mark.parametrize("name", list(damage()))
def test_a_damaged_model_is_said_before_the_start_and_never_a_mistake_of_fwtui(
    name: str, tmp_path: Path
) -> None:
    folder = model_copy(tmp_path / "m")
    damaged_copies()[name](folder)
    with pytest.raises(ModelError) as caught:
        capabilities(folder, replace(MODEL, model=str(folder)))
    assert caught.value.hint
    assert str(folder) in caught.value.title


def test_mel_bands_are_those_of_the_weights(tmp_path: Path) -> None:
    """Without `preprocessor_config.json`, or with one that is wrong."""
    folder = model_copy(tmp_path / "m")
    config = folder / "preprocessor_config.json"
    config.unlink()
    assert feature_extractor(folder).mel_filters.shape[0] == 80
    assert capabilities(folder).notes == ()
    config.write_text(json.dumps({"feature_size": 128}))
    assert feature_extractor(folder).mel_filters.shape[0] == 80
    (note,) = capabilities(folder).notes
    assert "128 mel bands" in note
    transcriber = Transcriber(replace(MODEL, model=str(folder)))
    assert transcriber.model.feature_extractor.mel_filters.shape[0] == 80


@pytest.mark.parametrize("config", [None, "{}", '{"feature_size": 80}', '{"feature_size": 128}'])
def test_128_mel_bands_with_any_configuration(config: str | None, tmp_path: Path) -> None:
    """A real engine with a model of that shape: what large-v3 in a folder needs."""
    folder = model_copy(tmp_path / "m")
    widen(folder, 128)
    file = folder / "preprocessor_config.json"
    file.unlink()
    if config is not None:
        file.write_text(config)
    known = capabilities(folder)
    assert known.mels == 128
    assert bool(known.notes) is (config != '{"feature_size": 128}')
    wide = Transcriber(replace(MODEL, model=str(folder)))
    decoding = replace(Settings().decoding, beam_size=1, language="en")
    with prepared_file(wide, SHORT, tmp_path, decoding) as prepared:
        assert prepared.features.shape[0] == 128
        list(wide.windows(prepared, wide.plan(prepared)))
