"""A stored batch: settings, jobs, and the progress inside unfinished files."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from fwtui.core.finding import Finding
from fwtui.core.job import Cancelled, Completed, Job, JobId, Pending, Processing, Skipped
from fwtui.core.segment import Segment
from fwtui.core.settings import Settings
from fwtui.core.view import Shares, shares_of
from fwtui.core.watched_folder import WatchedFolder


class WindowState(msgspec.Struct, frozen=True):
    """State of the window loop after a window: all that the next window depends on.

    `seek` and `clip` as in faster-whisper (frames of 10 ms, index of the clip range);
    `segments` counts those already found; `prompt` holds the last 223 tokens that count as
    previous text, and `language` theirs, if every window has its own; `last_speech` seconds;
    `ended`: where the text so far ends, in seconds of the file. In batched mode `clip` is the index
    of the next chunk and `seek` its first frame. `channel`: which of the plan's channels, from 0.
    """

    seek: int = 0
    clip: int = 0
    segments: int = 0
    prompt: tuple[int, ...] = ()
    last_speech: float = 0.0
    done: bool = False
    language: str = ""
    ended: float = 0.0
    channel: int = 0

    @property
    def place(self) -> int:
        """A number for the next window, which no other of the file has."""
        return self.seek + (self.channel << 40)


class SpeechChunk(msgspec.Struct, frozen=True, array_like=True):
    """A piece of speech found by VAD, in samples at 16 kHz."""

    start: int
    end: int


class ChannelPlan(msgspec.Struct, frozen=True):
    """What the windows of one channel depend on; the fields are those of `FilePlan`.

    `number`: which channel of the recording, from 0.
    """

    number: int
    loudest: float
    language: str
    speech: tuple[SpeechChunk, ...] | None = None
    chunks: tuple[int, ...] | None = None
    heard: tuple[SpeechChunk, ...] | None = None


class FilePlan(msgspec.Struct, frozen=True):
    """Facts about a file that its windows depend on, found before the first of them.

    They are needed to resume inside the file. `fingerprint` identifies the content of the input
    file, `text_hash` the options; `samples` is the decoded length at 16 kHz; `loudest` is the
    highest log-mel value of the (VAD-filtered) signal; `speech` is None when VAD was off; `chunks`
    are the ends of the chunks of batched mode, in samples of the joined speech, None in sequential
    mode; `sound` is a digest of the decoded samples (empty: made by an earlier version). `heard`
    is speech detected only to check that all of it was transcribed; None: not checked. `model`
    identifies the model (empty: made by an earlier version). `channels`: those that are transcribed
    one after the other; the fields of the plan are then those of the first. `recorded`: how many
    the recording has.
    """

    fingerprint: str
    text_hash: str
    samples: int
    loudest: float
    language: str
    speech: tuple[SpeechChunk, ...] | None = None
    warnings: tuple[str, ...] = ()
    chunks: tuple[int, ...] | None = None
    sound: str = ""
    heard: tuple[SpeechChunk, ...] | None = None
    model: str = ""
    language_probability: float = 1.0  # unused, but fwtui 0.1 cannot read a journal without it
    channels: tuple[ChannelPlan, ...] = ()
    recorded: int = 1

    @property
    def duration(self) -> float:
        """Seconds of decoded audio."""
        return self.samples / 16000

    def of_channel(self, index: int) -> "FilePlan":
        """The plan of one of the channels, as that of a file of its own."""
        if not self.channels:
            return self
        own = self.channels[index]
        return replace(
            self,
            loudest=own.loudest,
            language=own.language,
            speech=own.speech,
            chunks=own.chunks,
            heard=own.heard,
            channels=(),
        )

    def progress(self, index: int, seconds: float) -> float:
        """How far the file is, in its seconds, at `seconds` of one of its channels."""
        if not self.channels:
            return seconds
        return (index * self.duration + seconds) / len(self.channels)

    def place(self, progress: float) -> tuple[int | None, float]:
        """The channel (number, from 0; None: all are mixed) and its seconds at this progress."""
        if not self.channels or not self.samples:
            return None, progress
        index, seconds = divmod(progress * len(self.channels), self.duration)
        index = min(int(index), len(self.channels) - 1)
        return self.channels[index].number, seconds


class ResumePoint(msgspec.Struct, frozen=True):
    """Where an unfinished file resumes: its plan, and the state after its last window.

    `state` is None when no window is done; `seconds` is how far the file is.
    """

    plan: FilePlan
    state: WindowState | None = None
    seconds: float = 0.0

    @property
    def is_done(self) -> bool:
        """Whether all windows are done and only the outputs are missing."""
        return self.state is not None and self.state.done


class Session(msgspec.Struct, frozen=True):
    """A stored batch. `extra` keeps keys of the session file that this version does not know."""

    session_id: str
    created_at: datetime
    settings: Settings
    jobs: tuple[Job, ...] = ()
    temp_files: tuple[str, ...] = ()
    resumable: dict[JobId, ResumePoint] = {}
    extra: dict[str, Any] = {}
    folders: tuple[WatchedFolder, ...] = ()

    @property
    def asked(self) -> tuple[str, ...]:
        """Paths, patterns and links, as `path_to_text`, whose search for files has not ended."""
        return asked_in(self.extra)

    @property
    def never_started(self) -> bool:
        """Whether it is a queue that was made on the screen and that nobody has started."""
        if self.extra.get(NOT_STARTED) is not True:
            return False
        ended = self.completed or self.failed or self.cancelled
        return not (ended or any(map(self.seconds_inside, self.jobs)))

    @property
    def completed(self) -> tuple[Job, ...]:
        """Jobs whose outputs are on disk."""
        return tuple(job for job in self.jobs if isinstance(job.state, Completed))

    @property
    def failed(self) -> tuple[Job, ...]:
        """Jobs that a resume will retry, and those whose retry has not ended."""
        return tuple(job for job in self.jobs if job.failure is not None)

    @property
    def pending(self) -> tuple[Job, ...]:
        """Jobs that are waiting or were interrupted, but for those that had failed."""
        return tuple(job for job in self.jobs if not (job.is_finished or job.last_failure))

    @property
    def cancelled(self) -> tuple[Job, ...]:
        """Jobs that the user cancelled while they were running."""
        return tuple(job for job in self.jobs if isinstance(job.state, Cancelled))

    @property
    def skipped(self) -> tuple[Job, ...]:
        """Jobs that were skipped."""
        return tuple(job for job in self.jobs if isinstance(job.state, Skipped))

    @property
    def to_retry(self) -> tuple[Job, ...]:
        """What a resume queues again: failed files.

        Those that the user cancelled only if nothing else is left to do.
        """
        if self.failed or self.pending or self.folders or self.asked:
            return self.failed
        return tuple(job for job in self.cancelled if is_kept(job))

    def seconds_inside(self, job: Job) -> float:
        """How far an unfinished file is, in seconds."""
        if isinstance(job.state, Pending) and job.state.done_seconds:
            return job.state.done_seconds
        point = self.resumable.get(job.id)
        return point.seconds if point and not isinstance(job.state, Completed) else 0.0

    @property
    def touching(self) -> tuple[WatchedFolder, ...]:
        """The watched folders whose recordings are moved or tagged after their transcription."""
        return tuple(folder for folder in self.folders if folder.after != "leave")

    @property
    def is_incomplete(self) -> bool:
        """Whether a resume would have anything to do, if only to wait for files."""
        cancelled = any(map(is_kept, self.jobs))
        return bool(self.failed or self.pending or self.folders or cancelled or self.asked)

    @property
    def shares(self) -> Shares:
        """The parts of the batch, with the progress inside its files."""
        return shares_of(map(self._with_text, self.jobs))

    def _with_text(self, job: Job) -> Job:
        """The job, with what the journal says of its progress."""
        seconds = self.seconds_inside(job)
        match job.state:
            case Pending() | Processing() if seconds:
                return replace(job, state=Pending(seconds))
            case _:
                return job


NOT_STARTED = "not_started"
"""Key of the session file: true until the queue is started for the first time."""

ASKED = "asked"
"""Key of the session file: what is still to be searched for files."""


def asked_in(extra: dict[str, Any]) -> tuple[str, ...]:
    """What is still to be searched, by the keys of a session file, which may have been edited."""
    found = extra.get(ASKED)
    return tuple(t for t in found if isinstance(t, str)) if isinstance(found, list | tuple) else ()


def is_kept(job: Job) -> bool:
    """Whether the user cancelled the job, and its session is kept for it."""
    return isinstance(job.state, Cancelled) and job.state.kept is True


class Spoken(msgspec.Struct, frozen=True, array_like=True):
    """Language detected in a stretch of audio: seconds of the file, code, probability 0 to 1.

    `channel`: in which one, if each is transcribed by itself.
    """

    start: float
    end: float
    language: str
    probability: float
    channel: int | None = None


class WindowResult(msgspec.Struct, frozen=True):
    """One finished window: its segments and the state behind it.

    `seconds` is how far the file now is; `skipped`: the window killed the engine twice and was
    skipped; `spoken` are the languages detected in it, if that was asked for; `findings` are
    passages to check that only the engine can know of, in seconds of the file; `silent`: digital
    silence, which the model did not see.
    """

    segments: tuple[Segment, ...]
    state: WindowState
    seconds: float
    skipped: bool = False
    spoken: tuple[Spoken, ...] = ()
    findings: tuple[Finding, ...] = ()
    silent: bool = False


def with_languages(segments: Iterable[Segment], spoken: Sequence[Spoken]) -> tuple[Segment, ...]:
    """The segments with the language that was spoken in their middle, where it is known."""
    return tuple(each_with_language(segments, spoken))


def each_with_language(segments: Iterable[Segment], spoken: Sequence[Spoken]) -> Iterable[Segment]:
    """The segments with the language that was spoken in their middle, where it is known."""
    channels = {one.channel for one in spoken}
    found = {channel: [one for one in spoken if one.channel == channel] for channel in channels}
    starts = {channel: [one.start for one in own] for channel, own in found.items()}

    def own(segment: Segment) -> str | None:
        channel = segment.channel
        middle = (segment.start + segment.end) / 2
        at = bisect_right(starts.get(channel, ()), middle) - 1
        return found[channel][at].language if at >= 0 else None

    return (replace(segment, language=own(segment)) for segment in segments)
