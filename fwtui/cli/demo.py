"""`fwtui demo`: the embedded clips through the embedded model, and how right it was."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from msgspec.structs import replace

from fwtui.batch.ahead import Ahead
from fwtui.cli.accuracy import accuracy
from fwtui.cli.arguments import Switch, WhisperCommand
from fwtui.cli.console import Console
from fwtui.cli.exits import exit_code_help
from fwtui.cli.headless import drive
from fwtui.cli.logfile import close_log, log_event, open_log
from fwtui.cli.progress import Progress
from fwtui.cli.run import conclude
from fwtui.cli.screen import has_terminal, show
from fwtui.cli.tally import Tally
from fwtui.config.locations import Locations
from fwtui.core.commands import AddPaths, Start
from fwtui.core.display import printable
from fwtui.core.paths import expand_home
from fwtui.core.quality import QualitySettings
from fwtui.core.settings import (
    BatchSettings,
    ModelSettings,
    OutputSettings,
    Settings,
)
from fwtui.errors import ExitCode, FwtuiError


@click.command(
    "demo",
    cls=WhisperCommand,
    short_help="Transcribe the embedded clips with the embedded model.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--headless", cls=Switch, default=False, help="Without the screen, as in a script")
@click.option(
    "-o", "--output_dir", type=click.Path(file_okay=False), help="Folder for clips and transcripts"
)
def command(headless: bool, output_dir: str | None) -> ExitCode:
    """Transcribe the clips that come with fwtui, with the tiny model that comes with it.

    It needs no network. On a terminal it opens the screen, where q leaves. At the end it prints
    what was found in each clip, and the share of the words that is right.
    """
    folder = expand_home(output_dir).absolute() if output_dir else _new_folder()
    clips = copy_clips(folder)
    settings = demo_settings(folder)
    # A state of its own: interrupted batches of the user have no place in a demo.
    with tempfile.TemporaryDirectory(prefix="fwtui-demo-state-") as state:
        locations = replace(Locations.default(), state=Path(state))
        if headless or not has_terminal():
            open_log(locations, settings.log)
            try:
                code = asyncio.run(run(locations, settings, clips))
            finally:
                close_log()
        else:
            paths = tuple(str(clip) for clip in clips)
            with Ahead(paths) as ahead:
                code = show(locations, settings, paths, ahead, start=True)
    for line in verdicts(clips):
        click.echo(line)
    return code


def demo_settings(folder: Path) -> Settings:
    """Default settings, whatever the settings file says, with the embedded model on the CPU."""
    from fwtui import demo

    return Settings(
        model=ModelSettings(model=str(demo.model_dir()), device="cpu"),
        output=OutputSettings(output_dir=str(folder)),
        # The tiny model takes a window of digits for the other language now and then.
        quality=QualitySettings(check_languages=False),
        # Its state is gone with it: nobody could find it in the background.
        batch=BatchSettings(on_hangup="stop"),
    )


def copy_clips(folder: Path) -> tuple[Path, ...]:
    """Copy the embedded clips into the folder, which is made if need be."""
    from fwtui import demo

    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tuple(Path(shutil.copy(clip, folder / clip.name)) for clip in demo.clips())
    except OSError as error:
        raise FwtuiError(
            f"the clips cannot be copied to {folder}: {error.strerror or error}",
            "choose another folder with --output_dir",
        ) from error


async def run(locations: Locations, settings: Settings, clips: tuple[Path, ...]) -> ExitCode:
    """Transcribe the clips without a screen."""
    from fwtui.batch.workspace import Workspace

    console, tally = Console(), Tally()
    runner = await Workspace(locations).start(settings)
    commands = (AddPaths(tuple(str(clip) for clip in clips)), Start())
    await drive(runner, commands, (tally, Progress(console, tally), log_event), console)
    return conclude(tally, settings, console)


def verdicts(clips: tuple[Path, ...]) -> Iterator[str]:
    """What was found in each clip, read from the file beside it, and how right it is."""
    from fwtui import demo

    for clip in clips:
        written = clip.with_suffix(".json")
        if written.is_file():
            found = msgspec.json.decode(written.read_bytes(), type=_Written)
            expected = demo.expected_text(clip)
            yield f"{clip.name} ({found.language}): {printable(' '.join(found.text.split()))}"
            yield f"  words right: {accuracy(expected, found.text):.1%}"


class _Written(msgspec.Struct, frozen=True):
    """What is needed of a transcript in JSON."""

    text: str
    language: str


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fwtui-demo-"))
