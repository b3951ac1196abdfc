"""Finished files and batches for the history."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.finding import Finding, FindingKind
from fwtui.core.job import Cancelled, Completed, Failed, Job, MediaInfo
from fwtui.core.settings import ModelSettings, OutputSettings, Settings
from fwtui.outputs.batch_history import BatchUpdate

AT = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
SETTINGS = Settings(
    model=ModelSettings(model="medium"), output=OutputSettings(output_dir="/data/out")
)
FINDING = Finding(FindingKind.REPETITION, 1.0, 2.0, "thank you thank you")


def done(number: int, name: str = "", **fields: object) -> Job:
    """A file that is done."""
    path = name if name.startswith(("/", "\0")) else f"/data/in/{name or f'talk {number:05}.mp3'}"
    state = Completed(
        started_at=AT,
        completed_at=AT + timedelta(seconds=number),
        outputs=(f"/data/out/talk {number:05}.txt", f"/data/out/talk {number:05}.srt"),
        audio_seconds=60.0,
        work_seconds=6.0,
        language="de",
        segments=12,
    )
    return Job(id=number, path=path, state=replace(state, **fields) if fields else state)


def failed(number: int, title: str = "Not a media file") -> Job:
    """A file that failed."""
    state = Failed(AT + timedelta(seconds=number), Failure(FailureKind.BAD_MEDIA, title, "look"))
    media = MediaInfo(30.0)
    return Job(id=number, path=f"/data/in/broken {number}.mp3", state=state, media=media)


def cancelled(number: int) -> Job:
    """A file that the user cancelled."""
    state = Cancelled(AT + timedelta(seconds=number), AT, kept=True)
    return Job(id=number, path=f"/data/in/long {number}.mp3", state=state)


def update(*jobs: Job, session: str = "20260314_150926", **fields: object) -> BatchUpdate:
    """A batch that has ended with these files."""
    made = BatchUpdate(
        session=session,
        started=AT,
        ended=AT + timedelta(minutes=10),
        ending="finished",
        exit_code=0,
        settings=SETTINGS,
        total=len(jobs),
        seconds=600.0,
        jobs=jobs,
    )
    return replace(made, **fields) if fields else made
