"""`fwtui demo`: the embedded clips through the embedded model, and how right it was."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from fwtui.cli.accuracy import accuracy
from fwtui.cli.arguments import Switch, WhisperCommand
from fwtui.cli.console import Console
from fwtui.cli.exits import exit_code_help
from fwtui.cli.headless import drive
from fwtui.cli.progress import Progress
from fwtui.cli.run import conclude
from fwtui.cli.tally import Tally
from fwtui.cli.tui import has_terminal, show
from fwtui.config.locations import Locations
from fwtui.core.commands import AddPaths, Start
from fwtui.core.display import printable
from fwtui.core.job import Completed, Job
from fwtui.core.settings import ModelSettings, OutputSettings, Settings
from fwtui.errors import ExitCode


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

    It needs no network. On a terminal it opens the screen; elsewhere, or with --headless, it
    prints what was found in each clip, and the share of the words that is right.
    """
    folder = Path(output_dir).expanduser().absolute() if output_dir else _new_folder()
    clips = copy_clips(folder)
    settings = demo_settings(folder)
    locations = Locations.default()
    if headless or not has_terminal():
        return asyncio.run(run(locations, settings, clips))
    return show(locations, settings, tuple(str(clip) for clip in clips))


def demo_settings(folder: Path) -> Settings:
    """Default settings, whatever the settings file says, with the embedded model on the CPU."""
    from fwtui import demo

    return Settings(
        model=ModelSettings(model=str(demo.model_dir()), device="cpu"),
        output=OutputSettings(output_dir=str(folder)),
    )


def copy_clips(folder: Path) -> tuple[Path, ...]:
    """Copy the embedded clips into the folder, which is made if need be."""
    from fwtui import demo

    folder.mkdir(parents=True, exist_ok=True)
    return tuple(Path(shutil.copy(clip, folder / clip.name)) for clip in demo.clips())


async def run(locations: Locations, settings: Settings, clips: tuple[Path, ...]) -> ExitCode:
    """Transcribe the clips without a screen, then print transcripts and accuracy on stdout."""
    from fwtui.batch.workspace import Workspace

    console, tally = Console(), Tally()
    runner = await Workspace(locations).start(settings)
    commands = (AddPaths(tuple(str(clip) for clip in clips)), Start())
    await drive(runner, commands, (tally, Progress(console, tally)), console)
    for job in tally.completed:
        for line in _verdict(job):
            click.echo(line)
    return conclude(tally, settings, console)


def _verdict(job: Job) -> Iterator[str]:
    """What was found in a clip, read from the file that was written, and how right it is."""
    if isinstance(job.state, Completed):
        text = _written_text(job.state)
        yield f"{printable(job.name)} ({printable(job.state.language)}): {printable(text)}"
        if expected := _expected(job):
            yield f"  words right: {accuracy(expected, text):.1%}"


def _written_text(state: Completed) -> str:
    text = next(Path(output) for output in state.outputs if output.endswith(".txt"))
    return " ".join(text.read_text(encoding="utf-8").split())


def _expected(job: Job) -> str:
    from fwtui import demo

    clips = {clip.name: clip for clip in demo.clips()}
    return demo.expected_text(clips[job.name]) if job.name in clips else ""


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fwtui-demo-"))
