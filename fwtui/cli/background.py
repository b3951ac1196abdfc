"""A batch in a background process: starting it, and its main function.

The process reads the request from stdin, and answers on stdout, which it then closes.
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
from fwtui.cli.process import detach_terminal
from fwtui.cli.progress import RunRecord
from fwtui.cli.request import Request
from fwtui.cli.run import run
from fwtui.config.locations import Locations
from fwtui.core.events import AnyEvent, BatchSnapshot
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.errors import BackgroundError, ExitCode, FwtuiError

# -P: a file called asyncio.py in the user's folder must not become part of it.
COMMAND = (sys.executable, "-P", "-m", "fwtui.cli.background")


class BackgroundStarted(msgspec.Struct, frozen=True, tag=True):
    """The batch is running and can be attached to; `notes` are for the user."""

    session_id: str
    pid: int
    log: str
    notes: str = ""


class BackgroundRefused(msgspec.Struct, frozen=True, tag=True):
    """Why the batch could not be started."""

    title: str
    hint: str
    exit_code: ExitCode


def start_background(request: Request, locations: Locations) -> BackgroundStarted:
    """Start a batch that outlives this process. Raises FwtuiError if it cannot start."""
    locations.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (locations.logs / "background.log").open("ab") as errors:
        process = subprocess.Popen(  # never waited for: it outlives this process
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
            pipe.write(_encode(request))
        output = process.stdout.read()
    try:
        answer = msgspec.json.decode(output, type=BackgroundStarted | BackgroundRefused)
    except msgspec.DecodeError as error:
        raise BackgroundError(
            f"The background process ended at once (exit code {process.poll()})",
            f"see {locations.logs / 'background.log'}",
        ) from error
    if isinstance(answer, BackgroundRefused):
        refusal = FwtuiError(answer.title, answer.hint)
        refusal.exit_code = answer.exit_code
        raise refusal
    return answer


def _encode(request: Request) -> bytes:
    paths, roots = (tuple(map(path_to_text, names)) for names in (request.paths, request.roots))
    return msgspec.json.encode(replace(request, paths=paths, roots=roots))


def _decode(data: bytes) -> Request:
    request = msgspec.json.decode(data, type=Request)
    paths, roots = (
        tuple(str(text_to_path(name)) for name in names) for names in (request.paths, request.roots)
    )
    return replace(request, paths=paths, roots=roots)


class _Announcer:
    """Reports once that the batch has started, as soon as it can be attached to."""

    def __init__(self, locations: Locations, report: Callable[[BackgroundStarted], None]) -> None:
        self._locations = locations
        self._report: Callable[[BackgroundStarted], None] | None = report
        self._session_id = ""

    def __call__(self, event: AnyEvent) -> None:
        """Listen to events: the batch opens its socket before its first one after the snapshot."""
        if isinstance(event, BatchSnapshot):
            self._session_id = event.session_id
        elif self._report is not None:
            report, self._report = self._report, None
            log = os.fspath(self._locations.session_log(self._session_id))
            report(BackgroundStarted(self._session_id, os.getpid(), log))


def main() -> int:
    """Run the request on stdin; answer as soon as the batch has started."""
    request = _decode(sys.stdin.buffer.read())
    locations, record, notes = Locations.default(), RunRecord(), io.StringIO()
    console = Console(notes)

    def answer_caller(answer: BackgroundStarted | BackgroundRefused) -> None:
        if isinstance(answer, BackgroundStarted):
            answer = replace(answer, notes=notes.getvalue())
        sys.stdout.buffer.write(msgspec.json.encode(answer))
        sys.stdout.flush()
        close_pipes()
        console.leave()

    session_log = SessionLog(locations)
    listeners = (record, log_event, session_log, _Announcer(locations, answer_caller))
    open_log(locations, request.settings.log)
    try:
        return asyncio.run(run(request, locations, console, record, listeners, background=True))
    except FwtuiError as error:
        answer_caller(BackgroundRefused(error.title, error.hint, error.exit_code))
        return error.exit_code
    finally:
        session_log.close()
        close_log()


def close_pipes() -> None:
    """Close stdin and stdout, whose end the caller waits for, and leave its terminal."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    detach_terminal(Path(os.devnull))


def _main() -> int:
    from fwtui.cli.logfile import record_crash

    try:
        return main()
    except Exception as error:  # noqa: BLE001 - the outermost frame of this process
        return record_crash(error, Console())


if __name__ == "__main__":
    sys.exit(_main())
