"""Jobs and events of made-up batches."""

from datetime import UTC, datetime
from pathlib import Path

from fwtui.core.events import BatchFinished, BatchSnapshot, Phase
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Completed, Failed, Job, JobId, Processing, State
from fwtui.core.paths import path_to_text
from fwtui.core.settings import Settings

NOON = datetime(2025, 12, 14, 12, 0, tzinfo=UTC)


def job(number: JobId, state: State, name: str = "") -> Job:
    """A job on a file in a folder that is not there."""
    return Job(number, path_to_text(Path("/media") / (name or f"clip{number}.mp3")), state=state)


def completed(audio: float = 60.0, work: float = 6.0) -> Completed:
    return Completed(
        started_at=NOON,
        completed_at=NOON,
        outputs=("/out/clip.txt",),
        audio_seconds=audio,
        work_seconds=work,
        language="en",
        segments=3,
    )


def failed(kind: FailureKind = FailureKind.BAD_MEDIA) -> Failed:
    return Failed(NOON, Failure(kind, "It is not a media file", "look at it"))


def processing(*, preparing: bool = False) -> Processing:
    return Processing(NOON, preparing=preparing)


def snapshot(*jobs: Job) -> BatchSnapshot:
    return BatchSnapshot("20251214_120000", NOON, Settings(), Phase.IDLE, jobs)


def finished(*, seconds: float = 10.0, failure: Failure | None = None) -> BatchFinished:
    return BatchFinished(0, 0, 0, stopped=False, seconds=seconds, failure=failure)
