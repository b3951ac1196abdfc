"""Models on the screen: against a real server that plays the hub, and a real engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual.widgets import Button

from fwtui import demo
from fwtui.batch.model_needs import model_needs
from fwtui.batch.workspace import Workspace
from fwtui.config.locations import Locations
from fwtui.core.commands import ChangeSettings
from fwtui.core.events import GpuReading, MemoryReading
from fwtui.core.job import Completed
from fwtui.core.settings import ModelSettings, Settings, SpeakerSettings
from fwtui.models.cache import locate
from fwtui.models.catalogue import NAMES
from fwtui.models.speaker_models import EMBEDDINGS, SEGMENTATION
from fwtui.tui.model_downloads import missing_model
from fwtui.tui.screens.models import ModelsDialog
from tests.batch.driver import settings_for
from tests.models.hub import FakeHub, environment, fake_hub
from tests.models.test_models import put
from tests.speakers.networks import write_networks
from tests.tui.driving import NARROW, Driver, running, scripted
from tests.tui.fakes import ScriptedLink, completed, job

TINY = ModelSettings(model="tiny")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub, and an empty cache."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    with fake_hub() as hub:
        for name, value in environment(hub, tmp_path / "hf").items():
            monkeypatch.setenv(name, value)
        yield hub


def models(driver: Driver) -> ModelsDialog:
    screen = driver.app.screen
    assert isinstance(screen, ModelsDialog)
    return screen


async def open_models(driver: Driver) -> ModelsDialog:
    await driver.press("m")
    await driver.until(lambda: driver.screen == "ModelsDialog" and models(driver)._list.items)
    return models(driver)


async def test_download_pause_go_on_remove_and_use(hub: FakeHub, tmp_path: Path) -> None:
    hub.hold = 400_000
    link = ScriptedLink(settings=Settings(model=ModelSettings(model="base")))
    async with scripted(link, size=NARROW) as driver:
        screen = await open_models(driver)
        assert screen._list.current is not None
        assert screen._list.current.name == "base"  # that of the batch
        await driver.press("home", "d")
        await driver.until(hub.held.is_set)
        await driver.until_text("%")
        await driver.press("p")
        await driver.until_text("B downloaded")
        hub.go_on.set()
        await driver.press("d")
        await driver.until_told("Model tiny downloaded")
        assert locate(TINY).is_dir()
        await driver.press("enter")
        await driver.until_screen("MainScreen")
        (command,) = (one for one in link.commands if isinstance(one, ChangeSettings))
        assert command.settings.model == TINY
        await open_models(driver)
        await driver.press("home", "D")
        await driver.until_screen("ConfirmDialog")
        await driver.press("right", "enter")
        await driver.until_told("tiny removed")
        assert missing_model(Settings(model=TINY), ()) == TINY


async def test_a_batch_whose_model_is_missing_offers_it_and_starts_when_it_is_here(
    hub: FakeHub, tmp_path: Path
) -> None:
    settings = settings_for(tmp_path / "out")
    settings = replace(settings, model=replace(settings.model, model="tiny"))
    clip = str(demo.clips()[0])
    workspace = Workspace(Locations.default())
    async with running(workspace, settings=settings, paths=[clip]) as driver:
        await driver.until(lambda: driver.app.controller.model.jobs)
        await driver.press("s")
        await driver.until_text("Download now?")
        assert not hub.seen
        assert driver.app.focused is driver.app.screen.query_one("#download")
        assert driver.app.screen.query_one("#download", Button).variant == "primary"
        await driver.until_text("75 MB")
        await driver.until_text("It needs about")
        await driver.press("enter")
        jobs = driver.app.controller.model.jobs
        await driver.until(lambda: isinstance(jobs[1].state, Completed), 120)


async def test_missing_models_for_speakers_are_offered_and_the_batch_starts_with_them(
    hub: FakeHub, tmp_path: Path
) -> None:
    networks = write_networks(tmp_path / "networks")
    hub.models = {
        SEGMENTATION.repo: {SEGMENTATION.file: (networks / "segmentation.onnx").read_bytes()},
        EMBEDDINGS[0].repo: {EMBEDDINGS[0].file: (networks / "voices.onnx").read_bytes()},
    }
    settings = settings_for(tmp_path / "out")
    settings = replace(settings, speakers=SpeakerSettings(diarize="voices"))
    clip = str(demo.clips()[0])
    workspace = Workspace(Locations.default())
    async with running(workspace, settings=settings, paths=[clip]) as driver:
        await driver.until(lambda: driver.app.controller.model.jobs)
        await driver.press("s")
        await driver.until_text("Models for speakers")
        assert not hub.seen
        await driver.until(
            lambda: driver.app.focused is driver.app.screen.query_one("#close")  # harmless
        )
        await driver.press("right", "enter")
        jobs = driver.app.controller.model.jobs
        await driver.until(lambda: isinstance(jobs[1].state, Completed), 120)
        state = jobs[1].state
        assert isinstance(state, Completed)
        assert not [warning for warning in state.warnings if "speakers" in warning]


async def test_another_model_instead_of_the_missing_one(hub: FakeHub, tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "out")
    folder = settings.model.model  # the demo model's
    settings = replace(settings, model=replace(settings.model, model="tiny"))
    workspace = Workspace(Locations.default())
    async with running(
        workspace, settings=settings, paths=[str(demo.clips()[0])], size=NARROW
    ) as driver:
        await driver.until(lambda: driver.app.controller.model.jobs)
        await driver.press("s")
        await driver.until_text("Choose another")
        await driver.press("left", "enter")
        await driver.until(lambda: driver.screen == "ModelsDialog" and models(driver)._list.needs)
        await driver.until_text("Memory")
        await driver.press("a", *folder, "enter")
        jobs = driver.app.controller.model.jobs
        await driver.until(lambda: isinstance(jobs[1].state, Completed), 120)
    assert not hub.seen


def test_what_models_need_here() -> None:
    reading = MemoryReading(100.0, 200.0, 1.0, 100.0, 0.0, 6_000.0, available=2_000.0)
    found = model_needs(Settings(model=ModelSettings(device="cpu")), NAMES, reading, None)
    fits = {name: one.forecast is not None and one.forecast.fits for name, one in found.items()}
    assert fits["tiny"]
    assert not fits["large-v3"]
    needed = [found[name].memory for name in ("tiny", "base", "small", "medium", "large-v3")]
    assert needed == sorted(needed)
    assert all(one.free == 2_000.0 for one in found.values())
    gpu = replace(reading, gpus=(GpuReading(0, "GPU", 500.0, 3_000.0, 0.0, 40.0),))
    on_gpu = model_needs(Settings(), ["tiny", "large-v3", "someone/else"], gpu, None)
    assert on_gpu["tiny"].free == 2_500.0
    assert on_gpu["someone/else"].memory == 0
    assert not on_gpu["tiny"].speed


async def test_what_cannot_be_had_is_told(hub: FakeHub) -> None:
    async with scripted(ScriptedLink()) as driver:
        await open_models(driver)
        await driver.press("a", *"no/such", "enter")
        await driver.until_text("has no model no/such")
        await driver.press("enter", "a", *"tyny", "enter")
        await driver.until_text("Did you mean tiny?")


def test_which_model_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    put(tmp_path)
    small = {"model.model": "small"}
    waiting, done = job(1), replace(job(2), state=completed())
    assert missing_model(Settings(model=TINY), [waiting]) is None
    assert missing_model(Settings(model=TINY), [replace(done, settings=small)]) is None
    lacking = missing_model(Settings(model=TINY), [replace(waiting, settings=small)])
    assert lacking is not None
    assert lacking.model == "small"
    assert missing_model(Settings(model=ModelSettings(model=str(tmp_path / "no"))), []) is None
