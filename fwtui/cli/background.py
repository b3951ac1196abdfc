"""A batch in a process of its own, without a terminal: its start from here, and its main.

The request goes to the process's stdin; its stdout says what came of it, then closes.
"""

import asyncio
import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fwtui.cli.console import Console
from fwtui.cli.logfile import SessionLog, close_log, log_event, open_log
from fwtui.cli.process import leave_terminal
from fwtui.cli.progress import Tally
from fwtui.cli.request import Request
from fwtui.cli.run import run
from fwtui.config.locations import Locations
from fwtui.core.events import AnyEvent, BatchSnapshot
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.errors import BackgroundError, ExitCode, FwtuiError

# -P: a file called asyncio.py in the user's folder must not become part of it.
COMMAND = (sys.executable, "-P", "-m", "fwtui.cli.background")


class Started(msgspec.Struct, frozen=True, tag=True):
    """The batch is there and can be attached to; `notes` are for the user."""

    session_id: str
    pid: int
    log: str
    notes: str = ""


class StartFailed(msgspec.Struct, frozen=True, tag=True):
    """There is no batch, and why."""

    title: str
    hint: str
    exit_code: ExitCode


def start_background(request: Request, locations: Locations) -> Started:
    """Start a batch that lives on without us. Raises FwtuiError with what it says against it."""
    paths = tuple(path_to_text(path) for path in request.paths)
    locations.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (locations.logs / "background.log").open("ab") as errors:
        process = subprocess.Popen(  # nobody waits for it: its end is no matter of ours
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            creationflags=getattr(subprocess, "DETACHED_PROCESS", 0),
        )
    assert process.stdin is not None
    assert process.stdout is not None
    with process.stdout, contextlib.suppress(BrokenPipeError):
        with process.stdin as pipe:
            pipe.write(msgspec.json.encode(replace(request, paths=paths)))
        said = process.stdout.read()
    try:
        answer = msgspec.json.decode(said, type=Started | StartFailed)
    except msgspec.DecodeError as error:
        raise BackgroundError(
            f"The process for the background ended at once ({process.poll()})",
            f"the reason is in {locations.logs / 'background.log'}",
        ) from error
    if isinstance(answer, StartFailed):
        refused = FwtuiError(answer.title, answer.hint)
        refused.exit_code = answer.exit_code
        raise refused
    return answer


class _Announcer:
    """Says once, as soon as the batch can be attached to, that it is there."""

    def __init__(self, locations: Locations, say: Callable[[Started], None]) -> None:
        self._locations = locations
        self._say: Callable[[Started], None] | None = say
        self._session_id = ""

    def __call__(self, event: AnyEvent) -> None:
        """A listener: the runner opens its socket before its first event after the snapshot."""
        if isinstance(event, BatchSnapshot):
            self._session_id = event.session_id
        elif self._say is not None:
            say, self._say = self._say, None
            log = os.fspath(self._locations.session_log(self._session_id))
            say(Started(self._session_id, os.getpid(), log))


def main() -> int:
    """Read the request, work it off, answer as soon as that is under way."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Request)
    request = replace(request, paths=tuple(str(text_to_path(path)) for path in request.paths))
    locations, tally, notes = Locations.default(), Tally(), io.StringIO()
    console = Console(notes)

    def say(answer: Started | StartFailed) -> None:
        if isinstance(answer, Started):
            answer = replace(answer, notes=notes.getvalue())
        sys.stdout.buffer.write(msgspec.json.encode(answer))
        sys.stdout.flush()
        leave_pipes()
        console.leave()

    session_log = SessionLog(locations)
    listeners = (tally, log_event, session_log, _Announcer(locations, say))
    open_log(locations, request.settings.log)
    try:
        return asyncio.run(run(request, locations, console, tally, listeners, background=True))
    except FwtuiError as error:
        say(StartFailed(error.title, error.hint, error.exit_code))
        return error.exit_code
    finally:
        session_log.close()
        close_log()


def leave_pipes() -> None:
    """Whoever started us waits for the end of stdout; stdin has told everything."""
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    leave_terminal(Path(os.devnull))


def _main() -> int:
    from fwtui.cli.crash import unexpected

    try:
        return main()
    except Exception as error:  # noqa: BLE001 - the outermost frame of this process
        return unexpected(error, Console())


if __name__ == "__main__":
    sys.exit(_main())
