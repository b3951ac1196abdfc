"""`fwtui models`: list, download, inspect and remove models; downloads before a batch starts."""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec
from msgspec.structs import replace

from fwtui.cli.console import Console
from fwtui.cli.options import OPTIONAL_SUBCOMMAND, fwtui_command
from fwtui.cli.process import in_daemon_thread
from fwtui.config.locations import Locations
from fwtui.config.sources import load_settings
from fwtui.core.settings import ModelSettings, Settings
from fwtui.core.text import cells, clipped, clock, printable
from fwtui.errors import FwtuiError, ModelAbsentError, ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwtui.models.client import TransferRate
    from fwtui.models.inventory import ModelEntry
    from fwtui.models.protocol import Download

Function = TypeVar("Function", bound="Callable[..., Any]")

_HEADINGS = ("model", "size", "languages", "downloaded")


def _model_dir(function: Function) -> Function:
    option = click.option(
        "--model_dir",
        "--model-dir",
        metavar="FOLDER",
        help="Folder for downloaded models (default: as in the settings, or Hugging Face's cache)",
    )
    return option(function)


@fwtui_command(
    "models", click.Group, invoke_without_command=True, subcommand_metavar=OPTIONAL_SUBCOMMAND
)
@click.option("--json", is_flag=True, help="Print one JSON object per model on stdout")
@_model_dir
@click.pass_context
def command(ctx: click.Context, json: bool, model_dir: str | None) -> None:
    """List all models with their sizes, and which of them are downloaded.

    A model is a name (small), a Hugging Face ID (owner/name), or a folder with a CTranslate2
    model. Downloads are stored in the Hugging Face cache, which other programs share; HF_HOME,
    HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE are honoured. To convert other models,
    use ct2-transformers-converter (pip install ctranslate2 transformers torch).
    """
    if ctx.invoked_subcommand is None:
        _list(json, model_dir)


@command.command("list", short_help="List all models, as without a command.")
@click.option("--json", is_flag=True, help="Print one JSON object per model on stdout")
@_model_dir
def list_(json: bool, model_dir: str | None) -> None:
    """List all models with their sizes, and which of them are downloaded."""
    _list(json, model_dir)


def _list(json: bool, model_dir: str | None) -> None:
    from fwtui.models.cache import hub_cache
    from fwtui.models.catalogue import megabytes
    from fwtui.models.inventory import cache_bytes, list_models
    from fwtui.models.speaker_models import list_speaker_models

    settings = _settings(model_dir)
    entries = (*list_models(settings), *list_speaker_models(settings.model_dir))
    if json:
        for one in entries:
            click.echo(msgspec.json.encode(one).decode())
        return
    for line in table(entries):
        click.echo(line)
    used = megabytes(cache_bytes(entries) / 2**20)
    Console().line(f"{used} in {printable(str(hub_cache(settings.model_dir)))}")


def table(entries: Sequence["ModelEntry"]) -> Iterator[str]:
    """The models as aligned lines; the one in the settings is marked."""
    rows = [_HEADINGS, *(_row(one) for one in entries)]
    widths = [max(cells(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    for row, one in zip(rows, [None, *entries], strict=True):
        padded = (
            text + " " * (width - cells(text)) for text, width in zip(row, widths, strict=True)
        )
        mark = "* " if one is not None and one.in_use else "  "
        yield (mark + "  ".join(padded)).rstrip()


def _row(one: "ModelEntry") -> tuple[str, ...]:
    from fwtui.models.catalogue import languages

    names = printable(", ".join((one.name, *one.aliases)))
    return names, _size(one.size), languages(one.languages) if one.languages else "", state(one)


def state(one: "ModelEntry") -> str:
    """Whether a model is downloaded, as text."""
    from fwtui.models.inventory import Presence

    match one.presence:
        case Presence.HERE:
            return "yes"
        case Presence.FOLDER:
            return "local folder"
        case Presence.PARTLY:
            return f"{_size(one.partial)} so far"
        case Presence.ABSENT:
            return ""


def _find(name: str, settings: ModelSettings) -> "ModelEntry":
    """A model of either kind. Raises ModelError."""
    from fwtui.models.inventory import find_model
    from fwtui.models.speaker_models import find_speaker_model

    return find_speaker_model(name, settings.model_dir) or find_model(name, settings)


def _size(count: int) -> str:
    from fwtui.models.catalogue import megabytes

    return megabytes(count / 2**20) if count else ""


@command.command("download", short_help="Download models, or resume a download.")
@click.argument("names", nargs=-1, required=True)
@_model_dir
def download(names: tuple[str, ...], model_dir: str | None) -> None:
    """Download models and print their folders.

    Ctrl-C pauses a download: the same command continues it later, inside the file. Free disk space
    is checked before, and checksums after the download. A model that is here is verified, and what
    is damaged is downloaded again. `speakers` are the two models that tell speakers apart.
    """
    from fwtui.models.cache import is_folder_name
    from fwtui.models.speaker_models import download_requests

    for name in names:
        if is_folder_name(name):
            raise UsageError(f"{name!r} is a folder", "use names or Hugging Face IDs")
        download_requests(name, "")  # checks all names before the first download
    settings, console = _settings(model_dir), Console()
    try:
        for name in names:
            for folder in asyncio.run(_download(name, settings, console)):
                click.echo(str(folder))
    except KeyboardInterrupt:
        console.always("paused; run the same command to continue the download")
        raise


@command.command("remove", short_help="Delete downloaded models.")
@click.argument("names", nargs=-1, required=True)
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation")
@_model_dir
def remove(names: tuple[str, ...], yes: bool, model_dir: str | None) -> None:
    """Delete downloaded models and partial downloads.

    Local model folders are never deleted.
    """
    from fwtui.models.cache import hub_cache
    from fwtui.models.client import remove as remove_model
    from fwtui.models.inventory import Presence
    from fwtui.models.speaker_models import parts_of

    settings, console = _settings(model_dir), Console()
    chosen = [_find(name, settings) for name in names]
    for one in chosen:
        if one.presence is Presence.FOLDER:
            raise UsageError(f"{one.folder} is a local folder", "delete it yourself")
        if one.presence is Presence.ABSENT:
            raise ModelError(f"model {one.name} is not downloaded", "see: fwtui models")
    if not yes:
        names_text = ", ".join(printable(one.name) for one in chosen)
        click.confirm(
            f"Delete {names_text}? Other programs may be using the same files.",
            abort=True,
            err=True,
        )
    for one in chosen:
        cache = str(hub_cache(settings.model_dir))
        repos = [part.repo for part in parts_of(one.name)] or [one.repo]
        freed = sum(asyncio.run(remove_model(repo, cache)) for repo in repos)
        console.line(f"removed {printable(one.name)}: {_size(freed) or '0 MB'}")


@command.command("info", short_help="Show details of a model.")
@click.argument("name")
@click.option("--json", is_flag=True, help="Print one JSON object on stdout")
@_model_dir
def info(name: str, json: bool, model_dir: str | None) -> None:
    """Show the source, size, languages, memory needs and folder of a model.

    The size of a Hugging Face ID that is not downloaded is read from Hugging Face.
    """
    from fwtui.models.cache import hub_cache, is_offline
    from fwtui.models.client import remote_size

    settings = _settings(model_dir)
    one = _find(name, settings)
    if not one.size and not is_offline():
        cache, console = str(hub_cache(settings.model_dir)), Console()
        planned = asyncio.run(
            remote_size(one.repo, cache, waiting=lambda text: console.line(printable(text)))
        )
        one = replace(one, size=planned.total)
    if json:
        click.echo(msgspec.json.encode(one).decode())
        return
    for label, text in facts(one, settings):
        click.echo(f"{label:<12}  {text}")


def facts(one: "ModelEntry", settings: ModelSettings) -> Iterator[tuple[str, str]]:
    """The details of a model, as labels and texts."""
    from fwtui.memory.forecast import estimate
    from fwtui.models.capabilities import supported_languages
    from fwtui.models.catalogue import find_in_catalogue, languages, megabytes
    from fwtui.models.inventory import model_folder

    yield "model", printable(", ".join((one.name, *one.aliases)))
    if one.repo:
        yield "source", printable(one.repo)
    if one.size:
        yield "size", _size(one.size)
    if one.languages:
        yield "languages", languages(one.languages)
    if one.folder and one.languages and one.languages < 20:
        yield "", " ".join(supported_languages(Path(one.folder)))
    model = find_in_catalogue(one.repo)
    if one.kind == "speakers":
        yield "for", "telling speakers apart (--diarize)"
    if model is not None and not model.translates:
        yield "translates", "no"
    if model is not None:
        cpu = estimate(Settings(), model.megabytes, "cpu").ram
        gpu = estimate(Settings(), model.megabytes, "cuda").gpu or 0.0
        yield "memory", f"about {megabytes(cpu)} on the CPU, {megabytes(gpu)} on a GPU"
    yield "downloaded", state(one) or f"no; use: fwtui models download {printable(one.name)}"
    yield "folder", printable(str(model_folder(one, settings)))


@command.command("path", short_help="Print the folder of a model.")
@click.argument("name")
@_model_dir
def path(name: str, model_dir: str | None) -> None:
    """Print the folder of a model, for use by other programs.

    The exit code is 4 if the model is not downloaded.
    """
    from fwtui.models.cache import locate
    from fwtui.models.speaker_models import locate_speakers, parts_of

    try:
        settings = _settings(model_dir)
        if parts_of(name):
            files = locate_speakers(name, settings.model_dir)
            click.echo(f"{files.segmentation}\n{files.embedding}")
        else:
            click.echo(str(locate(replace(settings, model=name))))
    except ModelAbsentError as error:
        raise ModelError(error.title, error.hint) from error


def _settings(model_dir: str | None) -> ModelSettings:
    settings = load_settings(Locations.default().config_file).model
    return settings if model_dir is None else replace(settings, model_dir=model_dir)


_DRAW_SECONDS = 0.1


async def ensure_downloaded(models: Sequence[ModelSettings], console: Console | None) -> None:
    """Download those of the models that are missing; asks first on a terminal.

    Raises ModelError if one cannot be downloaded, the user declines, or there is no console.
    """
    from fwtui.models.cache import locate

    for settings in models:
        try:
            await asyncio.to_thread(locate, settings)
        except ModelAbsentError as absent:
            if console is None or not await in_daemon_thread(partial(_confirm, absent)):
                raise
            await _download(settings.model, settings, console)


async def ensure_speakers(settings: Settings, console: Console | None) -> None:
    """Download the models for speakers if they are needed and missing, as `ensure_downloaded`."""
    from fwtui.models.speaker_models import SPEAKERS, check_speakers

    try:
        await asyncio.to_thread(check_speakers, settings)
    except ModelAbsentError as absent:
        if console is None or not await in_daemon_thread(partial(_confirm, absent)):
            raise
        name = settings.speakers.diarize_model or SPEAKERS
        await _download(name, settings.model, console)


def _confirm(absent: ModelAbsentError) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return click.confirm(f"{printable(absent.title)}. Download it?", default=True, err=True)


async def _download(name: str, settings: ModelSettings, console: Console) -> list[Path]:
    """Download what a name stands for and show the progress; returns the folders. As `_fetch`."""
    from fwtui.models.cache import hub_cache
    from fwtui.models.speaker_models import download_requests

    requests = download_requests(name, str(hub_cache(settings.model_dir)))
    names = [name] if len(requests) == 1 else [request.repo for request in requests]
    return [
        await _fetch(shown, request, console)
        for shown, request in zip(names, requests, strict=True)
    ]


async def _fetch(name: str, request: "Download", console: Console) -> Path:
    """Download a model and show the progress; returns its folder.

    Raises ModelError. The partial download is kept if this task is cancelled.
    """
    from fwtui.models.catalogue import megabytes
    from fwtui.models.client import TransferRate, failed, request_replies
    from fwtui.models.protocol import (
        Checking,
        Done,
        Planned,
        RequestFailed,
        TransferProgress,
        Waiting,
    )

    cache = request.cache
    rate, shown, drawn = TransferRate(), printable(name), 0.0
    said = whole = ""  # whom it waited for; that nothing was missing
    try:
        async with request_replies(request) as replies:
            async for reply in replies:
                match reply:
                    case Planned(host=host, total=total, here=here) if here < total:
                        left = megabytes((total - here) / 2**20)
                        before = f"; {megabytes(here / 2**20)} already downloaded" if here else ""
                        console.line(
                            f"downloading model {shown}: {left} from {printable(host)} "
                            f"to {printable(cache)}{before}"
                        )
                    case Planned(total=total):
                        whole = f"model {shown} is complete: {megabytes(total / 2**20)} verified"
                    case TransferProgress(done=done, total=total):
                        now = time.monotonic()
                        rate.add(now, done)
                        if now - drawn >= _DRAW_SECONDS:
                            drawn = now
                            console.live(
                                clipped(_progress(shown, done, total, rate), console.width - 1)
                            )
                    case Waiting(text=text):
                        if text.partition(",")[0] != said:
                            said = text.partition(",")[0]
                            console.line(f"{shown}: {printable(text)}")
                    case Checking(file=file) if file.endswith((".bin", ".onnx")):
                        console.live(clipped(f"{shown}: verifying", console.width - 1))
                    case Done(folder=folder):
                        console.clear()
                        if whole and not said:
                            console.line(whole)
                        return Path(folder)
                    case RequestFailed(failure=failure):
                        raise failed(failure)
                    case _:
                        pass
    finally:
        console.clear()
    raise FwtuiError(f"download of {name} interrupted", "run the same command to continue")


def _progress(name: str, done: int, total: int, rate: "TransferRate") -> str:
    from fwtui.models.catalogue import megabytes

    share = 100 * done // total if total else 100
    text = f"{name}: {share}%  {megabytes(done / 2**20)} of {megabytes(total / 2**20)}"
    left = rate.seconds_left(total)
    if left is not None:
        text += f"  {megabytes(rate.speed / 2**20)}/s  {clock(left)} left"
    return text
