"""All checks of the machine, in the order of the report."""

import asyncio
import os
import platform
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from fwtui.config.locations import Locations
from fwtui.config.sources import load_profiles, load_settings
from fwtui.config.validate import validated
from fwtui.core.settings import Settings, decides_speakers
from fwtui.core.text import printable
from fwtui.doctor import machine, verdicts
from fwtui.doctor.results import CheckResult, Severity
from fwtui.doctor.selftest import SECONDS, self_test
from fwtui.engine.keep_awake import why_not
from fwtui.errors import FwtuiError, ModelAbsentError
from fwtui.memory.forecast import describe_forecast, forecast, weights_size
from fwtui.memory.measure import MemoryMeter
from fwtui.models.cache import hub_cache, locate
from fwtui.models.capabilities import check_model
from fwtui.models.catalogue import megabytes
from fwtui.models.inventory import Presence, cache_bytes, list_models
from fwtui.models.speaker_models import check_speakers, list_speaker_models


class Doctor:
    """Runs all checks. `check_keys` raises ConfigError for invalid keys in the settings file.

    `used` are the settings in use, if they are not those of the settings file.
    """

    def __init__(
        self,
        locations: Locations,
        seconds: float = SECONDS,
        check_keys: Callable[[Path], object] = lambda _: None,
        used: Settings | None = None,
    ) -> None:
        self._used = used
        self._locations = locations
        self._seconds = seconds
        self._check_keys = check_keys

    async def examine(self) -> AsyncIterator[CheckResult]:
        """The results one by one; slow checks run in the background from the beginning."""
        stored, config = await asyncio.to_thread(self._config)
        settings = self._used or stored
        stop = threading.Event()
        testing = asyncio.to_thread(self_test, settings.model, self._seconds, stop)
        test = asyncio.create_task(testing)
        native = asyncio.create_task(asyncio.to_thread(machine.native))
        try:
            yield verdicts.python(
                sys.version_info[:3], platform.python_implementation(), platform.platform()
            )
            yield verdicts.versions(await asyncio.to_thread(machine.versions))
            tested = await asyncio.to_thread(machine.tested)
            installed = await asyncio.to_thread(machine.versions, tuple(tested))
            yield verdicts.tested(installed, tested)
            yield config
            yield verdicts.cpu(await asyncio.to_thread(machine.cpu))
            yield await asyncio.to_thread(memory, settings)
            yield verdicts.sleep(await asyncio.to_thread(why_not), settings)
            gpus = await asyncio.to_thread(machine.gpus)
            yield verdicts.gpus(gpus, settings)
            names = machine.cuda_libraries() if gpus.readings else ()
            loads = (asyncio.to_thread(machine.load_library, name) for name in names)
            libraries = verdicts.libraries(await asyncio.gather(*loads), gpus, settings)
            if libraries is not None:
                yield libraries
            yield verdicts.native(await native, settings, bool(gpus.readings))
            yield await asyncio.to_thread(model, settings)
            if settings.speakers.diarize == "voices" and not decides_speakers(settings):
                yield await asyncio.to_thread(speakers, settings)
            yield await asyncio.to_thread(downloads, settings)
            for name, folder in self._folders(settings):
                yield verdicts.disk(await asyncio.to_thread(machine.disk, name, folder))
            yield verdicts.terminal(machine.terminal())
            yield verdicts.self_test(await test)
        finally:
            stop.set()
            await asyncio.gather(test, native, return_exceptions=True)

    def _config(self) -> tuple[Settings, CheckResult]:
        """The settings, or the defaults if they are not valid, and the result for their file."""
        file = self._locations.config_file
        name = printable(os.fspath(file))
        try:
            settings = load_settings(file)
            load_profiles(file)
            self._check_keys(file)
        except FwtuiError as error:
            text = printable(error.title)
            fix = f"{printable(error.hint)}; in {name}" if error.hint else f"correct {name}"
            return Settings(), CheckResult(verdicts.PROGRAM, "settings", Severity.ERROR, text, fix)
        try:
            settings = validated(settings)
        except ModelAbsentError:
            pass
        except FwtuiError as error:
            text = printable(error.title)
            fix = printable(error.hint)
            return settings, CheckResult(verdicts.PROGRAM, "settings", Severity.ERROR, text, fix)
        text = f"{name} is valid" if file.exists() else f"using defaults ({name} does not exist)"
        return settings, CheckResult(verdicts.PROGRAM, "settings", Severity.OK, text)

    def _folders(self, settings: Settings) -> tuple[tuple[str, Path], ...]:
        return (
            ("state", self._locations.state),
            ("scratch", self._locations.scratch),
            ("output", Path(settings.output.output_dir)),
            ("models", hub_cache(settings.model.model_dir)),
        )


def memory(settings: Settings) -> CheckResult:
    """RAM, and whether a batch with these settings fits."""
    reading = MemoryMeter().read()
    made = forecast(settings, weights_size(settings.model), reading)
    forecast_text = describe_forecast(made) if made is not None else ""
    fits = made.fits if made is not None else None
    return verdicts.memory(reading.available, reading.capacity, forecast_text, fits=fits)


def model(settings: Settings) -> CheckResult:
    """The model in the settings."""
    name = printable(settings.model.model)
    try:
        folder = locate(settings.model)
        found = check_model(settings)
    except ModelAbsentError as error:
        text, fix = printable(error.title), printable(error.hint)
        return CheckResult(verdicts.MODELS, "model", Severity.WARNING, text, fix)
    except FwtuiError as error:
        text, fix = printable(error.title), printable(error.hint)
        return CheckResult(verdicts.MODELS, "model", Severity.ERROR, text, fix)
    text = f"{name} is in {printable(os.fspath(folder))}"
    if found:
        text = f"{text}; {'; '.join(found)}"
        return CheckResult(
            verdicts.MODELS, "model", Severity.WARNING, text, "see: fwtui models info"
        )
    return CheckResult(verdicts.MODELS, "model", Severity.OK, text)


def speakers(settings: Settings) -> CheckResult:
    """The models for speakers."""
    try:
        check_speakers(settings)
    except FwtuiError as error:
        missing = isinstance(error, ModelAbsentError)
        level = Severity.WARNING if missing else Severity.ERROR
        text, fix = printable(error.title), printable(error.hint)
        return CheckResult(verdicts.MODELS, "speakers", level, text, fix)
    text = "the models for speakers are downloaded"
    return CheckResult(verdicts.MODELS, "speakers", Severity.OK, text)


def downloads(settings: Settings) -> CheckResult:
    """All downloaded models."""
    entries = (*list_models(settings.model), *list_speaker_models(settings.model.model_dir))
    complete = [one for one in entries if one.presence is Presence.HERE]
    partial = [one for one in entries if one.presence is Presence.PARTLY]
    used = megabytes(cache_bytes(entries) / 2**20)
    names = ", ".join(printable(one.name) for one in complete)
    text = f"{names}; {used}" if names else "no models downloaded"
    if partial:
        name = printable(partial[0].name)
        text += f"; partially downloaded: {', '.join(printable(one.name) for one in partial)}"
        fix = f"to continue: fwtui models download {name}; to delete: fwtui models remove {name}"
        return CheckResult(verdicts.MODELS, "downloads", Severity.NOTE, text, fix)
    return CheckResult(verdicts.MODELS, "downloads", Severity.OK, text)
