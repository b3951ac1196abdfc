"""`fwtui history`: what was transcribed when, with which settings, and where it is."""

import os
import shlex
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

from fwtui.cli.console import Console
from fwtui.cli.options import fwtui_command
from fwtui.cli.sessions import parse_age
from fwtui.config.locations import Locations
from fwtui.core.paths import text_to_path
from fwtui.core.text import clock, plural, printable
from fwtui.errors import ExitCode, StorageError, UsageError

if TYPE_CHECKING:
    from fwtui.outputs.batch_history import BatchEntry, FileEntry, HistoryQuery, HistoryStore

# As in `fwtui.outputs.batch_history`, which is imported when it is needed; a test compares them.
STATES = ("done", "check", "checked", "failed", "cancelled")
_PAGE = 500  # entries that are read at once
_STATE_TEXTS = {"done · check": "done, to check", "done · checked": "done, checked"}


class WordsOrCommand(click.Group):
    """A group whose arguments are those of its command `list`, unless the first names another."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `list` in front where there is no command."""
        named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        if not named and not (ctx.resilient_parsing and not args):
            args = ["list", *args]
        return super().parse_args(ctx, args)


def batch_ids(
    ctx: click.Context,  # noqa: ARG001
    param: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[str]:
    """Batches of the history, the newest first, for shell completion."""
    try:
        ids = _store().ids()
    except StorageError:
        return []
    return [name for name in ids if name.startswith(incomplete)]


@fwtui_command("history", WordsOrCommand, subcommand_metavar="[WORDS]... | COMMAND [ARGS]...")
def command() -> None:
    """List what was transcribed when, with which model, and how it ended.

    Without WORDS, one line per batch, the last first; with WORDS, one line per file that has all of
    them in its path, model or language. `fwtui history list --help` shows the options; to search
    for a word that is a command: fwtui history list WORD.

    The history has no text of any transcript. Work that is not finished is in `fwtui sessions`.
    """


@command.command("list", short_help="List batches, or the files that are searched for.")
@click.argument("words", nargs=-1)
@click.option("--since", metavar="WHEN", help="Only since a day (2026-03-14) or an age (30d, 12h)")
@click.option("--model", metavar="NAME", default="", help="Only models with this in their name")
@click.option("--state", type=click.Choice(STATES), help="List files in this state")
@click.option("--files", is_flag=True, help="List files, not batches")
@click.option("--json", is_flag=True, help="Print one JSON object per batch or file on stdout")
def list_(
    words: tuple[str, ...],
    since: str | None,
    model: str,
    state: str | None,
    files: bool,
    json: bool,
) -> ExitCode:
    """List batches, the last first; with WORDS, --state or --files, list files.

    All WORDS must be in the path of the recording, in the name of the model or in the language.
    """
    from fwtui.outputs.batch_history import HistoryQuery

    store = _store()
    query = HistoryQuery(
        words=words,
        since=None if since is None else parse_since(since, datetime.now()),
        model=model,
        state=state or "",
    )
    if files or query.asks_for_files:
        count = _list_files(store, query, json=json)
    else:
        count = _list_batches(store, query, json=json)
    if not count:
        Console().line(
            "nothing found in the history"
            if query != HistoryQuery()
            else "the history is empty: batches are listed here from their first finished file on"
        )
    return ExitCode.DONE


def parse_since(text: str, now: datetime) -> datetime:
    """A day, a time of a day, or an age, as local time. Raises UsageError."""
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        pass
    try:
        return now - parse_age(text)
    except (UsageError, OverflowError) as error:
        raise UsageError(
            f"{text!r} is neither a day nor an age", "for example: 2026-03-14, 30d, 12h or 2w"
        ) from error


def _list_files(store: "HistoryStore", query: "HistoryQuery", *, json: bool) -> int:
    numbers = store.file_numbers(query)
    for at in range(0, len(numbers), _PAGE):
        for one in store.files(numbers[at : at + _PAGE]):
            click.echo(_as_json("file", one) if json else file_line(one))
    return len(numbers)


def _list_batches(store: "HistoryStore", query: "HistoryQuery", *, json: bool) -> int:
    numbers = store.batch_numbers(query)
    for at in range(0, len(numbers), _PAGE):
        for one in store.batches(numbers[at : at + _PAGE]):
            click.echo(_as_json("batch", one) if json else batch_line(one))
    return len(numbers)


def batch_line(one: "BatchEntry") -> str:
    """One line about a batch."""
    parts = [
        printable(one.id),
        _minute(one.started),
        f"{one.done} of {plural(one.total, 'file')} done{_problems(one)}",
        printable(one.model),
        f"{clock(one.audio)} of audio in {clock(one.seconds)}" if one.seconds else "",
        one.end_text,
    ]
    return "  ".join(part for part in parts if part)


def _problems(one: "BatchEntry") -> str:
    counts = {
        "to check": one.to_check,
        "failed": one.failed,
        "cancelled": one.cancelled,
        "skipped": one.skipped,
        "waiting": one.waiting,
    }
    return "".join(f", {count} {name}" for name, count in counts.items() if count)


def file_line(one: "FileEntry") -> str:
    """One line about a file; its path, which may have spaces, comes near the end."""
    state = _STATE_TEXTS.get(one.state_text, one.state_text)
    reason = f"  {printable(one.reason)}" if one.reason else ""
    return (
        f"{_minute(one.at)}  {state:<14}  {printable(one.language):<2}  "
        f"{printable(one.batch)}  {_path(one)}{reason}"
    )


def _path(one: "FileEntry") -> str:
    track = f" (track {one.track})" if one.track else ""
    return printable(str(text_to_path(one.path))) + track


def _minute(when: datetime) -> str:
    return f"{when.astimezone():%Y-%m-%d %H:%M}"


def _as_json(kind: str, one: "BatchEntry | FileEntry") -> str:
    values: dict[str, Any] = {"type": kind, **msgspec.structs.asdict(one)}
    del values["number"]
    return msgspec.json.encode(values).decode()


@command.command("show", short_help="Show a batch: its settings, files and transcripts.")
@click.argument("batch_id", shell_complete=batch_ids)
@click.option("--json", is_flag=True, help="Print the batch and each file as JSON, one per line")
def show(batch_id: str, json: bool) -> ExitCode:
    """Show when a batch ran, its settings, its files, and where their transcripts are."""
    from fwtui.outputs.batch_history import HistoryQuery

    store = _store()
    batch = store.find(batch_id)
    if batch is None:
        raise UsageError(f"the history has no batch {batch_id!r}", "see: fwtui history")
    query = HistoryQuery(batch=batch.number)
    if json:
        click.echo(_as_json("batch", batch))
        _list_files(store, query, json=True)
        return ExitCode.DONE
    for line in batch_lines(batch, Locations.default()):
        click.echo(line)
    numbers = store.file_numbers(query)
    for at in range(0, len(numbers), _PAGE):
        for one in store.files(numbers[at : at + _PAGE]):
            for line in file_lines(one):
                click.echo(line)
    gone = batch.done + batch.failed + batch.cancelled - len(numbers)
    if gone > 0:
        Console().line(f"{plural(gone, 'file')} no longer in the history")
    return ExitCode.DONE


def batch_lines(batch: "BatchEntry", locations: Locations) -> Iterator[str]:
    """All about a batch but its files."""
    yield f"batch {printable(batch.id)}"
    yield f"  started      {_minute(batch.started)}"
    if batch.ended is not None:
        yield f"  ended        {_minute(batch.ended)}"
    problem = f": {printable(batch.problem)}" if batch.problem else ""
    unfinished = f" (fwtui sessions show {printable(batch.id)})" if _is_unfinished(batch) else ""
    yield f"  state        {batch.end_text}{problem}{unfinished}"
    yield f"  files        {batch.done} of {batch.total} done{_problems(batch)}"
    if batch.seconds:
        yield f"  audio        {clock(batch.audio)}, in {clock(batch.seconds)}"
    if batch.model:
        yield f"  model        {printable(batch.model)}"
    if not batch.is_earlier:
        yield f"  transcripts  {printable(batch.folder) or 'beside the recordings'}"
    for name, value in sorted(batch.settings.items()):
        yield f"  setting      {printable(f'{name} = {value}')}"
    log = locations.session_log(batch.id)
    if log.exists():
        yield f"  log          {printable(str(log))}"


def _is_unfinished(batch: "BatchEntry") -> bool:
    return batch.end_text == "unfinished"


def file_lines(one: "FileEntry") -> Iterator[str]:
    """A file, and its transcripts with those that are missing."""
    yield file_line(one)
    paths = [text_to_path(path) for path in one.outputs]
    for path in paths:
        missing = "" if os.path.lexists(path) else "  (missing)"
        yield f"  {printable(str(path))}{missing}"
    if one.settings is not None:
        differing = ", ".join(f"{name} = {value}" for name, value in sorted(one.settings.items()))
        yield f"  settings: {printable(differing) or 'the defaults'}"


@command.command("clear", short_help="Remove the history, or its older part.")
@click.option(
    "--older-than",
    "--older_than",
    "older_than",
    metavar="AGE",
    help="Only batches that ended before so long: 30d, 12h, 2w",
)
def clear(older_than: str | None) -> ExitCode:
    """Remove all batches and files from the history, for good.

    Recordings, transcripts, logs and unfinished sessions stay. So does what is known of transcribed
    files, with which if_exists and watched folders tell what need not be transcribed again; the
    command says how to remove that, too.
    """
    before = None if older_than is None else datetime.now() - parse_age(older_than)
    store, console = _store(), Console()
    removed = store.clear(before)
    console.line(
        f"removed from the history: {_batches(removed.batches)}, {plural(removed.files, 'file')}"
    )
    if known := store.known_files():
        console.line(
            f"note: what if_exists knows of {plural(known, 'transcribed file')} stays; to remove "
            f"that too, delete {printable(shlex.quote(str(store.file.path)))}"
        )
    return ExitCode.DONE


def _batches(count: int) -> str:
    return f"{count} batch" if count == 1 else f"{count} batches"


def _store() -> "HistoryStore":
    from fwtui.outputs.batch_history import HistoryStore

    return HistoryStore(Locations.default().state)
