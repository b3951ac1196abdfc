"""Nothing is begun that cannot succeed: what is said before the start, of a batch or of a file."""

import errno
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui import demo
from fwtui.batch.start_checks import (
    REFUSED,
    check_settings,
    check_start,
    settings_failure,
)
from fwtui.config.fields import Value, apply
from fwtui.config.overrides import to_overrides
from fwtui.core.commands import ChangeSettings, RetryJobs, WatchFolder
from fwtui.core.events import EngineChanged, FoldersChanged, LogLine
from fwtui.core.failure import FailureKind
from fwtui.core.job import Completed, Failed, Pending
from fwtui.core.settings import OutputSettings, Settings
from fwtui.core.watched_folder import WatchedFolder
from fwtui.errors import FwtuiError, ModelError, UsageError
from fwtui.models.capabilities import supported_languages
from tests.batch.driver import SHORT, BatchDriver, settings_for
from tests.models.folders import cut, english, model_copy, write_weights


def no_gpus() -> int:
    return 0


def of(folder: Path, **values: Value) -> Settings:
    keys = {f"decoding.{name}": value for name, value in values.items()}
    return apply(Settings(), {"model.model": str(folder), **keys})


def test_the_folder_of_a_model_says_nothing_its_vocabulary_does(tmp_path: Path) -> None:
    plain, dotted = english(tmp_path / "base"), model_copy(tmp_path / "base.en")
    assert supported_languages(plain) == ("en",)
    assert supported_languages(dotted) == ("en", "de")
    for wrong in ({"language": "de"}, {"task": "translate"}):
        with pytest.raises(UsageError, match="English only"):
            check_settings(of(plain, **wrong))
        check_settings(of(dotted, **wrong))
    assert check_settings(of(plain, language="en")) == ()
    (warning,) = check_settings(of(plain, multilingual=True))
    assert "English only" in warning


def test_a_language_that_the_vocabulary_lacks(tmp_path: Path) -> None:
    folder = model_copy(tmp_path / "m")
    with pytest.raises(UsageError, match="does not know the language fr") as caught:
        check_settings(of(folder, language="fr"))
    assert caught.value.setting == "decoding.language"
    assert "en de" in caught.value.hint


@pytest.mark.parametrize("text", ["1928", "0,999999999", "-1,50257"])
def test_a_token_past_the_vocabulary(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="1,928 tokens") as caught:
        check_settings(of(model_copy(tmp_path / "m"), suppress_tokens=text))
    assert caught.value.setting == "decoding.suppress_tokens"
    assert "0 to 1927" in caught.value.hint


@pytest.mark.parametrize("name", ["turbo", "large-v3-turbo", "distil-large-v3", "distil-large-v2"])
def test_what_the_catalogue_knows_of_translation(name: str) -> None:
    """Though the model is not here."""
    with pytest.raises(UsageError, match="cannot translate") as caught:
        check_settings(of(Path(name), task="translate"))
    assert caught.value.setting == "decoding.task"
    assert check_settings(of(Path("large-v3"), task="translate")) == ()


def test_distilled_models_hear_english() -> None:
    (warning,) = check_settings(of(Path("distil-large-v3"), language="de"))
    assert "trained on English only, not on German" in warning
    with pytest.raises(UsageError, match="English only"):
        check_settings(of(Path("distil-small.en"), language="de"))
    assert check_settings(of(Path("turbo"), language="de")) == ()


@pytest.mark.parametrize(
    ("encoder", "decoder", "pruned"), [(32, 4, True), (12, 4, True), (32, 32, False), (6, 6, False)]
)
def test_the_shape_of_turbo_in_a_folder_of_any_name(
    encoder: int, decoder: int, pruned: bool, tmp_path: Path
) -> None:
    folder = model_copy(tmp_path / "mine")
    write_weights(folder / "model.bin", mels=128, encoder=encoder, decoder=decoder, tokens=1928)
    (folder / "preprocessor_config.json").unlink()
    found = check_settings(of(folder, task="translate"))
    assert any("128 mel bands" in text for text in found)
    assert any("probably cannot translate" in text for text in found) is pruned


def test_what_only_a_gpu_can_compute() -> None:
    for device in ("auto", "cpu"):
        for name in ("float16", "bfloat16", "int8_float16", "int8_bfloat16"):
            values: dict[str, Value] = {"model.device": device, "model.compute_type": name}
            with pytest.raises(UsageError, match=name) as caught:
                check_start(apply(Settings(), values), no_gpus)
            assert caught.value.setting == "model.compute_type"
            assert "int8" in caught.value.hint
            if device == "auto":
                check_start(apply(Settings(), values), lambda: 1)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_folder_that_cannot_be_written_is_said_before_the_start(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(number, "not allowed")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    settings = settings_for(tmp_path / "out")
    with pytest.raises(UsageError, match="cannot write transcripts") as caught:
        check_start(settings, no_gpus)
    assert caught.value.setting == "output.output_dir"
    check_start(settings, no_gpus, ())  # one that was there is waited for
    if number == errno.EROFS:
        check_start(settings, no_gpus, REFUSED)
    beside = replace(settings, output=replace(settings.output, output_layout="source"))
    check_start(beside, no_gpus)


async def test_a_recording_beside_which_nothing_can_be_written_is_not_transcribed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the layout `source`: its folder is no setting, so the file says it."""
    folder = tmp_path / "card"
    folder.mkdir()
    path = Path(shutil.copy(SHORT, folder))
    allowed = os.access
    monkeypatch.setattr(
        os, "access", lambda place, mode: Path(place) != folder and allowed(place, mode)
    )
    settings = settings_for(tmp_path / "out", output=OutputSettings(output_layout="source"))
    async with BatchDriver(settings, [path]) as batch:
        await batch.to_the_end()
        state = batch.jobs[1].state
        assert isinstance(state, Failed)
        assert state.failure.kind is FailureKind.OUTPUT
        assert not [event for event in batch.events if isinstance(event, EngineChanged)]


async def test_a_batch_with_a_damaged_model_ends_before_an_engine_and_keeps_its_files(
    tmp_path: Path,
) -> None:
    folder = model_copy(tmp_path / "m")
    cut("model.bin", 0.9)(folder)
    settings = settings_for(tmp_path / "out")
    settings = replace(settings, model=replace(settings.model, model=str(folder)))
    async with BatchDriver(settings, [SHORT]) as batch:
        finished = await batch.to_the_end()
        assert finished.failure is not None
        assert finished.failure.kind is FailureKind.MODEL_MISSING
        assert "cut off" in finished.failure.title
        assert finished.failure.hint
        assert not [event for event in batch.events if isinstance(event, EngineChanged)]
        assert isinstance(batch.jobs[1].state, Pending)


async def test_a_file_s_own_settings_fail_that_file_and_no_other(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "out")
    wrong = to_overrides(settings) | {"decoding.suppress_tokens": "999999999"}
    async with BatchDriver(settings, [SHORT, demo.clips()[1]]) as batch:
        own = replace(batch.actor.state.queue[1], settings=wrong)
        await batch.actor.state.put(own)
        finished = await batch.to_the_end()
        assert finished.failure is None
    failed, done = batch.jobs[1].state, batch.jobs[2].state
    assert isinstance(failed, Failed)
    assert failed.failure.kind is FailureKind.BAD_SETTINGS
    assert "--suppress_tokens" in failed.failure.title
    assert isinstance(done, Completed)


async def test_commands_of_clients_and_watched_folders_are_checked(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "out")
    bad = apply(settings, {"decoding.clip_timestamps": "abc"})
    (tmp_path / "in").mkdir()
    async with BatchDriver(settings, [SHORT]) as batch:
        for command in (ChangeSettings(bad), RetryJobs((1,), settings=bad)):
            since = len(batch.events)
            batch.send(command)
            await batch.until(LogLine, lambda line: "--clip_timestamps" in line.text, since)
        assert batch.actor.state.settings == settings
        values = {"decoding.suppress_tokens": "77777"}
        batch.send(WatchFolder(WatchedFolder(path=str(tmp_path / "in"), values=values)))
        told = await batch.until(FoldersChanged, lambda event: bool(event.folders))
        assert told.folders[0].state == "failed"
        assert "--suppress_tokens" in told.folders[0].problem


def test_every_error_of_a_start_is_settings_or_model(tmp_path: Path) -> None:
    for error in (
        of(tmp_path / "none"),
        of(Path("no such model")),
        of(model_copy(tmp_path / "m"), language="xx"),
    ):
        failure = settings_failure(error)
        assert failure is not None
        assert failure.kind in {FailureKind.BAD_SETTINGS, FailureKind.MODEL_MISSING}
    with pytest.raises(FwtuiError):
        check_settings(of(tmp_path / "none"))
    assert issubclass(ModelError, FwtuiError)
