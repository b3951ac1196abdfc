"""`fwtui add`: more files for a running batch."""

import asyncio
from typing import TYPE_CHECKING

import click

from fwtui.cli.completing import running_ids
from fwtui.cli.console import Console, exit_code_help
from fwtui.cli.control import Talk, connected, find_batch
from fwtui.core.commands import AddPaths, Start
from fwtui.core.events import AnyEvent, JobsAdded, Level, LogLine, Phase
from fwtui.core.paths import path_to_text, valid_text
from fwtui.core.text import plural, printable
from fwtui.errors import ExitCode, FwtuiError

if TYPE_CHECKING:
    from fwtui.cli.run import Intake


@click.command(
    "add",
    short_help="Add files to a running batch.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@click.option(
    "--session",
    "session_id",
    default="",
    help="Which batch, if several run",
    shell_complete=running_ids,
)
def command(paths: tuple[str, ...], session_id: str) -> ExitCode:
    """Add to the end of a running batch's queue: files, folders, glob patterns and links.

    They are transcribed with the settings of that batch.
    """
    asyncio.run(add(paths, session_id, Console()))
    return ExitCode.DONE


async def add(paths: tuple[str, ...], session_id: str, console: Console) -> None:
    """Add them and wait until they are in the queue."""
    from fwtui.cli.run import find_files, nothing_found

    place = find_batch(session_id, "add --session")
    intake = await asyncio.to_thread(find_files, paths)
    if not intake.files and not intake.links:
        raise nothing_found(intake)
    for path in intake.empty:
        console.line(f"note: no audio or video file found in {printable(path)}")
    async with connected(place) as talk:
        wanted = {path_to_text(path) for path in intake.paths}
        before = len(wanted & {job.source or job.path for job in talk.jobs})
        if before < len(wanted):
            talk.connection.write(AddPaths(intake.paths, intake.roots))
            await _until_there(talk, wanted, intake)
        if talk.connection.welcome.where == "background" and talk.phase is Phase.IDLE:
            talk.connection.write(Start())  # it had just come to its end
            await talk.until(lambda _: talk.phase is not Phase.IDLE)
    known = f"; already in its queue: {before:,}" if before else ""
    name = printable(place.session_id)
    console.line(f"added {plural(len(wanted) - before, 'file')} to session {name}{known}")


async def _until_there(talk: Talk, wanted: set[str], intake: "Intake") -> None:
    """Until all are in the queue. Raises FwtuiError when the batch cannot take them."""
    missing = wanted - {job.source or job.path for job in talk.jobs}
    expected = {valid_text(str(problem.failure)) for problem in intake.problems}

    def arrived(event: AnyEvent) -> bool:
        match event:
            case JobsAdded(jobs=jobs):
                missing.difference_update(job.source or job.path for job in jobs)
            case LogLine(level=Level.ERROR, job=None, text=text) if text not in expected:
                raise FwtuiError(f"the batch has trouble: {text}")
            case _:
                pass
        return not missing

    await talk.until(arrived)
