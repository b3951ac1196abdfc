"""What the user's commands are told: as JSON on stdin, and the most wanted as variables."""

import os
from collections.abc import Iterable

import msgspec

from fwtui import __version__
from fwtui.batch.exit_code import exit_code
from fwtui.batch.records import FileRecord, file_record
from fwtui.config.environment import FACTS
from fwtui.core.events import BatchFinished
from fwtui.core.failure import Failure
from fwtui.core.job import Completed, Failed, Job
from fwtui.core.paths import text_to_path, valid_text
from fwtui.core.settings import Settings
from fwtui.disk.codec import clean
from fwtui.errors import ExitCode


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
