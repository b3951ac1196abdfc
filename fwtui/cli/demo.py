"""`fwtui demo`: transcribe the bundled clips with the bundled model, and measure its accuracy."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from msgspec.structs import replace

from fwtui.cli.console import Console
from fwtui.cli.logfile import close_log, log_event, open_log
from fwtui.cli.options import SettingsCommand, Switch, fwtui_command
from fwtui.cli.process import drive
from fwtui.cli.progress import ProgressDisplay, RunRecord
from fwtui.cli.run import conclude
from fwtui.cli.screen import has_terminal, show
from fwtui.config.locations import Locations
from fwtui.core.commands import AddPaths, Start
from fwtui.core.paths import expand_home
from fwtui.core.settings import (
    BatchSettings,
    ModelSettings,
    OutputSettings,
    QualitySettings,
    Settings,
)
from fwtui.core.text import printable
from fwtui.errors import ExitCode, FwtuiError

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return _WORD.findall(text.casefold())


def accuracy(expected: str, found: str) -> float:
    """One minus the word error rate, at least 0."""
    wanted, got = words(expected), words(found)
    if not wanted:
        return 1.0 if not got else 0.0
    return max(0.0, 1.0 - distance(wanted, got) / len(wanted))


def distance(wanted: list[str], got: list[str]) -> int:
    """The edit distance of two lists of words."""
    row = list(range(len(got) + 1))
    for count, word in enumerate(wanted, 1):
        diagonal, row[0] = row[0], count
        for index, other in enumerate(got, 1):
            changed = diagonal + (word != other)
            diagonal = row[index]
            row[index] = min(changed, row[index] + 1, row[index - 1] + 1)
    return row[-1]


@fwtui_command("demo", SettingsCommand)
@click.option("--headless", cls=Switch, default=False, help="Run without the screen")
@click.option(
    "-o",
    "--output_dir",
    type=click.Path(readable=False, file_okay=False),
    help="Folder for clips and transcripts",
)
def command(headless: bool, output_dir: str | None) -> ExitCode:
    """Transcribe the bundled clips with the bundled tiny model.

    No network is needed. On a terminal this opens the screen, where q quits. At the end the
    transcript of each clip is printed, with its word accuracy.
    """
    folder = expand_home(output_dir).absolute() if output_dir else _new_folder()
    clips = copy_clips(folder)
    settings = demo_settings(folder)
    # A separate state folder: the demo neither shows nor leaves unfinished sessions.
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
            code = show(locations, settings, paths, start=True)
    for line in accuracy_lines(clips):
        click.echo(line)
    return code


def demo_settings(folder: Path) -> Settings:
    """The defaults, without the settings file, with the bundled model on the CPU."""
    from fwtui import demo

    return Settings(
        model=ModelSettings(model=str(demo.model_dir()), device="cpu"),
        output=OutputSettings(output_dir=str(folder)),
        # The tiny model sometimes mistakes the language of a window of digits.
        quality=QualitySettings(check_languages=False),
        # Its state folder is deleted: a background batch could not be found.
        batch=BatchSettings(on_hangup="stop"),
    )


def copy_clips(folder: Path) -> tuple[Path, ...]:
    """Copy the bundled clips into the folder, which is created if necessary."""
    from fwtui import demo

    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tuple(Path(shutil.copy(clip, folder / clip.name)) for clip in demo.clips())
    except OSError as error:
        raise FwtuiError(
            f"cannot copy the clips to {folder}: {error.strerror or error}",
            "choose another folder with --output_dir",
        ) from error


async def run(locations: Locations, settings: Settings, clips: tuple[Path, ...]) -> ExitCode:
    """Transcribe the clips without a screen."""
    from fwtui.batch.workspace import Workspace

    console, record = Console(), RunRecord()
    runner = await Workspace(locations).start(settings)
    commands = (AddPaths(tuple(str(clip) for clip in clips)), Start())
    await drive(runner, commands, (record, ProgressDisplay(console, record), log_event), console)
    return conclude(record, settings, console)


def accuracy_lines(clips: tuple[Path, ...]) -> Iterator[str]:
    """The transcript of each clip, read from the file beside it, and its word accuracy."""
    from fwtui import demo

    for clip in clips:
        written = clip.with_suffix(".json")
        if written.is_file():
            found = msgspec.json.decode(written.read_bytes(), type=_Written)
            expected = demo.expected_text(clip)
            yield f"{clip.name} ({found.language}): {printable(' '.join(found.text.split()))}"
            yield f"  word accuracy: {accuracy(expected, found.text):.1%}"


class _Written(msgspec.Struct, frozen=True):
    """The fields of a JSON transcript that are needed here."""

    text: str
    language: str


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fwtui-demo-"))
