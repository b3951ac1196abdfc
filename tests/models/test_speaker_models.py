"""The models for speakers: where they are, what is downloaded, and what is told of damage."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from fwtui.cli import models as command
from fwtui.core.settings import Settings, SpeakerSettings
from fwtui.doctor.examine import speakers as examined
from fwtui.errors import ModelAbsentError, ModelError
from fwtui.models.client import request_replies
from fwtui.models.inventory import Presence
from fwtui.models.protocol import Done, Download, RequestFailed
from fwtui.models.speaker_models import (
    DEFAULT_THRESHOLD,
    EMBEDDINGS,
    SEGMENTATION,
    check_speakers,
    download_requests,
    embedding_of,
    find_speaker_model,
    list_speaker_models,
    locate_speakers,
)
from tests.models.hub import COMMIT, environment, fake_hub

HUB: Mapping[str, Mapping[str, bytes]] = {
    SEGMENTATION.repo: {
        SEGMENTATION.file: b"s" * 120_000,
        "onnx/model_fp16.onnx": b"h" * 10,
        "README.md": b"# A model",
    },
    EMBEDDINGS[0].repo: {one.file: one.name.encode() * 40_000 for one in EMBEDDINGS},
}
VOICES = Settings(speakers=SpeakerSettings(diarize="voices"))


async def fetch(request: Download, variables: Mapping[str, str]) -> Done | RequestFailed:
    async with request_replies(request, variables) as replies:
        async for reply in replies:
            if isinstance(reply, Done | RequestFailed):
                return reply
    raise AssertionError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub's."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "")
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "")
    return tmp_path / "hub"


async def test_only_the_files_that_are_needed_come_and_are_verified(
    tmp_path: Path, cache: Path
) -> None:
    with fake_hub(HUB) as hub:
        variables = environment(hub, tmp_path / "home")
        for request in download_requests("speakers", str(cache)):
            assert isinstance(await fetch(request, variables), Done)
        assert not hub.gets("README.md")
        assert not hub.gets(EMBEDDINGS[1].file)
    found = locate_speakers("")
    assert Path(found.segmentation).read_bytes() == HUB[SEGMENTATION.repo][SEGMENTATION.file]
    assert found.segmentation.endswith(f"{COMMIT}/onnx/model.onnx")
    assert found.threshold == EMBEDDINGS[0].threshold
    first, second = list_speaker_models()
    assert (first.presence, second.presence) == (Presence.HERE, Presence.PARTLY)
    with pytest.raises(ModelAbsentError):
        locate_speakers("resnet34")
    check_speakers(VOICES)
    blob = Path(found.embedding).resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelError, match=r"damaged") as damaged:
        check_speakers(VOICES)
    assert "fwtui models download speakers" in damaged.value.hint


async def test_a_hub_without_the_file_and_a_wrong_digest_are_told(
    tmp_path: Path, cache: Path
) -> None:
    with fake_hub({SEGMENTATION.repo: {"README.md": b""}}) as hub:
        (request, _) = download_requests("speakers", str(cache))
        reply = await fetch(request, environment(hub, tmp_path / "home"))
    assert isinstance(reply, RequestFailed)
    assert SEGMENTATION.file in reply.failure.title
    spoiled = {SEGMENTATION.repo: {SEGMENTATION.file: b"s" * 600_000}}
    with fake_hub(spoiled) as hub:
        hub.spoil = True
        reply = await fetch(request, environment(hub, tmp_path / "home"))
    assert isinstance(reply, RequestFailed)
    assert "checksum" in reply.failure.title


def test_the_command_downloads_lists_and_removes_both(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fake_hub(HUB) as hub:
        for name, value in environment(hub, tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        done = CliRunner().invoke(command.command, ["download", "speakers"])
        assert done.exit_code == 0, done.output
    listed = CliRunner().invoke(command.command, ["list"]).output
    (line,) = [line for line in listed.splitlines() if "speakers" in line]
    assert line.endswith("yes")
    shown = CliRunner().invoke(command.command, ["path", "speakers"]).output
    assert [Path(line).name for line in shown.splitlines()] == ["model.onnx", EMBEDDINGS[0].file]
    assert "--diarize" in CliRunner().invoke(command.command, ["info", "speakers"]).output
    gone = CliRunner().invoke(command.command, ["remove", "--yes", "speakers"])
    assert gone.exit_code == 0, gone.output
    found = find_speaker_model("speakers")
    assert found is not None
    assert found.presence is Presence.ABSENT
    assert not list(cache.glob("models--*"))


def test_what_is_missing_is_offered_or_forbidden(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not cache.exists()
    with pytest.raises(ModelAbsentError, match=r"34 MB") as absent:
        check_speakers(VOICES)
    assert absent.value.hint == "download them: fwtui models download speakers"
    assert examined(VOICES).fix == absent.value.hint
    check_speakers(Settings())
    check_speakers(Settings(speakers=SpeakerSettings(diarize="channels")))
    local = replace(VOICES, model=replace(VOICES.model, local_files_only=True))
    with pytest.raises(ModelError, match="local_files_only") as told:
        check_speakers(local)
    assert not isinstance(told.value, ModelAbsentError)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE") as forbidden:
        check_speakers(VOICES)
    assert not isinstance(forbidden.value, ModelAbsentError)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), False),
        (("segmentation-3.0.onnx",), False),
        (("voices.onnx",), False),
        (("Segmentation.ONNX", "voices.onnx"), True),
        (("segmentation-3.0.onnx", "a.onnx", "b.onnx"), False),
        (("segmentation.onnx", "segmentation-2.onnx", "a.onnx"), False),
        (("segmentation.onnx", "a.onnx", "README.md", "a.txt"), True),
    ],
)
def test_a_folder_must_have_one_of_each(
    names: tuple[str, ...], found: bool, tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / name).touch()
    settings = replace(VOICES.speakers, diarize_model=str(tmp_path))
    if found:
        check_speakers(Settings(speakers=settings))
        return
    with pytest.raises(ModelError, match=r"must have two models") as told:
        check_speakers(Settings(speakers=settings))
    assert told.value.setting == "speakers.diarize_model"


def test_names_that_are_no_model_are_told(tmp_path: Path) -> None:
    for name, hint in (("campplu", "campplus"), ("pyannote/x", "resnet34")):
        with pytest.raises(ModelError) as told:
            locate_speakers(name)
        assert hint in told.value.hint
    with pytest.raises(ModelError, match="not found"):
        locate_speakers(str(tmp_path / "none"))
    with pytest.raises(ModelError):
        asyncio.run(asyncio.to_thread(download_requests, "campplu", ""))


def test_each_model_of_voices_has_its_threshold(tmp_path: Path) -> None:
    assert embedding_of("") is embedding_of("speakers") is embedding_of("campplus")
    assert len({one.threshold for one in EMBEDDINGS}) == len(EMBEDDINGS)
    (tmp_path / "segmentation.onnx").touch()
    for name, threshold in (
        ("wespeaker_en_voxceleb_resnet34_LM.onnx", embedding_of("resnet34").threshold),
        ("campplus_zh_en.onnx", embedding_of("campplus").threshold),
        ("other.onnx", DEFAULT_THRESHOLD),
    ):
        (tmp_path / name).touch()
        assert locate_speakers(str(tmp_path)).threshold == threshold
        (tmp_path / name).unlink()


def test_other_weights_have_another_identity(tmp_path: Path) -> None:
    (tmp_path / "segmentation.onnx").write_bytes(b"a")
    (tmp_path / "voices.onnx").write_bytes(b"b")
    first = locate_speakers(str(tmp_path)).identity()
    (tmp_path / "voices.onnx").write_bytes(b"c")
    assert locate_speakers(str(tmp_path)).identity() != first
