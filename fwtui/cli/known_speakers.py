"""`fwtui speakers`: add, list and delete the voices of known speakers."""

import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from fwtui.cli.console import Console
from fwtui.cli.options import fwtui_command
from fwtui.config.locations import Locations
from fwtui.config.sources import make_layers, merge_layers
from fwtui.core.child_process import CHILD_FOLDER, child_environment
from fwtui.core.paths import expand_home, path_to_text
from fwtui.core.settings import Settings
from fwtui.core.speakers import SPEAKER_NAME, is_speaker_name
from fwtui.core.text import cells, clock, printable
from fwtui.core.voices import VoicePrint, VoicePrintAnswer, VoicePrintTask
from fwtui.errors import FwtuiError, UsageError

if TYPE_CHECKING:
    from fwtui.speakers.known_voices import KnownVoice

COMMAND = (sys.executable, "-P", "-m", "fwtui.engine.voice_print")
_HEADINGS = ("name", "speech", "added", "model")


@fwtui_command("speakers", click.Group)
def command() -> None:
    """Add, list and delete the voices of known speakers.

    What a voice sounds like is biometric data: it is kept only if you add it, in one private file
    of this user, and used only with --known_speakers. Ask the person first.
    """


@command.command("add", short_help="Keep the voice of a person.")
@click.argument("name")
@click.argument("file", metavar="FROM-FILE", type=click.Path(readable=False))
@click.option("--diarize_model", metavar="MODEL", help="Model of voices, as for fwtui run")
def add(name: str, file: str, diarize_model: str | None) -> None:
    """Keep what a person sounds like, from a recording of this person alone.

    If several people speak in it, the voice of who speaks most is taken, and a line on stderr says
    what share of the speech that is. A name that is known already gets the new voice.
    """
    from fwtui.speakers.known_voices import KnownVoice, add_known_voice

    if not is_speaker_name(name):
        raise UsageError(f"No speaker can be called {name!a}", f"allowed: {SPEAKER_NAME}")
    path = expand_home(file).absolute()
    if not path.is_file():
        raise UsageError(f"{file} not found, or not a file", "check the name")
    locations = Locations.default()
    settings = _settings(locations, diarize_model)
    found = _voice_print(path, locations, settings)
    known = KnownVoice(
        name=name,
        model=found.model,
        model_file=printable(found.model_file)[:255],
        vector=found.vector,
        seconds=found.seconds,
        added=datetime.now().replace(microsecond=0),
    )
    replaced = add_known_voice(locations.known_voices, known)
    console = Console()
    console.line(f"{'replaced' if replaced else 'added'} {name}: {share_text(found)}")
    if not settings.speakers.known_speakers:
        console.line("used with: fwtui run --diarize --known_speakers")


def share_text(found: VoicePrint) -> str:
    """How much of a recording a voice print was made of."""
    if found.speakers == 1:
        return f"the only voice in the recording, {clock(found.seconds)} of speech"
    share = round(100 * found.seconds / found.all_seconds) if found.all_seconds else 0
    return (
        f"{found.speakers} voices in the recording, the one with most speech was taken: "
        f"{share}% ({clock(found.seconds)} of {clock(found.all_seconds)})"
    )


def _settings(locations: Locations, diarize_model: str | None = None) -> Settings:
    """The settings of the user, as for a batch. Raises ConfigError, UsageError."""
    from fwtui.config.validate import validated

    given = {} if diarize_model is None else {"speakers.diarize_model": diarize_model}
    return validated(merge_layers(make_layers(locations.config_file, given=given)))


def _voice_print(path: Path, locations: Locations, settings: Settings) -> VoicePrint:
    """The answer of a child process. Raises FwtuiError."""
    import secrets

    from fwtui.disk.files import ensure_folder, remove_quietly, storage_error
    from fwtui.models.speaker_models import locate_speakers

    model, model_dir = settings.speakers.diarize_model or "", settings.model.model_dir
    locate_speakers(model, model_dir)  # says what to download
    try:
        ensure_folder(locations.scratch)
    except OSError as error:
        raise storage_error(error, locations.scratch, "create") from error
    scratch = locations.scratch / f"tmp{secrets.token_hex(8)}.wav"
    task = VoicePrintTask(path_to_text(path), path_to_text(scratch), model, model_dir)
    try:
        done = subprocess.run(
            COMMAND,
            input=msgspec.json.encode(task) + b"\n",
            capture_output=True,
            cwd=CHILD_FOLDER,
            env=child_environment(),
            check=False,
        )
    except OSError as error:
        raise FwtuiError(
            f"Cannot start the process that listens: {error.strerror}",
            "check free memory and the process limit (ulimit -u)",
        ) from error
    finally:
        remove_quietly(scratch)
    try:
        answer = msgspec.json.decode(done.stdout, type=VoicePrintAnswer)
    except msgspec.DecodeError as error:
        raise FwtuiError(
            f"{path.name}: the process that listens has died (exit code {done.returncode})",
            "check free memory, then try again",
        ) from error
    if answer.failure is not None:
        raise FwtuiError(answer.failure.title, answer.failure.hint)
    assert answer.made is not None
    return answer.made


@command.command("list", short_help="List the known speakers.")
@click.option("--json", is_flag=True, help="Print one JSON object per speaker on stdout")
def list_(json: bool) -> None:
    """List the known speakers, and of which model their voices are.

    Voices of another model than that in the settings are marked: they are not compared. What the
    voices sound like is not shown.
    """
    from fwtui.speakers.known_voices import load_known_voices

    locations = Locations.default()
    known = load_known_voices(locations.known_voices)
    if not known:
        Console().line("no known speakers; to add one: fwtui speakers add NAME FROM-FILE")
        return
    model = _model_in_use(_settings(locations))
    if json:
        for one in known:
            click.echo(msgspec.json.encode(_shown(one, model)).decode())
        return
    for line in table(known, model):
        click.echo(line)


def _shown(one: "KnownVoice", model: str | None) -> dict[str, object]:
    return {
        "name": one.name,
        "seconds": one.seconds,
        "added": one.added,
        "model": one.model,
        "model_file": one.model_file,
        "compared": None if model is None else one.model == model,
    }


def table(known: Sequence["KnownVoice"], model: str | None) -> list[str]:
    """The known speakers as aligned lines; `model` is that of the settings, if it is here."""
    rows = [_HEADINGS, *(_row(one, model) for one in known)]
    widths = [max(cells(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return [
        "  ".join(
            text + " " * (width - cells(text)) for text, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _row(one: "KnownVoice", model: str | None) -> tuple[str, ...]:
    other = "" if model in {None, one.model} else " (not the one in the settings: not compared)"
    return one.name, clock(one.seconds), f"{one.added:%Y-%m-%d %H:%M}", one.model_file + other


def _model_in_use(settings: Settings) -> str | None:
    """The identity of the model of voices in the settings; None if it is not here."""
    from fwtui.models.speaker_models import locate_speakers

    try:
        files = locate_speakers(settings.speakers.diarize_model or "", settings.model.model_dir)
        return files.identities()[1]
    except (FwtuiError, OSError):
        return None


@command.command("delete", short_help="Delete the voice of a known speaker, or all.")
@click.argument("name", required=False)
@click.option("--all", "everybody", is_flag=True, help="Delete all, even if the file is damaged")
def delete(name: str | None, everybody: bool) -> None:
    """Delete what a known speaker sounds like.

    Names in transcripts stay as they are.
    """
    from fwtui.speakers.known_voices import delete_known_voice, delete_known_voices

    if (name is None) is not everybody:
        raise UsageError("Give either a name or --all", "see: fwtui speakers list")
    path = Locations.default().known_voices
    if name is None:
        delete_known_voices(path)
        Console().line("deleted all known speakers")
    else:
        delete_known_voice(path, name)
        Console().line(f"deleted {name}")
