"""A batch that does what a test says, for states that a real one cannot be brought into at will."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from fwtui.batch.link import Listener
from fwtui.batch.model_needs import ModelNeeds, model_needs
from fwtui.batch.remote.batch_status import BatchStatus
from fwtui.batch.remote.endpoints import Endpoint
from fwtui.batch.workspace import MappedSession
from fwtui.core.commands import AnyCommand, Quit
from fwtui.core.events import (
    AnyEvent,
    BatchProgress,
    BatchSnapshot,
    EngineInfo,
    GpuReading,
    JobChanged,
    JobProgress,
    Level,
    LogLine,
    MemoryReading,
    MemorySampled,
    Phase,
    PhaseChanged,
    SegmentsFound,
)
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import (
    Attempt,
    Cancelled,
    Completed,
    Failed,
    Job,
    JobId,
    MediaInfo,
    Pending,
    Processing,
    Skipped,
)
from fwtui.core.segment import Segment, Transcript
from fwtui.core.session import Session
from fwtui.core.settings import ModelSettings, OutputSettings, Settings
from fwtui.disk.lock import Holder
from fwtui.sessions.catalog import SessionList, StoredSession
from fwtui.sessions.delete import DeletedFiles

NOW = datetime(2026, 3, 14, 15, 9, 26)
SETTINGS = Settings(
    model=ModelSettings(model="large-v3", device="cuda", compute_type="float16"),
    output=OutputSettings(output_dir="/data/transcripts"),
)


class ScriptedLink:
    """Keeps the commands it gets; sends the events it is told to send."""

    def __init__(self, jobs: Iterable[Job] = (), settings: Settings = SETTINGS) -> None:
        self.jobs = tuple(jobs)
        self.settings = settings
        self.phase = Phase.IDLE
        self.commands: list[AnyCommand] = []
        self.transcripts: dict[JobId, Transcript] = {}
        self.failure: Exception | None = None
        self._listeners: list[Listener] = []
        self._over = asyncio.Event()

    def send(self, command: AnyCommand) -> None:
        self.commands.append(command)
        if isinstance(command, Quit):
            self._over.set()

    def fail(self, error: Exception) -> None:
        self.failure = error
        self._over.set()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        listener(
            BatchSnapshot(
                session_id="20260314_150926",
                created_at=NOW,
                settings=self.settings,
                phase=self.phase,
                jobs=self.jobs,
            )
        )
        return lambda: self._listeners.remove(listener)

    async def transcript(self, job: JobId) -> Transcript:
        return self.transcripts.get(job, Transcript(language="", segments=()))

    async def run(self) -> None:
        await self._over.wait()
        if self.failure is not None:
            raise self.failure

    def emit(self, *events: AnyEvent) -> None:
        for event in events:
            for listener in self._listeners:
                listener(event)


class ScriptedWorkspace:
    """Has the sessions and the link that it is given."""

    def __init__(
        self,
        link: ScriptedLink | None = None,
        sessions: Iterable[StoredSession] = (),
        problems: Iterable[str] = (),
    ) -> None:
        self.link = link or ScriptedLink()
        self.sessions = list(sessions)
        self.later: list[StoredSession] = []
        self.problems = tuple(problems)
        self.started: list[Settings] = []
        self.resumed: list[StoredSession] = []
        self.discarded: list[StoredSession] = []
        self.deleted: list[StoredSession] = []
        self.refusal: Exception | None = None
        self.missing: tuple[str, ...] = ()
        self.maps: dict[str, str] = {}
        self.batches: tuple[BatchStatus, ...] = ()
        self.attached: list[Endpoint] = []

    async def incomplete(self) -> SessionList:
        return SessionList(tuple(self.sessions), self.problems)

    async def all_sessions(self) -> SessionList:
        return SessionList(tuple(self.sessions), self.problems)

    async def transcript(self, stored: StoredSession, job: Job) -> Transcript:
        return self.link.transcripts.get(job.id, Transcript(language="", segments=()))

    async def start(self, settings: Settings) -> ScriptedLink:
        self.started.append(settings)
        if self.refusal is not None:
            raise self.refusal
        return self.link

    async def resume(self, stored: StoredSession, own: Settings) -> ScriptedLink:
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            raise refusal
        self.resumed.append(stored)
        self.link.jobs = stored.session.jobs
        return self.link

    async def mapped(self, stored: StoredSession) -> MappedSession:
        return MappedSession(stored.session, tuple(f for f in self.missing if f not in self.maps))

    async def remember(self, maps: Mapping[str, str]) -> None:
        self.maps |= maps

    async def model_presence(self, settings: ModelSettings) -> str:
        return "downloaded"

    async def model_needs(self, settings: Settings, names: Sequence[str]) -> dict[str, ModelNeeds]:
        reading = MemoryReading(900.0, 2900.0, 7.4, 1270.0, 9_730.0, 6_000.0, available=4_000.0)
        settings = msgspec.structs.replace(settings, model=ModelSettings(device="cpu"))
        found = model_needs(settings, names, reading, None)
        if "base" in found:
            found["base"] = msgspec.structs.replace(found["base"], speed=8.9)
        return found

    async def running(self) -> tuple[Endpoint, ...]:
        return tuple(status.endpoint for status in self.batches)

    async def status(self, endpoint: Endpoint) -> BatchStatus:
        return next(one for one in self.batches if one.endpoint == endpoint)

    async def attach(self, endpoint: Endpoint) -> ScriptedLink:
        self.attached.append(endpoint)
        return self.link

    async def discard(self, stored: StoredSession) -> DeletedFiles:
        self.discarded.append(stored)
        self.sessions.remove(stored)
        return DeletedFiles()

    async def set_offered(self, session_ids: Sequence[str], *, offered: bool) -> None:
        self.sessions = [
            msgspec.structs.replace(one, hidden=not offered)
            if one.session.session_id in session_ids
            else one
            for one in self.sessions
        ]

    async def delete(self, stored: StoredSession) -> DeletedFiles:
        self.deleted.append(stored)
        self.sessions.remove(stored)
        return DeletedFiles()


def job(number: int, name: str = "", **fields: object) -> Job:
    """A job; `fields` replace those of a waiting one."""
    path = name if name.startswith(("/", "\0")) else f"/data/{name or f'talk-{number:03}.mp3'}"
    made = Job(id=number, path=path)
    return msgspec.structs.replace(made, **fields) if fields else made


def segment(number: int, start: float, text: str) -> Segment:
    return Segment(number, 0, start, start + 3.0, text, (), -0.2, 1.3, 0.01)


def completed(seconds: float = 1800.0, work: float = 240.0, **fields: object) -> Completed:
    made = Completed(
        started_at=NOW,
        completed_at=NOW,
        outputs=("/data/transcripts/talk.txt", "/data/transcripts/talk.srt"),
        audio_seconds=seconds,
        work_seconds=work,
        language="en",
        segments=412,
    )
    return msgspec.structs.replace(made, **fields) if fields else made


def failed(
    title: str = "This is not a media file", kind: FailureKind = FailureKind.BAD_MEDIA
) -> Failed:
    return Failed(NOW, Failure(kind, title, "check that it plays", "Invalid data found"), NOW)


def gallery() -> tuple[Job, ...]:
    """A queue with every state in it."""

    def media(seconds: float) -> MediaInfo:
        return MediaInfo(seconds, "mov,mp4", "aac", 44100, 2, False, int(seconds * 16000))

    attempt = Attempt(
        NOW, Failure(FailureKind.OUT_OF_MEMORY, "Out of memory"), 610.0, "batch size 4"
    )
    states = [
        ("keynote-opening.mp4", 3725, completed(3725, 402)),
        ("panel-on-field-recording.wav", 5412, completed(5412, 611)),
        ("interview-marguerite.m4a", 2418, completed(2418, 251, language="fr")),
        ("holiday-photos.mp3", 0, failed()),
        ("lecture-07-acoustics.flac", 6120, completed(6120, 702, warnings=("3 s are damaged",))),
        (
            "board-meeting-2025-11-03.wav",
            14_580,
            failed("Out of memory", FailureKind.OUT_OF_MEMORY),
        ),
        ("oral-history-tape-12-side-a.wav", 2875, Processing(NOW, preparing=False)),
        ("oral-history-tape-12-side-b.wav", 2811, Processing(NOW, preparing=True)),
        ("podcast-s02e14.mp3", 4230, Pending(1280.0)),
        ("radio-feature-night-trains.ogg", 3302, Cancelled(NOW)),
        ("empty-room.wav", 61, Skipped(NOW, "skipped by you")),
        ("voice-memo-0031.m4a", 95, Pending()),
        ("voice-memo-0032.m4a", 143, Pending()),
        ("会議の録音-三月.mp3", 3601, Pending()),
        ("workshop-day-1-morning.mkv", 10_802, Pending()),
        ("workshop-day-1-afternoon.mkv", 9_655, Pending()),
        ("workshop-day-2-morning.mkv", 10_411, Pending()),
        ("workshop-day-2-afternoon.mkv", 9_120, Pending()),
        ("zoom-call-with-archive.m4a", 1805, Pending()),
    ]
    jobs = [
        job(number, name, media=media(seconds) if seconds else None, state=state)
        for number, (name, seconds, state) in enumerate(states, 1)
    ]
    jobs[8] = msgspec.structs.replace(jobs[8], attempts=(attempt,))
    return tuple(jobs)


WORDS = (
    "So the tape begins in the middle of a sentence, as they all do.",
    "My father kept the shop on the corner until the spring of nineteen fifty-three,",
    "and on Saturdays the whole street would come in for lamp oil and newspapers.",
    "You have to understand that nobody had a telephone then.",
    "If there was news, it came on foot.",
    "I remember the winter when the harbour froze,",
    "and the boats stood there as if somebody had set them down on a table.",
    "We walked out to them. You could hear the ice working under your boots.",
    "Could you say a little more about the boats?",
    "There were eleven of them, mostly for herring, and one that carried the mail.",
    "The mail boat was called Margarethe, after the owner's wife, who never set foot on her.",
    "That was the sort of joke people made in those days.",
)


def busy_events(live: JobId = 6 + 1) -> list[AnyEvent]:
    """What the gallery's batch sends while it is at work."""
    events: list[AnyEvent] = [PhaseChanged(Phase.RUNNING)]
    events += [
        SegmentsFound(live, (segment(i, 1180 + i * 6.4, f" {words}"),), "en")
        for i, words in enumerate(WORDS)
    ]
    events.append(JobProgress(live, 1257.0, 2875.0, 8.9, 182.0))
    events.append(JobProgress(live + 1, 840.0, 2811.0, 0.0, None, preparing=True))
    events.append(BatchProgress(4, 2, 11, 19, 22_932.0, 79_000.0, 6_360.0))
    gpus = (GpuReading(0, "NVIDIA RTX 4070", 5_320.0, 12_282.0, 94.0, 61.0),)
    for step in range(70):
        rss = 900 + 260 * (1 - 0.96**step) + (step * 37 % 11) * 14
        reading = MemoryReading(
            rss, 2900.0, 7.4, 1270.0, 9_730.0, 15_906.0, gpus, warn=9_000.0, limit=12_000.0
        )
        events.append(MemorySampled(reading))
    lines = (
        (Level.INFO, "Batch start: Memory: 1250 MB (RSS), 2100 MB (VMS), 15.2%"),
        (Level.INFO, "[File: keynote-opening.mp4] Starting - Memory: 1300 MB"),
        (Level.INFO, "[File: keynote-opening.mp4] Finished - Memory: 1450 MB (Δ +150 MB)"),
        (Level.INFO, "After cleanup: Memory: 1280 MB (RSS), 2050 MB (VMS), 14.8%"),
        (Level.ERROR, "[File: holiday-photos.mp3] This is not a media file"),
        (Level.WARNING, "[File: lecture-07-acoustics.flac] 3 s are damaged and were left out"),
        (Level.DEBUG, "window 41: temperature 0.0, compression ratio 1.62"),
        (Level.INFO, "[File: oral-history-tape-12-side-a.wav] Starting - Memory: 1264 MB"),
    )
    events += [LogLine(NOW, level, text) for level, text in lines]
    return events


ENGINE = EngineInfo(0, "large-v3", "cuda:0", "float16", 2.8, 4711)


def stored(
    session_id: str = "20251214_101530",
    jobs: Iterable[Job] | None = None,
    in_use: Holder | None = None,
) -> StoredSession:
    """The session of the reference document's dialog: 25 files, 18 done, 2 failed, 5 left."""
    if jobs is None:
        made = [job(n, f"file{n}.mp3", state=completed()) for n in range(1, 19)]
        made[14] = job(15, "file15.mp3", state=failed("Out of memory"))
        made[15] = job(16, "file16.mp3", state=failed("MemoryError"))
        made += [job(n, f"file{n}.mp3", state=completed()) for n in (19, 20)]
        made += [job(n, f"file{n}.mp3") for n in range(21, 26)]
        jobs = made
    created = datetime(2025, 12, 14, 10, 15, 30)
    settings = Settings(model=ModelSettings(model="/models/faster-whisper-medium"))
    session = Session(session_id, created, settings, tuple(jobs))
    return StoredSession(session, in_use, created)


def changed(number: int, state: object, name: str = "") -> JobChanged:
    return JobChanged(job(number, name, state=state))
