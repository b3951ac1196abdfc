"""Pictures of the documentation, from a real batch with a real model.

    FWTUI_REAL_MODELS=DIR FWTUI_REAL_MEDIA=DIR python -m tests.tui.screenshots

`FWTUI_REAL_MODELS` has the folder `base` with a multilingual Whisper model, `FWTUI_REAL_MEDIA` has
recordings: `jfk.flac`, `french.mp3` and `meeting01.flac` to `meeting09.flac`. Everything that the
pictures show was really measured, so they differ a little each time.
"""

import asyncio
import os
import shutil
import tempfile
import wave
from datetime import datetime
from pathlib import Path

from textual.widgets import Button

from fwtui.audio.decode import decode_to_wav
from fwtui.batch.workspace import Workspace
from fwtui.config.locations import Locations
from fwtui.core.job import Completed
from fwtui.core.settings import DecodingSettings, ModelSettings, OutputSettings, Settings
from tests.tui.driving import Driver, running

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
SIZE = (120, 36)
SECONDS = 600.0
MEETINGS = range(1, 10)
LONG = "meeting03-extended.wav"  # all of them in a row


def now() -> datetime:
    """The time of the pictures."""
    return datetime.now().astimezone()


def keep(driver: Driver, name: str) -> None:
    """Write what is on the screen."""
    picture = driver.app.export_screenshot(title="fwtui")
    (PICTURES / f"{name}.svg").write_text(picture, encoding="utf-8")


def copy_recordings(media: Path, folder: Path) -> list[str]:
    """Fill a folder with recordings, the nine meetings in a row among them; their paths."""
    folder.mkdir()
    for name in ("french.mp3", "jfk.flac"):
        shutil.copy(media / name, folder)
    with wave.open(str(folder / LONG), "wb") as joined:
        joined.setparams((1, 2, 16000, 0, "NONE", ""))
        for number in MEETINGS:
            part = folder / "part.wav"
            source = media / f"meeting{number:02}.flac"
            decode_to_wav(source, part, lambda _: None, lambda: False)
            with wave.open(str(part)) as recording:
                joined.writeframes(recording.readframes(recording.getnframes()))
            part.unlink()
    for number in MEETINGS:
        shutil.copy(media / f"meeting{number:02}.flac", folder)
    return [str(path) for path in sorted(folder.iterdir())]


async def main_and_settings(workspace: Workspace, settings: Settings, paths: list[str]) -> None:
    """The screen at work, its settings, and then it is closed in the middle of a file."""
    async with running(workspace, size=SIZE, settings=settings, paths=paths, now=now) as driver:
        model = driver.app.controller.model
        await driver.until(lambda: len(model.jobs) == len(paths))
        long = next(job.id for job in model.jobs.values() if job.name == LONG)
        await driver.press("s")
        await driver.until(lambda: len(model.transcript(long).segments) > 12, SECONDS)
        keep(driver, "main")
        await driver.press("comma")
        await driver.until_screen("SettingsDialog")
        keep(driver, "settings")
        await driver.press("escape", "q")
        await driver.until_screen("QuitDialog")
        driver.app.screen.query_one("#quit", Button).press()
        await driver.until(lambda: not driver.app.is_running, SECONDS)
        assert any(isinstance(job.state, Completed) for job in model.jobs.values())


async def resume(workspace: Workspace, settings: Settings) -> None:
    """What the next start offers."""
    async with running(workspace, size=SIZE, settings=settings, now=now, wait=False) as driver:
        await driver.until_text("resumes at")
        keep(driver, "resume")


def main() -> None:
    """Make all pictures."""
    models, media = (Path(os.environ[f"FWTUI_REAL_{what}"]) for what in ("MODELS", "MEDIA"))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.environ["HOME"] = folder  # paths are shown from the home folder on
        paths = copy_recordings(media, home / "recordings")
        shutil.copytree(models / "base", home / "models" / "base")
        workspace = Workspace(Locations(home / "state", home / "cache", home / "config"))
        settings = Settings(
            model=ModelSettings(model="~/models/base", compute_type="int8"),
            decoding=DecodingSettings(beam_size=5),
            output=OutputSettings(output_dir="~/transcripts"),
        )
        asyncio.run(main_and_settings(workspace, settings, paths))
        asyncio.run(resume(workspace, settings))


if __name__ == "__main__":
    main()
