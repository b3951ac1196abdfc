"""The whole examination, in the order in which it is told."""

import asyncio
import os
import platform
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from fwtui.config.checks import usable
from fwtui.config.load import load_settings
from fwtui.config.locations import Locations
from fwtui.config.own import load_profiles
from fwtui.core.display import printable
from fwtui.core.settings import Settings
from fwtui.doctor import probe, verdicts
from fwtui.doctor.finding import Finding, Level
from fwtui.doctor.selftest import SECONDS, self_test
from fwtui.errors import FwtuiError, ModelAbsentError
from fwtui.memory.forecast import forecast, told
from fwtui.memory.measure import MemoryMeter
from fwtui.memory.models import weights_size
from fwtui.models.cache import hub_cache, locate
from fwtui.models.catalogue import megabytes
from fwtui.models.shelf import Presence, cache_bytes, shelf


class Doctor:
    """`check_keys` looks at the keys of the settings file; it raises ConfigError."""

    def __init__(
        self,
        locations: Locations,
        seconds: float = SECONDS,
        check_keys: Callable[[Path], object] = lambda _: None,
    ) -> None:
        self._locations = locations
        self._seconds = seconds
        self._check_keys = check_keys

    async def examine(self) -> AsyncIterator[Finding]:
        """One finding after the other; the slow ones are under way from the beginning."""
        settings, config = await asyncio.to_thread(self._config)
        stop = threading.Event()
        testing = asyncio.to_thread(self_test, settings.model, self._seconds, stop)
        test = asyncio.create_task(testing)
        native = asyncio.create_task(asyncio.to_thread(probe.native))
        try:
            yield verdicts.python(
                sys.version_info[:3], platform.python_implementation(), platform.platform()
            )
            yield verdicts.versions(await asyncio.to_thread(probe.versions))
            tried = await asyncio.to_thread(probe.tested)
            yield verdicts.tested(await asyncio.to_thread(probe.versions, tuple(tried)), tried)
            yield config
            yield verdicts.cpu(await asyncio.to_thread(probe.cpu))
            yield await asyncio.to_thread(memory, settings)
            gpus = await asyncio.to_thread(probe.gpus)
            yield verdicts.gpus(gpus, settings)
            names = probe.cuda_libraries() if gpus.readings else ()
            loads = (asyncio.to_thread(probe.load_library, name) for name in names)
            libraries = verdicts.libraries(await asyncio.gather(*loads), gpus, settings)
            if libraries is not None:
                yield libraries
            yield verdicts.native(await native, settings, bool(gpus.readings))
            yield await asyncio.to_thread(model, settings)
            yield await asyncio.to_thread(stock, settings)
            for name, folder in self._folders(settings):
                yield verdicts.disk(await asyncio.to_thread(probe.disk, name, folder))
            yield verdicts.terminal(probe.terminal())
            yield verdicts.self_test(await test)
        finally:
            stop.set()
            await asyncio.gather(test, native, return_exceptions=True)

    def _config(self) -> tuple[Settings, Finding]:
        """The settings, defaults if they cannot be used, and the verdict on their file."""
        file = self._locations.config_file
        name = printable(os.fspath(file))
        try:
            settings = load_settings(file)
            load_profiles(file)
            self._check_keys(file)
        except FwtuiError as error:
            text = printable(error.title)
            fix = f"{printable(error.hint)}; in {name}" if error.hint else f"correct {name}"
            return Settings(), Finding(verdicts.PROGRAM, "settings", Level.ERROR, text, fix)
        try:
            settings = usable(settings)
        except ModelAbsentError:
            pass
        except FwtuiError as error:
            text = printable(error.title)
            fix = printable(error.hint)
            return settings, Finding(verdicts.PROGRAM, "settings", Level.ERROR, text, fix)
        text = f"{name} is valid" if file.exists() else f"defaults ({name} is not there)"
        return settings, Finding(verdicts.PROGRAM, "settings", Level.OK, text)

    def _folders(self, settings: Settings) -> tuple[tuple[str, Path], ...]:
        return (
            ("state", self._locations.state),
            ("scratch", self._locations.scratch),
            ("output", Path(settings.output.output_dir)),
            ("models", hub_cache(settings.model.model_dir)),
        )


def memory(settings: Settings) -> Finding:
    """RAM, and whether a batch with these settings fits."""
    reading = MemoryMeter().read()
    made = forecast(settings, weights_size(settings.model), reading)
    words = told(made) if made is not None else ""
    fits = made.fits if made is not None else None
    return verdicts.memory(reading.available, reading.capacity, words, fits=fits)


def model(settings: Settings) -> Finding:
    """The model of the settings."""
    name = printable(settings.model.model)
    try:
        folder = locate(settings.model)
    except ModelAbsentError as error:
        text, fix = printable(error.title), printable(error.hint)
        return Finding(verdicts.MODELS, "model", Level.WARNING, text, fix)
    except FwtuiError as error:
        text, fix = printable(error.title), printable(error.hint)
        return Finding(verdicts.MODELS, "model", Level.ERROR, text, fix)
    where = printable(os.fspath(folder))
    return Finding(verdicts.MODELS, "model", Level.OK, f"{name} is in {where}")


def stock(settings: Settings) -> Finding:
    """All models that are here."""
    entries = shelf(settings.model)
    here = [one for one in entries if one.presence is Presence.HERE]
    begun = [one for one in entries if one.presence is Presence.PARTLY]
    taken = megabytes(cache_bytes(entries) / 2**20)
    names = ", ".join(printable(one.name) for one in here) or "none"
    text = f"downloaded: {names}; {taken}"
    if begun:
        name = printable(begun[0].name)
        text += f"; half-loaded: {', '.join(printable(one.name) for one in begun)}"
        fix = f"fwtui models download {name} goes on, fwtui models remove {name} forgets it"
        return Finding(verdicts.MODELS, "downloads", Level.NOTE, text, fix)
    return Finding(verdicts.MODELS, "downloads", Level.OK, text)
