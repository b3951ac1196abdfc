"""What the screen says of memory, and the key that takes a proposal."""

from fwtui.core.commands import ChangeSettings
from fwtui.core.events import Forecast, MemoryAlert
from tests.tui.driving import scripted
from tests.tui.fakes import SETTINGS, ScriptedLink, gallery

TIGHT = Forecast(
    needs=900.0,
    free=8000.0,
    gpu_needs=9000.0,
    gpu_free=6000.0,
    fits=False,
    proposal={"model.compute_type": "int8_float16"},
    remedy="compute type int8_float16",
)


async def test_an_exceeded_limit_is_told_as_data() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        link.emit(
            MemoryAlert("fwtui uses 900 MB [red]\x1b[31m", "a fresh engine goes on", hard=True)
        )
        await driver.until_text("fwtui uses 900 MB [red]")
        await driver.until_text("a fresh engine goes on")
        link.emit(MemoryAlert(""))  # over: nothing to say
        await driver.settle()
        assert len(driver.app._notifications) == 1


async def test_one_key_takes_the_proposal_of_a_forecast() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        await driver.press("M")
        assert link.commands == []  # nothing is proposed
        link.emit(TIGHT)
        await driver.until_text("9000 MB of the GPU (6000 MB free)")
        await driver.until_text("(M takes")
        await driver.press("M")
        (command,) = link.commands
        assert isinstance(command, ChangeSettings)
        assert command.settings.model.compute_type == "int8_float16"
        assert command.settings.decoding == SETTINGS.decoding
        link.emit(Forecast(needs=900.0, free=8000.0))  # now it fits
        await driver.settle()
        await driver.press("M")
        assert len(link.commands) == 1
