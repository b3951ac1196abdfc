"""The doctor on the screen: this machine, for real, and what a width makes of findings."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from fwtui.doctor import verdicts
from fwtui.doctor.results import CheckResult, Cpu, Disk, SelfTest, Severity
from fwtui.tui.formatting import width
from fwtui.tui.glyphs import ASCII, UNICODE, Glyphs
from fwtui.tui.screens.doctor import DoctorDialog, result_lines
from tests.tui.driving import NARROW, Driver, scripted
from tests.tui.fakes import ScriptedLink

SAMPLE = (
    verdicts.python((3, 12, 4), "CPython", "Linux-6.1"),
    CheckResult(
        verdicts.PROGRAM,
        "settings",
        Severity.ERROR,
        "[decoding] beam_sise: there is no such setting",
        "did you mean beam_size? in ~/.config/fwtui/settings.toml",
    ),
    verdicts.cpu(Cpu("AMD EPYC 9354", "x86_64", 16, frozenset({"avx", "avx2"}))),
    CheckResult(verdicts.MACHINE, "gpu", Severity.NOTE, "no NVIDIA GPU: the CPU does the work"),
    verdicts.disk(Disk("state", "/run/user/1000/fwtui", 3 << 30, "tmpfs")),
    verdicts.self_test(SelfTest("one two", "One two", 2.4, "cpu")),
)


async def sample() -> AsyncIterator[CheckResult]:
    for finding in SAMPLE:
        yield finding


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
@pytest.mark.parametrize("cells", [20, 46, 120])
def test_findings_fit_and_nothing_is_left_out(cells: int, glyphs: Glyphs) -> None:
    drawn = ["".join(text for text, _ in line) for line in result_lines(SAMPLE, glyphs, cells)]
    assert max(map(width, drawn)) <= cells
    words = " ".join(" ".join(drawn).split())
    assert all(one.name[:11] in words for one in SAMPLE)
    if cells == 120:
        assert "Fix: choose another folder with FWTUI_STATE_DIR" in words


async def test_findings_come_one_by_one_again_and_can_be_copied() -> None:
    gate = asyncio.Event()
    asked = 0

    async def examine() -> AsyncIterator[CheckResult]:
        nonlocal asked
        asked += 1
        yield SAMPLE[0]
        await gate.wait()
        for finding in SAMPLE[1:]:
            yield finding

    async with scripted(ScriptedLink(), size=NARROW) as driver:
        await driver.app.push_screen(DoctorDialog(examine, UNICODE))
        await driver.until_text("CPython 3.12.4")
        await driver.until_text("checking")
        gate.set()
        await driver.until_text("1 problem, 1 warning")
        await driver.press("r")
        await driver.until(lambda: asked == 2)
        await driver.until_text("1 problem, 1 warning")
        await driver.press("y")
        assert "fix: did you mean beam_size?" in driver.app.clipboard


async def test_this_machine_from_the_key() -> None:
    async with scripted(ScriptedLink()) as driver:
        await driver.press("D")
        await driver.until_screen("DoctorDialog")
        await driver.until(lambda: driver_findings(driver), 60)
        names = {one.name for one in driver_findings(driver)}
        assert {"python", "packages", "settings"} <= names
        await driver.press("escape")
        await driver.until_screen("MainScreen")


def driver_findings(driver: Driver) -> list[CheckResult]:
    screen = driver.app.screen
    assert isinstance(screen, DoctorDialog)
    found = screen.results
    return found if len(found) > 2 else []
