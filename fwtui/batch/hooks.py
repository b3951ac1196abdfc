"""Hooks: commands of the user, and desktop notifications, when a file or the batch is done.

Commands run in threads, a few at once. The batch never waits for them, and they never make a file
fail. The batch's command runs after all those of files.
"""

import asyncio
import contextlib
import os
import shutil
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import msgspec

from fwtui import __version__
from fwtui.batch.exit_code import exit_code
from fwtui.batch.run_command import CommandResult, arguments_of, run_command
from fwtui.batch.state import BatchState
from fwtui.config.sources import FACTS
from fwtui.core.events import (
    AnyEvent,
    BatchFinished,
    HookFailed,
    JobChanged,
    Level,
    Phase,
    PhaseChanged,
)
from fwtui.core.failure import Failure
from fwtui.core.job import Completed, Failed, Job, JobId
from fwtui.core.notification import TITLE, end_text
from fwtui.core.paths import text_to_path
from fwtui.core.redact import redacted
from fwtui.core.settings import Settings
from fwtui.core.text import valid_unicode
from fwtui.disk.codec import clean
from fwtui.errors import ExitCode
from fwtui.report.report import FileRecord, file_record

_SCRIPT = "display notification (item 2 of argv) with title (item 1 of argv)"


def desktop_notification(
    title: str,
    text: str,
    platform: str = sys.platform,
    which: Callable[[str], str | None] = shutil.which,
) -> list[str] | None:
    """The command that shows a notification; None without one. Texts are arguments, never code."""
    name = "osascript" if platform == "darwin" else "notify-send"
    program = which(name)
    if program is None:
        return None
    if platform == "darwin":
        return [program, "-e", "on run argv", "-e", _SCRIPT, "-e", "end run", title, text]
    return [program, "--app-name=fwtui", "--", title, text]


class FileDone(msgspec.Struct, frozen=True, kw_only=True, tag="file_done", tag_field="event"):
    """Facts of a completed or failed file. `file` as in exports of sessions."""

    fwtui: str = __version__
    session_id: str
    model: str
    output_dir: str
    file: FileRecord


class BatchDone(msgspec.Struct, frozen=True, kw_only=True, tag="batch_done", tag_field="event"):
    """Facts of a batch that has finished or cannot continue (`failure`).

    `failures` are the failed files; `report` and `log` are paths, `report` is empty without one.
    """

    fwtui: str = __version__
    session_id: str
    model: str
    output_dir: str
    exit_code: ExitCode
    completed: int
    to_check: int
    failed: int
    cancelled: int
    total: int
    seconds: float
    report: str
    log: str
    failure: Failure | None
    failures: tuple[FileRecord, ...]


class HookInput(msgspec.Struct, frozen=True):
    """Input of a command: the bytes of its stdin, and environment variables."""

    stdin: bytes
    variables: dict[str, str]


def file_input(job: Job, settings: Settings, session_id: str) -> HookInput:
    """Input of the command for a file."""
    state = job.state
    facts = FileDone(
        session_id=session_id,
        model=settings.model.model,
        output_dir=valid_unicode(settings.output.output_dir),
        file=file_record(job),
    )
    outputs = state.outputs if isinstance(state, Completed) else ()
    return HookInput(
        _json(facts),
        _variables(
            event="file_done",
            session=session_id,
            output_dir=settings.output.output_dir,
            # Names are as on the disk, whatever bytes they are made of.
            file=os.fspath(job.file),
            state=facts.file.state,
            language=facts.file.language,
            audio_seconds=f"{facts.file.audio_seconds or 0:.3f}",
            outputs="\n".join(os.fspath(text_to_path(path)) for path in outputs),
            error=state.failure.title if isinstance(state, Failed) else "",
        ),
    )


def batch_input(
    finished: BatchFinished, jobs: Iterable[Job], settings: Settings, session_id: str, log: str
) -> HookInput:
    """Input of the command for a batch."""
    jobs = tuple(jobs)
    report = os.fspath(text_to_path(finished.report)) if finished.report else ""
    facts = BatchDone(
        session_id=session_id,
        model=settings.model.model,
        output_dir=valid_unicode(settings.output.output_dir),
        exit_code=exit_code(jobs, finished.failure),
        completed=finished.completed,
        to_check=finished.to_check,
        failed=finished.failed,
        cancelled=finished.cancelled,
        total=len(jobs),
        seconds=finished.seconds,
        report=valid_unicode(report),
        log=valid_unicode(log),
        failure=finished.failure,
        failures=tuple(file_record(job) for job in jobs if isinstance(job.state, Failed)),
    )
    return HookInput(
        _json(facts),
        _variables(
            event="batch_done",
            session=session_id,
            output_dir=settings.output.output_dir,
            exit_code=f"{facts.exit_code:d}",
            completed=str(facts.completed),
            to_check=str(facts.to_check),
            failed=str(facts.failed),
            cancelled=str(facts.cancelled),
            total=str(facts.total),
            seconds=f"{facts.seconds:.3f}",
            report=report,
            log=log,
            error=finished.failure.title if finished.failure else "",
        ),
    )


def _variables(**facts: str) -> dict[str, str]:
    return {FACTS + name.upper(): text.replace("\0", "") for name, text in facts.items()}


def _json(facts: FileDone | BatchDone) -> bytes:
    try:
        return msgspec.json.encode(facts)
    except UnicodeEncodeError:  # undecodable bytes in the text of an error
        return msgspec.json.encode(clean(msgspec.to_builtins(facts)))


AT_ONCE = 4
MOST_TIMEOUTS = 3  # in a row; then no more commands are run
DESKTOP_SECONDS = 10.0


class HookCall(msgspec.Struct, frozen=True):
    """A command to run. `last`: only after all others before it."""

    hook: str
    arguments: str | Sequence[str]
    about: str
    seconds: float
    facts: HookInput = HookInput(b"", {})
    shell: bool = False
    job: JobId | None = None
    last: bool = False


class Hooks:
    """The hooks of one batch; `handle` is a listener. `log` is the path of the session's log."""

    def __init__(self, state: BatchState, session_id: str, log: str) -> None:
        self._state = state
        self._session_id = session_id
        self._log = log
        self._due: deque[HookCall] = deque()
        self._running = 0
        self._timeouts = 0
        self._handled: dict[JobId, datetime] = {}  # when these files ended
        self._failing: set[str] = set()  # hooks that failed the last time: reported once
        self._idle = asyncio.Event()
        self._idle.set()

    def handle(self, event: AnyEvent) -> None:
        """Handle an event of the batch."""
        match event:
            case JobChanged(job=Job(state=Completed() | Failed()) as job):
                self._file_done(job)
            case BatchFinished() if event.is_notable:
                self._batch_done(event)
            case PhaseChanged(phase=Phase.RUNNING):
                self._timeouts = 0
                self._failing.clear()
            case _:
                pass

    async def finish(self, patience: float | None = None) -> None:
        """Wait until no command runs or is due.

        After `patience` seconds, those that are due are dropped and running ones are left running.
        """
        try:
            await asyncio.wait_for(self._idle.wait(), patience)
        except TimeoutError:
            names = {call.about for call in self._due}
            self._due.clear()
            if names:
                text = f"Quitting: commands not run for {', '.join(sorted(names))}"
                self._state.log(Level.WARNING, text)
            self._state.log(
                Level.INFO, "Quitting: commands that are still running are left running"
            )

    def _file_done(self, job: Job) -> None:
        assert isinstance(job.state, Completed | Failed)
        if self._handled.get(job.id) == job.state.completed_at:
            return  # already handled: only its path has changed
        self._handled[job.id] = job.state.completed_at
        settings = self._state.settings
        command = settings.done.on_file_done
        if command is not None and self._timeouts < MOST_TIMEOUTS:
            facts = file_input(job, settings, self._session_id)
            self._start("on_file_done", command, facts, job)

    def _batch_done(self, finished: BatchFinished) -> None:
        settings = self._state.settings
        if settings.done.desktop_notification:
            self._notify(end_text(finished))
        if (command := settings.done.on_batch_done) is not None:
            facts = batch_input(finished, self._state.queue, settings, self._session_id, self._log)
            self._start("on_batch_done", command, facts)

    def _notify(self, text: str) -> None:
        arguments = desktop_notification(TITLE, text)
        if arguments is None:
            text = "No desktop notification: neither notify-send nor osascript is installed"
            self._state.log(Level.WARNING, text)
            return
        self._put(HookCall("desktop_notification", arguments, "the batch", DESKTOP_SECONDS))

    def _start(self, hook: str, command: str, facts: HookInput, job: Job | None = None) -> None:
        done = self._state.settings.done
        about = job.name if job is not None else "the batch"
        try:
            arguments = arguments_of(command, shell=done.hook_shell)
        except ValueError as error:  # quotes that do not close, from an older settings file
            self._failed(hook, about, f"invalid command: {error}", None)
            return
        self._put(
            HookCall(
                hook,
                arguments,
                about,
                done.hook_seconds,
                facts,
                shell=done.hook_shell,
                job=job.id if job is not None else None,
                last=job is None,
            )
        )

    def _put(self, call: HookCall) -> None:
        self._due.append(call)
        self._feed()

    def _feed(self) -> None:
        while self._due and self._running < (1 if self._due[0].last else AT_ONCE):
            self._running += 1
            self._idle.clear()
            loop = asyncio.get_running_loop()
            # A daemon: it must not keep fwtui from ending.
            threading.Thread(
                target=self._work, args=(loop, self._due.popleft()), name="hook", daemon=True
            ).start()

    def _work(self, loop: asyncio.AbstractEventLoop, call: HookCall) -> None:
        result = run_command(
            call.arguments,
            shell=call.shell,
            stdin=call.facts.stdin,
            variables=call.facts.variables,
            seconds=call.seconds,
        )
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self._ended, call, result)

    def _ended(self, call: HookCall, result: CommandResult) -> None:
        self._running -= 1
        for line in result.output:
            self._state.log(Level.DEBUG, f"{call.hook}: {line}", call.job)
        if result.problem:
            last = next((line for line in reversed(result.output) if line.strip()), "")
            self._failed(call.hook, call.about, result.problem, call.job, last)
        else:
            self._failing.discard(call.hook)
            text = f"{call.hook} for {call.about} took {result.seconds:.1f} s"
            self._state.log(Level.DEBUG, text, call.job)
        if call.job is not None:
            self._timeouts = self._timeouts + 1 if result.timed_out else 0
            if self._timeouts == MOST_TIMEOUTS:
                self._give_up()
        self._feed()
        if not self._running:
            self._idle.set()

    def _failed(
        self, hook: str, about: str, problem: str, job: JobId | None, last: str = ""
    ) -> None:
        """Log each failure; emit an event for the first one after a success."""
        last = redacted(last)
        output = f": {last}" if last else ""
        self._state.log(Level.WARNING, f"{hook} failed for {about}: {problem}{output}", job)
        if hook not in self._failing:
            self._failing.add(hook)
            self._state.emit(HookFailed(hook, f"{hook} failed for {about}: {problem}", last))

    def _give_up(self) -> None:
        self._due = deque(call for call in self._due if call.job is None)
        text = f"on_file_done timed out {MOST_TIMEOUTS} times in a row: disabled"
        self._state.log(Level.ERROR, f"{text} for this batch")
        self._state.emit(HookFailed("on_file_done", text, "see hook_seconds"))
