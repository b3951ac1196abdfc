"""What batches learn of the memory: only from windows that a loaded engine has finished."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui.batch.estimate import Performance, PerformanceHistory
from fwtui.config.locations import Locations
from fwtui.core.decoding import with_less_memory
from fwtui.core.events import LogLine, MemoryReading
from fwtui.core.job import Completed, Failed
from fwtui.core.settings import Settings
from fwtui.memory.forecast import Needs, forecast
from fwtui.memory.measure import peak_of
from tests.batch.driver import SHORT, BatchDriver, settings_for

NEVER_LOADS = """
import os, fwtui.engine.loop as l
l.Transcriber = lambda *_: os._exit(3)
"""
OUT_AT_A_WINDOW = """
from fwtui.engine.windows import WindowLoop
def step(self, state):
    raise MemoryError
WindowLoop.step = step
"""


def learnt(settings: Settings) -> Performance:
    return PerformanceHistory(Locations.default().history).get(settings)


async def test_an_engine_that_has_worked_teaches_its_peak(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "out")
    async with BatchDriver(settings, [SHORT]) as batch:
        await batch.to_the_end()
        assert isinstance(batch.jobs[1].state, Completed)
    found = learnt(settings)
    assert 50 < found.ram < 2000
    assert found.short_ram == 0
    async with BatchDriver(settings, [SHORT]) as batch:
        await batch.to_the_end()
        await batch.until(LogLine, lambda line: "as measured in earlier batches" in line.text)
    assert learnt(settings).ram >= found.ram


async def test_engines_that_never_load_teach_nothing(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "out")
    async with BatchDriver(settings, [SHORT], NEVER_LOADS) as batch:
        await batch.to_the_end()
    assert learnt(settings) == Performance()


async def test_running_out_of_memory_raises_what_is_needed(tmp_path: Path) -> None:
    """On each rung of the ladder, for the settings of that rung."""
    settings = settings_for(tmp_path / "out")
    decoding = replace(settings.decoding, beam_size=5)
    settings = replace(settings, decoding=decoding)
    async with BatchDriver(settings, [SHORT], OUT_AT_A_WINDOW) as batch:
        await batch.to_the_end()
        assert isinstance(batch.jobs[1].state, Failed)
    narrow, _ = with_less_memory(decoding)
    for rung in (settings, replace(settings, decoding=narrow)):
        found = learnt(rung)
        assert found.ram == 0  # no window was finished
        assert found.short_ram > 0


@pytest.mark.parametrize(("measured", "fits"), [(None, False), (500.0, False)])
def test_what_was_not_enough_is_more_than_an_estimate_or_a_peak(
    measured: float | None, fits: bool
) -> None:
    reading = MemoryReading(0, 0, 0, 0, 0, system_total=4000, available=1000)
    known = None if measured is None else Needs(measured)
    small = forecast(Settings(), 75.0, reading, known)
    assert small is not None
    assert small.fits
    made = forecast(Settings(), 75.0, reading, known, least=Needs(1000.0))
    assert made is not None
    assert made.fits is fits
    assert made.needs == 1000


def test_the_peak_of_a_process() -> None:
    import os

    assert peak_of(os.getpid()) > 10
    assert peak_of(2**22 + 1) == 0
