"""`fwtui models`: which models there are, what is here, download and remove."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec
from msgspec.structs import replace

from fwtui.cli.console import Console
from fwtui.cli.exits import exit_code_help
from fwtui.config.load import load_settings
from fwtui.config.locations import Locations
from fwtui.core.display import cells, printable
from fwtui.core.settings import ModelSettings, Settings
from fwtui.errors import ModelAbsentError, ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwtui.models.shelf import Entry

Command = TypeVar("Command", bound="Callable[..., Any]")

_HEADINGS = ("model", "size", "languages", "on this machine")


def _model_dir(command: Command) -> Command:
    option = click.option(
        "--model_dir",
        "--model-dir",
        metavar="FOLDER",
        help="Folder for downloaded models (default: the settings', else Hugging Face's)",
    )
    return option(command)


@click.group(
    "models",
    invoke_without_command=True,
    subcommand_metavar="[COMMAND] [ARGS]...",  # older versions of click leave the brackets out
    short_help="List, download, look into and remove models.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--json", is_flag=True, help="One JSON object per model on stdout")
@_model_dir
@click.pass_context
def command(ctx: click.Context, json: bool, model_dir: str | None) -> None:
    """List the models, what they take, and which are on this machine.

    A model is a name (small), a Hugging Face id (owner/name), or a folder with a model in
    CTranslate2's form. Downloads go to the cache of Hugging Face's hub, which other programs use
    too: HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE count. fwtui does not
    convert models; ct2-transformers-converter (pip install ctranslate2 transformers torch) does.
    """
    if ctx.invoked_subcommand is None:
        _list(json, model_dir)


@command.command("list", short_help="All models, as without a command.")
@click.option("--json", is_flag=True, help="One JSON object per model on stdout")
@_model_dir
def list_(json: bool, model_dir: str | None) -> None:
    """List the models, what they take, and which are on this machine."""
    _list(json, model_dir)


def _list(json: bool, model_dir: str | None) -> None:
    from fwtui.models.cache import hub_cache
    from fwtui.models.catalogue import megabytes
    from fwtui.models.shelf import cache_bytes, shelf

    settings = _settings(model_dir)
    entries = shelf(settings)
    if json:
        for one in entries:
            click.echo(msgspec.json.encode(one).decode())
        return
    for line in table(entries):
        click.echo(line)
    taken = megabytes(cache_bytes(entries) / 2**20)
    Console().line(f"{taken} in {printable(str(hub_cache(settings.model_dir)))}")


def table(entries: Sequence["Entry"]) -> Iterator[str]:
    """The models as aligned lines; the one of the settings is marked."""
    rows = [_HEADINGS, *(_row(one) for one in entries)]
    widths = [max(cells(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row, one in zip(rows, [None, *entries], strict=True):
        padded = (
            text + " " * (width - cells(text)) for text, width in zip(row, widths, strict=True)
        )
        mark = "* " if one is not None and one.in_use else "  "
        yield (mark + "  ".join(padded)).rstrip()


def _row(one: "Entry") -> tuple[str, ...]:
    from fwtui.models.catalogue import languages

    names = printable(", ".join((one.name, *one.aliases)))
    return names, _size(one.size), languages(one.languages) if one.languages else "", state(one)


def state(one: "Entry") -> str:
    """Whether a model is here, in words."""
    from fwtui.models.shelf import Presence

    match one.presence:
        case Presence.HERE:
            return "yes"
        case Presence.FOLDER:
            return "a folder of yours"
        case Presence.PARTLY:
            return f"{_size(one.partial)} of it; download goes on"
        case Presence.ABSENT:
            return ""


def _size(count: int) -> str:
    from fwtui.models.catalogue import megabytes

    return megabytes(count / 2**20) if count else ""


@command.command("download", short_help="Download models, or go on with it.")
@click.argument("names", nargs=-1, required=True)
@_model_dir
def download(names: tuple[str, ...], model_dir: str | None) -> None:
    """Download models and print their folders.

    Ctrl-C pauses: the same command goes on inside the file, also on another day. Room on the disk
    is looked at first, and checksums at the end.
    """
    from fwtui.cli.provide import bring
    from fwtui.models.cache import is_folder_name
    from fwtui.models.catalogue import repo_of

    for name in names:
        if is_folder_name(name):
            raise UsageError(f"{name!r} is a folder", "give names or Hugging Face ids")
        repo_of(name)  # all names are looked at before the first download
    settings, console = _settings(model_dir), Console()
    try:
        for name in names:
            click.echo(str(asyncio.run(bring(name, settings, console))))
    except KeyboardInterrupt:
        console.always("paused: what has arrived is kept, and the same command goes on")
        raise


@command.command("remove", short_help="Delete downloaded models.")
@click.argument("names", nargs=-1, required=True)
@click.option("--yes", "-y", is_flag=True, help="Do not ask")
@_model_dir
def remove(names: tuple[str, ...], yes: bool, model_dir: str | None) -> None:
    """Delete downloaded models, and what is there of unfinished downloads.

    Folders of your own are not touched.
    """
    from fwtui.models.cache import hub_cache
    from fwtui.models.client import remove as remove_model
    from fwtui.models.shelf import Presence, entry

    settings, console = _settings(model_dir), Console()
    chosen = [entry(name, settings) for name in names]
    for one in chosen:
        if one.presence is Presence.FOLDER:
            raise UsageError(f"{one.folder} is a folder of yours", "delete it yourself")
        if one.presence is Presence.ABSENT:
            raise ModelError(f"{one.name} is not on this machine", "see: fwtui models")
    if not yes:
        told = ", ".join(printable(one.name) for one in chosen)
        click.confirm(
            f"Delete {told}? Other programs may use the same files.", abort=True, err=True
        )
    for one in chosen:
        freed = asyncio.run(remove_model(one.repo, str(hub_cache(settings.model_dir))))
        console.line(f"removed {printable(one.name)}: {_size(freed) or '0 MB'}")


@command.command("info", short_help="All about a model.")
@click.argument("name")
@click.option("--json", is_flag=True, help="As one JSON object on stdout")
@_model_dir
def info(name: str, json: bool, model_dir: str | None) -> None:
    """Tell what a model is, where it is, and what it needs.

    For a Hugging Face id that is not on this machine the hub is asked for its size.
    """
    from fwtui.models.cache import hub_cache, is_offline
    from fwtui.models.client import remote_size
    from fwtui.models.shelf import entry

    settings = _settings(model_dir)
    one = entry(name, settings)
    if not one.size and not is_offline():
        planned = asyncio.run(remote_size(one.repo, str(hub_cache(settings.model_dir))))
        one = replace(one, size=planned.total)
    if json:
        click.echo(msgspec.json.encode(one).decode())
        return
    for label, text in facts(one, settings):
        click.echo(f"{label:<12}  {text}")


def facts(one: "Entry", settings: ModelSettings) -> Iterator[tuple[str, str]]:
    """All that is known of a model, as labels and texts."""
    from fwtui.memory.forecast import estimate
    from fwtui.models.catalogue import known, languages, megabytes
    from fwtui.models.shelf import place_of, spoken_in

    yield "model", printable(", ".join((one.name, *one.aliases)))
    if one.repo:
        yield "source", printable(one.repo)
    if one.size:
        yield "size", _size(one.size)
    if one.languages:
        yield "languages", languages(one.languages)
    if one.folder and one.languages and one.languages < 20:
        yield "", " ".join(spoken_in(Path(one.folder)))
    model = known(one.repo)
    if model is not None:
        cpu = estimate(Settings(), model.megabytes, "cpu").ram
        gpu = estimate(Settings(), model.megabytes, "cuda").gpu or 0.0
        yield "memory", f"about {megabytes(cpu)} on the CPU, {megabytes(gpu)} of a GPU"
    yield "here", state(one) or f"no; fwtui models download {printable(one.name)}"
    yield "place", printable(str(place_of(one, settings)))


@command.command("path", short_help="Print the folder of a model.")
@click.argument("name")
@_model_dir
def path(name: str, model_dir: str | None) -> None:
    """Print the folder of a model, for other programs.

    The exit code is 4 when it is not on this machine.
    """
    from fwtui.models.cache import locate

    try:
        click.echo(str(locate(replace(_settings(model_dir), model=name))))
    except ModelAbsentError as error:
        raise ModelError(error.title, error.hint) from error


def _settings(model_dir: str | None) -> ModelSettings:
    settings = load_settings(Locations.default().config_file).model
    return settings if model_dir is None else replace(settings, model_dir=model_dir)
