"""`fwtui status`: running batches, and the last one that ended."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
import msgspec

from fwtui.cli.console import Console
from fwtui.cli.options import fwtui_command
from fwtui.cli.progress import counts_text
from fwtui.cli.sessions import mention_unfinished
from fwtui.config.locations import Locations
from fwtui.core.events import BatchProgress
from fwtui.core.paths import text_to_path
from fwtui.core.text import clock, percent, plural, printable
from fwtui.errors import EXIT_CODE_HELP, ExitCode

if TYPE_CHECKING:
    from fwtui.batch.remote.batch_status import BatchResult, BatchStatus

_WHERE = {"background": "in the background", "screen": "on a screen", "run": "as fwtui run"}


class Status(msgspec.Struct, frozen=True):
    """All running batches, and the last one that ended, if any."""

    batches: tuple["BatchStatus", ...]
    last: "BatchResult | None"


@fwtui_command("status", click.Command)
@click.option("--json", is_flag=True, help="Print one JSON object on stdout")
def command(json: bool) -> ExitCode:
    """Show the progress of running batches, and the result of the last one that ended.

    The exit code is always 0.
    """
    locations = Locations.default()
    status = asyncio.run(read_status(locations))
    if json:
        click.echo(msgspec.json.encode(status).decode())
        return ExitCode.DONE
    for line in status_lines(status):
        click.echo(line)
    if not status.batches:
        _mention_unfinished(locations)
    return ExitCode.DONE


async def read_status(locations: Locations) -> Status:
    """Ask all running batches for their status."""
    from fwtui.batch.remote.batch_status import last_result, status_of
    from fwtui.batch.remote.endpoints import running

    endpoints = await asyncio.to_thread(running, locations)
    batches = await asyncio.gather(*(status_of(endpoint) for endpoint in endpoints))
    return Status(tuple(batches), last_result(locations.last_batch))


def status_lines(status: Status) -> Iterator[str]:
    """The status as text."""
    for batch in status.batches:
        yield from _batch(batch)
    if not status.batches:
        yield "no batch is running"
    if status.last is not None:
        yield from _last(status.last)


def _batch(batch: "BatchStatus") -> Iterator[str]:
    endpoint, details = batch.endpoint, batch.details
    what = f"{details.phase} {_WHERE[details.where]}" if details else "running"
    yield f"session {printable(endpoint.session_id)}: {what}; {printable(str(endpoint))}"
    if details is None:
        yield f"  {printable(batch.problem)}"
        return
    yield f"  {counts_text(details)}{_progress(details.progress)}"
    for path, one in details.current:
        total = f" of {clock(one.total)}" if one.total else ""
        speed = f" ({one.speed:.1f}× real time)" if one.speed else ""
        state = "preparing" if one.preparing else "running"
        yield f"  {state}: {printable(str(text_to_path(path)))} at {clock(one.done)}{total}{speed}"
    for folder in details.folders:
        waiting = f", {plural(folder.waiting, 'file')} not yet complete" if folder.waiting else ""
        problem = f": {folder.problem}" if folder.problem else ""
        path = str(text_to_path(folder.folder.path))
        yield f"  watched folder: {printable(path)} ({folder.state}{printable(problem)}{waiting})"
    if details.engine is not None:
        engine = details.engine
        yield f"  model: {printable(engine.model)}, {engine.device}, {engine.compute_type}"
    if details.memory is not None:
        yield f"  memory: {details.memory.rss:.0f} MB"
    yield f"  transcripts: {printable(details.output_dir)}"
    yield f"  log: {printable(details.log)}"


def _progress(progress: BatchProgress | None) -> str:
    if progress is None or progress.share is None:
        return ""
    total = f" of {clock(progress.total_seconds)}" if progress.total_seconds > 0 else ""
    left = f", {clock(progress.eta)} left" if progress.eta is not None else ""
    return f"; {percent(progress.share)}{total}{left}"


def _last(result: "BatchResult") -> Iterator[str]:
    at = f"{result.ended_at.astimezone():%Y-%m-%d %H:%M}"
    how = EXIT_CODE_HELP[result.exit_code].partition(";")[0]
    yield f"last batch: session {printable(result.session_id)}, {at}: {how}"
    share = f"; {percent(result.share)}" if result.share is not None else ""
    yield f"  {counts_text(result)}{share}"
    if result.failure is not None:
        yield f"  {printable(str(result.failure))}"
    yield f"  transcripts: {printable(result.output_dir)}"
    for name, path in (("report", result.report), ("log", result.log)):
        if path:
            yield f"  {name}: {printable(path)}"


def _mention_unfinished(locations: Locations) -> None:
    from fwtui.batch.workspace import Workspace

    found = asyncio.run(Workspace(locations).incomplete())
    mention_unfinished(found.sessions, Console())
