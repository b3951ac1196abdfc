"""A job is one media file in the queue; its state carries the data of that state."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec.structs import replace

from fwtui.core.failure import Failure
from fwtui.core.finding import Finding
from fwtui.core.paths import text_to_path
from fwtui.core.templates import plain_stem

# Whoever makes ids counts, so tables by id may be lists.
JobId = Annotated[int, msgspec.Meta(ge=0, lt=2**31)]


# The collector need not look at any of these, for they can be in no circle: with 100,000 files that
# are done it takes 5 ms instead of 45.
class MediaInfo(msgspec.Struct, frozen=True, gc=False):
    """What the probe found. `duration` in seconds (0 if the container does not say), `size` bytes.

    `decoded` is the length of the decoded sound in seconds, once it is known.
    """

    duration: float
    container: str = ""
    codec: str = ""
    sample_rate: int = 0
    channels: int = 0
    has_video: bool = False
    size: int = 0
    decoded: float | None = None


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One start of an engine on a file that did not reach its end.

    `at_seconds` is how far the file was; `remedy` is what the next attempt does differently.
    """

    at: datetime
    failure: Failure
    at_seconds: float
    remedy: str


class Pending(msgspec.Struct, frozen=True, gc=False, tag="pending"):
    """Waiting. `done_seconds` > 0 when it was interrupted and will go on inside the file."""

    done_seconds: float = 0.0


class Processing(msgspec.Struct, frozen=True, gc=False, tag="processing"):
    """In the engine of a slot, or next in it (being prepared), or being downloaded."""

    started_at: datetime
    preparing: bool = True
    slot: int = 0
    downloading: bool = False


class Completed(msgspec.Struct, frozen=True, gc=False, tag="completed"):
    """Done, its outputs durable on disk. Durations in seconds; `warnings` are for the row.

    `used` has the settings of its last attempt that were not at their defaults, by
    `section.name`; None: not known. `findings` are passages to check, in the order of their times.
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


class Failed(msgspec.Struct, frozen=True, gc=False, tag="failed"):
    """Could not be transcribed; a retry starts where it stopped."""

    completed_at: datetime
    failure: Failure
    started_at: datetime | None = None


class Cancelled(msgspec.Struct, frozen=True, gc=False, tag="cancelled"):
    """Stopped by the user while it was running."""

    completed_at: datetime
    started_at: datetime | None = None


class Skipped(msgspec.Struct, frozen=True, gc=False, tag="skipped"):
    """Taken out by the user before it ran, or not needed; `reason` says which."""

    completed_at: datetime
    reason: str


WAITING = Pending()

State = Pending | Processing | Completed | Failed | Cancelled | Skipped


class Job(msgspec.Struct, frozen=True, gc=False):
    """One file of the batch. `path` is `path_to_text` of an absolute path.

    `own_stem` (`stem` in JSON) is the name of its outputs without extension, unique in the batch
    (as `path_to_text`): in the output folder, or absolute when they go beside the file. In memory
    it is empty if it is the file's own name, which most of a hundred thousand have. `root` is the
    folder that was added and led to it (as `path_to_text`), empty if it was named itself. `kept`
    are the formats of outputs that were there before it began and are left alone; None: nobody has
    looked yet. `settings` are its own, if the user asked to try it with others than the batch's:
    those that are not at their defaults, by `section.name`. `source` is the link that the file is
    downloaded from; until then `path` is where it will be, and is changed once more.
    """

    id: JobId
    path: str
    own_stem: str = msgspec.field(default="", name="stem")
    state: State = WAITING
    media: MediaInfo | None = None
    attempts: tuple[Attempt, ...] = ()
    settings: dict[str, Any] | None = None
    root: str = ""
    kept: tuple[str, ...] | None = None
    source: str | None = None

    def called(self, stem: str) -> "Job":
        """The job with outputs of this name."""
        own = "" if stem == plain_stem(self.path) else stem
        return self if own == self.own_stem else replace(self, own_stem=own)

    def moved(self, path: str) -> "Job":
        """The job of a file that is elsewhere now; the name of its outputs stays."""
        return replace(self, path=path, own_stem=self.stem).called(self.stem)

    @property
    def stem(self) -> str:
        """The name of its outputs, as in `own_stem`; never empty."""
        return self.own_stem or plain_stem(self.path)

    @property
    def in_full(self) -> "Job":
        """The job with its `own_stem` in any case, for those who read it as JSON."""
        return replace(self, own_stem=self.stem)

    @property
    def file(self) -> Path:
        """The file on disk."""
        return text_to_path(self.path)

    @property
    def name(self) -> str:
        """The file's name, for people; may hold any character a file system allows."""
        return self.file.name

    @property
    def duration(self) -> float:
        """Seconds of audio, as far as known; 0 if not."""
        if self.media is None:
            return 0.0
        return self.media.decoded if self.media.decoded is not None else self.media.duration

    @property
    def is_finished(self) -> bool:
        """No more work will be done on it unless the user asks."""
        return not isinstance(self.state, Pending | Processing)


def status_word(state: State) -> str:
    """The state's name in the session file and on the row: pending, processing, ..."""
    return str(state.__struct_config__.tag)


def answers_to(job: Job, word: str) -> bool:
    """Whether the job's state begins with the word; `check`: it has passages to check."""
    if word == "check":
        return bool(getattr(job.state, "findings", ()))
    return status_word(job.state).startswith(word)
