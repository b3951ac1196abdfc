"""A job is one media file in the queue; its state carries the data of that state."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from fwtui.core.failure import Failure
from fwtui.core.finding import Finding
from fwtui.core.paths import text_to_path
from fwtui.core.speakers import SpeakerTime
from fwtui.core.templates import default_stem

JobId = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


# The garbage collector need not look at these structs, because they are in no reference cycle: with
# 100,000 finished files a collection takes 5 ms instead of 45.
class AudioTrack(msgspec.Struct, frozen=True, gc=False):
    """An audio track of a media file: its number from 1, and what the file says about it.

    `language` is a code (empty: unknown), `codec` empty if it cannot be decoded.
    """

    number: int
    language: str = ""
    title: str = ""
    codec: str = ""
    channels: int = 0
    default: bool = False


class MediaInfo(msgspec.Struct, frozen=True, gc=False):
    """Facts about a media file: `duration` in seconds (0: unknown), `size` in bytes.

    `decoded` is the length of the decoded audio in seconds, once known. `tracks` are the audio
    tracks, where there are several or their languages are known; `track` is the number of the one
    that is transcribed.
    """

    duration: float
    container: str = ""
    codec: str = ""
    sample_rate: int = 0
    channels: int = 0
    has_video: bool = False
    size: int = 0
    decoded: float | None = None
    tracks: tuple[AudioTrack, ...] = ()
    track: int = 0


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """A failed attempt at a file.

    `at_seconds` is how far the file was; `remedy` is what the next attempt did differently.
    """

    at: datetime
    failure: Failure
    at_seconds: float
    remedy: str


class Pending(msgspec.Struct, frozen=True, gc=False, tag="pending"):
    """Waiting. If `done_seconds` is above 0, the file was interrupted and resumes there."""

    done_seconds: float = 0.0


class Processing(msgspec.Struct, frozen=True, gc=False, tag="processing"):
    """Running: in the engine of a slot, being prepared for it, or being downloaded."""

    started_at: datetime
    preparing: bool = True
    slot: int = 0
    downloading: bool = False


class Completed(msgspec.Struct, frozen=True, gc=False, tag="completed"):
    """Done, with its outputs on disk. `audio_seconds` and `work_seconds` are durations.

    `used` has the settings of the last attempt that differ from their defaults, by `section.name`;
    None: unknown. `findings` are passages to check, ordered by time. `timed_seconds` of audio are
    what `work_seconds` were spent on; None: all of it. `speakers` are those that were told apart.
    """

    started_at: datetime
    completed_at: datetime
    outputs: tuple[str, ...]
    audio_seconds: float
    work_seconds: float
    language: str
    segments: int
    warnings: tuple[str, ...] = ()
    used: dict[str, Any] | None = None
    findings: tuple[Finding, ...] = ()
    skipped_chunks: int = 0
    timed_seconds: float | None = None
    speakers: tuple[SpeakerTime, ...] = ()

    @property
    def speed(self) -> float | None:
        """Times real time; None if no work was measured.

        A file that was resumed counts with the audio that was transcribed since.
        """
        timed = self.audio_timed
        return timed / self.work_seconds if self.work_seconds > 0 and timed > 0 else None

    @property
    def audio_timed(self) -> float:
        """Seconds of audio that the work was spent on."""
        return self.audio_seconds if self.timed_seconds is None else self.timed_seconds


class Failed(msgspec.Struct, frozen=True, gc=False, tag="failed"):
    """Could not be transcribed; a retry resumes where it stopped.

    `done_seconds` of it have a text, which the session keeps.
    """

    completed_at: datetime
    failure: Failure
    started_at: datetime | None = None
    done_seconds: float = 0.0


class Cancelled(msgspec.Struct, frozen=True, gc=False, tag="cancelled"):
    """Cancelled by the user while running.

    `kept`: the session is kept for it, with the progress inside it; versions before 0.2 gave it up.
    `done_seconds` of it have a text.
    """

    completed_at: datetime
    started_at: datetime | None = None
    kept: bool | msgspec.UnsetType = msgspec.UNSET  # not written unless it is true
    done_seconds: float | msgspec.UnsetType = msgspec.UNSET  # not written by 0.1


class Skipped(msgspec.Struct, frozen=True, gc=False, tag="skipped"):
    """Skipped by the user before it ran, or because it was not needed; `reason` says why."""

    completed_at: datetime
    reason: str


WAITING = Pending()

State = Pending | Processing | Completed | Failed | Cancelled | Skipped


class Job(msgspec.Struct, frozen=True, gc=False):
    """One file of the batch. All paths are as by `path_to_text`.

    `path` is absolute. `stem` is the name of the outputs without extension, unique in the batch:
    in the output folder, or absolute if they are written beside the file. `root` is the folder
    that was added and in which the file was found, empty if the file itself was added. `kept` are
    formats whose files existed before and are left alone; None: not checked yet. `settings` are
    the job's own, if it was retried with other settings than the batch's: those that differ from
    their defaults, by `section.name`. `source` is the link that the file comes from; until it is
    downloaded, `path` is where it will be. `last_failure` is why it failed before, while it waits
    for a retry or is retried. `track` is the number of the audio track where each of them is a job
    of its own; 0: the settings say which. `name_note` becomes a warning when the file is done:
    why its outputs have another name. `speaker_names` are names that the user gave to speakers of
    this file, and those of known ones that were recognised.
    """

    id: JobId
    path: str
    # Empty in memory where it is the stem of the file, as for most of a hundred thousand files.
    custom_stem: str = msgspec.field(default="", name="stem")
    state: State = WAITING
    media: MediaInfo | None = None
    attempts: tuple[Attempt, ...] = ()
    settings: dict[str, Any] | None = None
    root: str = ""
    kept_formats: tuple[str, ...] | None = msgspec.field(default=None, name="kept")
    source: str | None = None
    last_failure: Failure | None = None
    track: int = 0
    name_note: str = ""
    speaker_names: dict[int, str] | None = None

    def with_stem(self, stem: str) -> "Job":
        """The job with outputs of this name."""
        own = "" if stem == default_stem(self.path) else stem
        return self if own == self.custom_stem else replace(self, custom_stem=own)

    def with_path(self, path: str) -> "Job":
        """The job with its file at another path; the name of its outputs stays."""
        return replace(self, path=path, custom_stem=self.stem).with_stem(self.stem)

    @property
    def stem(self) -> str:
        """The name of its outputs, as in `custom_stem`; never empty."""
        return self.custom_stem or default_stem(self.path)

    @property
    def with_explicit_stem(self) -> "Job":
        """The job with `custom_stem` set in any case, to be written as JSON."""
        return replace(self, custom_stem=self.stem)

    @property
    def file(self) -> Path:
        """The file on disk."""
        return text_to_path(self.path)

    @property
    def name(self) -> str:
        """The file's name, for display; may hold any character that a file system allows."""
        return f"{self.file.name} (track {self.track})" if self.track else self.file.name

    @property
    def text_seconds(self) -> float:
        """How much of an unfinished file has a text in the session."""
        match self.state:
            case Pending(done_seconds=seconds) | Failed(done_seconds=seconds):
                return seconds
            case Cancelled(done_seconds=float(seconds)):
                return seconds
            case _:
                return 0.0

    @property
    def duration(self) -> float:
        """Seconds of audio; 0 if unknown."""
        if self.media is None:
            return 0.0
        return self.media.decoded if self.media.decoded is not None else self.media.duration

    @property
    def failure(self) -> Failure | None:
        """Why it has failed, or had failed before a retry that has not ended."""
        match self.state:
            case Failed(failure=failure):
                return failure
            case Pending() | Processing():
                return self.last_failure
            case _:
                return None

    @property
    def is_finished(self) -> bool:
        """Whether it is done, failed, cancelled or skipped."""
        return not isinstance(self.state, Pending | Processing)


_LABELS = {"pending": "waiting", "processing": "running", "completed": "done"}


def state_name(state: State) -> str:
    """The state's name in session files and events: pending, processing, completed, ..."""
    return str(state.__struct_config__.tag)


def state_label(state: State) -> str:
    """The state's name for people: waiting, running, done, ..."""
    return _LABELS.get(state_name(state), state_name(state))


def needs_check(state: State) -> bool:
    """Whether a file is done, but with warnings or passages that somebody should check."""
    return isinstance(state, Completed) and bool(state.warnings or state.findings)


def has_state(job: Job, text: str) -> bool:
    """Whether a name of the job's state begins with `text`; `check`: as by `needs_check`."""
    if text == "check":
        return needs_check(job.state)
    return state_label(job.state).startswith(text) or state_name(job.state).startswith(text)
