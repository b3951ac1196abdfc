"""What the screen says of memory, and the key that takes a proposal."""

from fwtui.core.commands import ChangeSettings
from fwtui.core.events import Forecast, MemoryAlert
from tests.tui.driving import Driver, scripted
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


async def toast(driver: Driver, words: str) -> None:
    await driver.until(lambda: any(words in note.message for note in driver.app._notifications))


async def test_an_exceeded_limit_is_told_as_data() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        link.emit(MemoryAlert("fwtui uses 900 MB [red]\x1b[31m", "a fresh engine", hard=True))
        await toast(driver, "fwtui uses 900 MB [red]")
        (note,) = driver.app._notifications
        assert "\x1b" not in note.message
        assert note.message.endswith("; a fresh engine")
        assert (note.severity, note.markup) == ("error", False)
        link.emit(MemoryAlert(""))  # over: nothing to say
        await driver.settle()
        assert len(driver.app._notifications) == 1


async def test_one_key_takes_the_proposal_of_a_forecast() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        await driver.press("M")
        assert link.commands == []  # nothing is proposed
        link.emit(TIGHT)
        await toast(driver, "M takes what fits: compute type int8_float16")
        await driver.press("G", "enter")  # the last file waits
        await driver.until_text("about 900 MB of memory")
        await driver.press("escape", "M")
        (command,) = link.commands
        assert isinstance(command, ChangeSettings)
        assert command.settings.model.compute_type == "int8_float16"
        assert command.settings.decoding == SETTINGS.decoding
        link.emit(Forecast(needs=900.0, free=8000.0))  # now it fits
        await driver.until(lambda: driver.app.host.model.forecast != TIGHT)
        await driver.press("M")
        assert len(link.commands) == 1
