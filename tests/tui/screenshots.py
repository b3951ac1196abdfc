"""The README's pictures, from the application itself: `python -m tests.tui.screenshots`.

The queue in them is the tests' gallery, the clock stands still, so that they change only with
the screens.
"""

import asyncio
from pathlib import Path

from fwtui.config.profiles import PROFILES, with_profile
from fwtui.core.events import EngineChanged
from tests.tui.driving import Driver, running, scripted
from tests.tui.fakes import (
    ENGINE,
    SETTINGS,
    ScriptedLink,
    ScriptedWorkspace,
    busy_events,
    gallery,
    stored,
)

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
SIZE = (120, 36)


def keep(driver: Driver, name: str) -> None:
    """Write what is on the screen."""
    picture = driver.app.export_screenshot(title="fwtui")
    (FOLDER / f"{name}.svg").write_text(picture, encoding="utf-8")


async def main_and_settings() -> None:
    link = ScriptedLink(gallery(), with_profile(SETTINGS, PROFILES[1]))
    async with scripted(link, size=SIZE) as driver:
        for event in (EngineChanged(0, ENGINE), *busy_events()):
            driver.app.controller.model.fold(event)  # the bridge would keep the last reading only
        driver.app.main.apply(driver.app.controller.model.take_changes())
        await driver.settle()
        keep(driver, "main")
        await driver.press("comma")
        await driver.until(lambda: driver.screen == "SettingsDialog")
        keep(driver, "settings")


async def resume() -> None:
    async with running(ScriptedWorkspace(sessions=[stored()]), size=SIZE, wait=False) as driver:
        await driver.until_text("r Resume Session")
        keep(driver, "resume")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    asyncio.run(main_and_settings())
    asyncio.run(resume())
