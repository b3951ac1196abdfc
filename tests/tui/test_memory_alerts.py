"""What the screen says of memory, and the key that takes a proposal."""

import pytest
from msgspec.structs import replace
from textual.drivers.headless_driver import HeadlessDriver

from fwtui.core.commands import ChangeSettings
from fwtui.core.events import BatchFinished, Forecast, HookFailed, MemoryAlert
from fwtui.core.settings import DoneSettings
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
        link.emit(MemoryAlert("fwtui uses 900 MB [red]\x1b[31m", "a fresh engine", hard=True))
        await driver.until_told("fwtui uses 900 MB [red]")
        (note,) = driver.notes
        assert "\x1b" not in note.message
        assert note.message.endswith("; a fresh engine")
        assert (note.severity, note.markup) == ("error", False)
        link.emit(MemoryAlert(""))  # over: nothing to say
        await driver.settle()
        assert len(driver.notes) == 1


async def test_one_key_takes_the_proposal_of_a_forecast() -> None:
    link = ScriptedLink(gallery())
    async with scripted(link) as driver:
        await driver.press("M")
        assert link.commands == []  # nothing is proposed
        link.emit(TIGHT)
        await driver.until_told("press M to use what fits: compute type int8_float16")
        await driver.press("G", "enter")  # the last file waits
        await driver.until_text("about 900 MB of memory")
        await driver.press("escape", "M")
        (command,) = link.commands
        assert isinstance(command, ChangeSettings)
        assert command.settings.model.compute_type == "int8_float16"
        assert command.settings.decoding == SETTINGS.decoding
        link.emit(Forecast(needs=900.0, free=8000.0))  # now it fits
        await driver.until(lambda: driver.app.controller.model.forecast != TIGHT)
        await driver.press("M")
        assert len(link.commands) == 1


async def test_a_command_that_failed_is_told_and_the_end_rings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[str] = []
    monkeypatch.setattr(HeadlessDriver, "write", lambda _, data: written.append(data))
    monkeypatch.delenv("TMUX", raising=False)
    done = DoneSettings(bell=True, terminal_notification="osc9")
    link = ScriptedLink(gallery(), replace(SETTINGS, done=done))
    async with scripted(link) as driver:
        link.emit(HookFailed("on_file_done", "on_file_done failed for [b]x", "no\x1b[2J disk"))
        await driver.until_told("on_file_done failed for [b]x: no")
        (note,) = driver.notes
        assert "\x1b" not in note.message
        assert (note.severity, note.markup) == ("warning", False)
        link.emit(BatchFinished(2, 0, 0, stopped=True, seconds=1.0))
        await driver.settle()
        assert "]9;" not in "".join(written)
        link.emit(BatchFinished(2, 1, 0, stopped=False, seconds=1.0))
        await driver.until(lambda: "\a\x1b]9;fwtui: 2 files done, 1 failed\a" in written)
