"""What the user wants to happen when a file or the batch is done.

Commands run in threads of their own, a few at once; the batch never waits for them, and no file
fails by them. After the last file's comes the batch's.
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
from fwtui.batch.run_command import Ended, arguments_of, run_command
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
from fwtui.core.notification import TITLE, news
from fwtui.core.paths import text_to_path, valid_text
from fwtui.core.redact import redacted
from fwtui.core.settings import Settings
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
    """The command that shows it; None where there is none. Texts are arguments, never a script."""
    name = "osascript" if platform == "darwin" else "notify-send"
    program = which(name)
    if program is None:
        return None
    if platform == "darwin":
        return [program, "-e", "on run argv", "-e", _SCRIPT, "-e", "end run", title, text]
    return [program, "--app-name=fwtui", "--", title, text]


class FileDone(msgspec.Struct, frozen=True, kw_only=True, tag="file_done", tag_field="event"):
    """A file is completed or has failed. `file` as in the exports of sessions."""

    fwtui: str = __version__
    session_id: str
    model: str
    output_dir: str
    file: FileRecord


class BatchDone(msgspec.Struct, frozen=True, kw_only=True, tag="batch_done", tag_field="event"):
    """The queue is worked through, or the batch cannot go on (`failure`).

    `failures` are the failed files; `report` and `log` are paths, `report` is empty without one.
    """

    fwtui: str = __version__
    session_id: str
    model: str
    output_dir: str
    exit_code: ExitCode
    completed: int
    failed: int
    cancelled: int
    total: int
    seconds: float
    report: str
    log: str
    failure: Failure | None
    failures: tuple[FileRecord, ...]


class Told(msgspec.Struct, frozen=True):
    """What a command gets: the bytes of its stdin, and variables of its environment."""

    stdin: bytes
    variables: dict[str, str]


def file_told(job: Job, settings: Settings, session_id: str) -> Told:
    """The facts of a file that is done."""
    state = job.state
    facts = FileDone(
        session_id=session_id,
        model=settings.model.model,
        output_dir=valid_text(settings.output.output_dir),
        file=file_record(job),
    )
    outputs = state.outputs if isinstance(state, Completed) else ()
    return Told(
        _json(facts),
        _variables(
            event="file_done",
            session=session_id,
            output_dir=settings.output.output_dir,
            # Here names are what they are on the disk, whatever bytes they are made of.
            file=os.fspath(job.file),
            state=facts.file.state,
            language=facts.file.language,
            audio_seconds=f"{facts.file.audio_seconds or 0:.3f}",
            outputs="\n".join(os.fspath(text_to_path(path)) for path in outputs),
            error=state.failure.title if isinstance(state, Failed) else "",
        ),
    )


def batch_told(
    finished: BatchFinished, jobs: Iterable[Job], settings: Settings, session_id: str, log: str
) -> Told:
    """The facts of a batch that is done."""
    jobs = tuple(jobs)
    report = os.fspath(text_to_path(finished.report)) if finished.report else ""
    facts = BatchDone(
        session_id=session_id,
        model=settings.model.model,
        output_dir=valid_text(settings.output.output_dir),
        exit_code=exit_code(jobs, finished.failure),
        completed=finished.completed,
        failed=finished.failed,
        cancelled=finished.cancelled,
        total=len(jobs),
        seconds=finished.seconds,
        report=valid_text(report),
        log=valid_text(log),
        failure=finished.failure,
        failures=tuple(file_record(job) for job in jobs if isinstance(job.state, Failed)),
    )
    return Told(
        _json(facts),
        _variables(
            event="batch_done",
            session=session_id,
            output_dir=settings.output.output_dir,
            exit_code=f"{facts.exit_code:d}",
            completed=str(facts.completed),
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
MOST_LATE = 3  # after so many that do not end in time, one after the other, no more are begun
DESKTOP_SECONDS = 10.0


class Call(msgspec.Struct, frozen=True):
    """A command to run. `last`: only when all others before it have ended."""

    hook: str
    arguments: str | Sequence[str]
    about: str
    seconds: float
    told: Told = Told(b"", {})
    shell: bool = False
    job: JobId | None = None
    last: bool = False


class Hooks:
    """Of one batch; `hear` is a listener. `log` is the path of the session's log."""

    def __init__(self, state: BatchState, session_id: str, log: str) -> None:
        self._state = state
        self._session_id = session_id
        self._log = log
        self._due: deque[Call] = deque()
        self._running = 0
        self._late = 0
        self._told: dict[JobId, datetime] = {}  # when the files ended that were told of
        self._failing: set[str] = set()  # hooks whose last call failed: shown once
        self._rest = asyncio.Event()
        self._rest.set()

    def hear(self, event: AnyEvent) -> None:
        """Take an event of the batch."""
        match event:
            case JobChanged(job=Job(state=Completed() | Failed()) as job):
                self._file_done(job)
            case BatchFinished() if event.is_news:
                self._batch_done(event)
            case PhaseChanged(phase=Phase.RUNNING):
                self._late = 0
                self._failing.clear()
            case _:
                pass

    async def finish(self, patience: float | None = None) -> None:
        """Wait until no command runs or is due.

        After `patience` seconds those that are due are left out, and those that run are left to
        themselves.
        """
        try:
            await asyncio.wait_for(self._rest.wait(), patience)
        except TimeoutError:
            names = {call.about for call in self._due}
            self._due.clear()
            if names:
                text = f"fwtui ends: the commands for {', '.join(sorted(names))} are not run"
                self._state.log(Level.WARNING, text)
            self._state.log(Level.INFO, "fwtui ends; the commands that still run are left alone")

    def _file_done(self, job: Job) -> None:
        assert isinstance(job.state, Completed | Failed)
        if self._told.get(job.id) == job.state.completed_at:
            return  # the same end: only its path is another one
        self._told[job.id] = job.state.completed_at
        settings = self._state.settings
        command = settings.done.on_file_done
        if command is not None and self._late < MOST_LATE:
            told = file_told(job, settings, self._session_id)
            self._begin("on_file_done", command, told, job)

    def _batch_done(self, finished: BatchFinished) -> None:
        settings = self._state.settings
        if settings.done.desktop_notification:
            self._notify(news(finished))
        if (command := settings.done.on_batch_done) is not None:
            told = batch_told(finished, self._state.queue, settings, self._session_id, self._log)
            self._begin("on_batch_done", command, told)

    def _notify(self, text: str) -> None:
        arguments = desktop_notification(TITLE, text)
        if arguments is None:
            text = "No desktop notification: there is no program for it (notify-send, osascript)"
            self._state.log(Level.WARNING, text)
            return
        self._put(Call("desktop_notification", arguments, "the batch", DESKTOP_SECONDS))

    def _begin(self, hook: str, command: str, told: Told, job: Job | None = None) -> None:
        done = self._state.settings.done
        about = job.name if job is not None else "the batch"
        try:
            arguments = arguments_of(command, shell=done.hook_shell)
        except ValueError as error:  # quotes that do not close, from an older settings file
            self._failed(hook, about, f"its command cannot be read: {error}", None)
            return
        self._put(
            Call(
                hook,
                arguments,
                about,
                done.hook_seconds,
                told,
                shell=done.hook_shell,
                job=job.id if job is not None else None,
                last=job is None,
            )
        )

    def _put(self, call: Call) -> None:
        self._due.append(call)
        self._feed()

    def _feed(self) -> None:
        while self._due and self._running < (1 if self._due[0].last else AT_ONCE):
            self._running += 1
            self._rest.clear()
            loop = asyncio.get_running_loop()
            # A daemon: nobody waits for it who wants to leave.
            threading.Thread(
                target=self._work, args=(loop, self._due.popleft()), name="hook", daemon=True
            ).start()

    def _work(self, loop: asyncio.AbstractEventLoop, call: Call) -> None:
        ended = run_command(
            call.arguments,
            shell=call.shell,
            stdin=call.told.stdin,
            variables=call.told.variables,
            seconds=call.seconds,
        )
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._ended, call, ended)

    def _ended(self, call: Call, ended: Ended) -> None:
        self._running -= 1
        for line in ended.words:
            self._state.log(Level.DEBUG, f"{call.hook}: {line}", call.job)
        if ended.problem:
            last = next((line for line in reversed(ended.words) if line.strip()), "")
            self._failed(call.hook, call.about, ended.problem, call.job, last)
        else:
            self._failing.discard(call.hook)
            text = f"{call.hook} for {call.about} took {ended.seconds:.1f} s"
            self._state.log(Level.DEBUG, text, call.job)
        if call.job is not None:
            self._late = self._late + 1 if ended.late else 0
            if self._late == MOST_LATE:
                self._give_up()
        self._feed()
        if not self._running:
            self._rest.set()

    def _failed(
        self, hook: str, about: str, problem: str, job: JobId | None, last: str = ""
    ) -> None:
        """Say it: each time in the log, and once to whoever looks, until it goes well again."""
        last = redacted(last)
        words = f": {last}" if last else ""
        self._state.log(Level.WARNING, f"{hook} failed for {about}: {problem}{words}", job)
        if hook not in self._failing:
            self._failing.add(hook)
            self._state.emit(HookFailed(hook, f"{hook} failed for {about}: {problem}", last))

    def _give_up(self) -> None:
        self._due = deque(call for call in self._due if call.job is None)
        text = f"on_file_done did not end in time {MOST_LATE} times: it is not run any more"
        self._state.log(Level.ERROR, f"{text} in this batch")
        self._state.emit(HookFailed("on_file_done", text, "see hook_seconds"))
