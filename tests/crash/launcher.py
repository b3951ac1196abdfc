"""fwtui, with two additions: it can die at a chosen call to the disk, and it leaves a trace.

Run as a script in the place of `fwtui`, the leader of its process group. The environment says:
`FWTUI_CRASH_TRACE` is the file that the trace is appended to, `FWTUI_CRASH_CALL` the number
(from 0) of the call of the storage's file-system seam at which the whole group is killed. A write
is cut short there; every other call is not made. `FWTUI_CRASH_EVENTS` is the descriptor that a
screen's batch tells its events to, as `fwtui run --json` does on stdout.

Lines of the trace: `call NUMBER NAME` before a call; from the engine `begun PID JOB SECONDS` and
`done PID JOB SECONDS`, with how far the file was, or now is.
"""

import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TRACE = "FWTUI_CRASH_TRACE"
CALL = "FWTUI_CRASH_CALL"
EVENTS = "FWTUI_CRASH_EVENTS"
ENGINE = (sys.executable, "-P", str(Path(__file__).resolve()), "engine")


def tracer() -> Callable[[str], None]:
    """Appends lines to the trace, each in one write."""
    descriptor = os.open(os.environ[TRACE], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def trace(line: str) -> None:
        os.write(descriptor, f"{line}\n".encode())

    return trace


def watch_the_seam(trace: Callable[[str], None], last: int | None) -> None:
    """Count the calls of the seam that everything uses by default; die at number `last`."""
    from fwtui.disk.files import FILES, FileSystem

    numbers = itertools.count()

    def watched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            number = next(numbers)
            trace(f"call {number} {name}")
            if number == last:
                if name == "write":
                    tear(number, *arguments)
                os.killpg(0, signal.SIGKILL)
            return real(*arguments)

        return call

    for name in [name for name in vars(FileSystem) if not name.startswith("_")]:
        setattr(FILES, name, watched(name, getattr(FILES, name)))


def tear(number: int, descriptor: int, data: bytes | memoryview) -> None:
    """Write some of the data: nothing, a quarter, …, all of it, by the number of the call."""
    os.write(descriptor, data[: len(data) * (number % 5) // 4])


def tell_events(descriptor: int) -> None:
    """Write the events of every batch to the descriptor, as JSON lines."""
    import msgspec

    from fwtui.batch.batch import Batch
    from fwtui.batch.workspace import Workspace
    from fwtui.core.events import AnyEvent

    real = Workspace._create_batch

    def tell(event: AnyEvent) -> None:
        rest = memoryview(msgspec.json.encode(event) + b"\n")
        while rest:
            rest = rest[os.write(descriptor, rest) :]

    def create(self: Workspace, *arguments: Any) -> Batch:
        made = real(self, *arguments)
        made.subscribe(tell)
        return made

    setattr(Workspace, "_create_batch", create)  # noqa: B010


def run_engine(trace: Callable[[str], None]) -> None:
    """The engine child, which says when it begins a window and when it is done with it."""
    from fwtui.core.session import FilePlan, WindowResult
    from fwtui.engine.child import main
    from fwtui.engine.prepare import PreparedFile
    from fwtui.engine.transcriber import Transcriber

    real = Transcriber.windows

    def windows(
        self: Transcriber, prepared: PreparedFile, plan: FilePlan, *, skip_first: bool = False
    ) -> Iterator[WindowResult]:
        where = f"{os.getpid()} {prepared.request.job}"
        trace(f"begun {where} {prepared.resume.seconds if prepared.resume else 0.0}")
        for result in real(self, prepared, plan, skip_first=skip_first):
            trace(f"done {where} {result.seconds}")
            yield result
            if not result.state.done:
                trace(f"begun {where} {result.seconds}")

    setattr(Transcriber, "windows", windows)  # noqa: B010
    main()


def run() -> int:
    """The program, or its engine."""
    if sys.argv[1:] == ["engine"]:
        run_engine(tracer())
    from fwtui.engine import client

    client.COMMAND = ENGINE  # before the runner takes it as its default
    # Whoever started the tests may ignore these, and the ignoring would be inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    last = os.environ.get(CALL)
    watch_the_seam(tracer(), None if last is None else int(last))
    if EVENTS in os.environ:
        tell_events(int(os.environ[EVENTS]))
    from fwtui.cli.main import main

    return main()


if __name__ == "__main__":
    sys.exit(run())
