"""What parent and engine child say to each other: one JSON object a line, typed and versioned.

Requests go down the child's stdin, replies come up its stdout. Every reply about a file names
its job, so several jobs can be under way: one or, in batched mode, several in the model, others
prepared or being prepared.
"""

from typing import Literal

import msgspec

from fwtui.core.events import Level
from fwtui.core.failure import Failure
from fwtui.core.job import JobId, MediaInfo
from fwtui.core.session import FilePlan, ResumePoint, WindowResult
from fwtui.core.settings import DecodingSettings, ModelSettings, QualitySettings

PROTOCOL = 2


class Message(msgspec.Struct, frozen=True, tag=True):
    """The root of requests and replies."""


class Load(Message, frozen=True):
    """First request: load this model."""

    model: ModelSettings
    protocol: int = PROTOCOL


class Transcribe(Message, frozen=True):
    """Prepare this file, and transcribe it when its turn comes.

    `scratch` is the WAV that the child may create and must delete; `text_hash` identifies the
    user's options; `resume` is where an earlier attempt got to, used only if the file and the
    options are still the same; `skip_window` leaves out the next window, which has killed
    the engine before. `careful`: the file has been in an engine that died, so it is prepared only
    when the model is loaded, and in batched mode goes through it chunk by chunk. `scratch_limit`
    is how many bytes the WAV may have (0: any number); `quality` is what is to be looked for on
    the way, which changes nothing in the text.
    """

    job: JobId
    path: str
    decoding: DecodingSettings
    text_hash: str
    scratch: str
    resume: ResumePoint | None = None
    skip_window: bool = False
    careful: bool = False
    scratch_limit: int = 0
    quality: QualitySettings = QualitySettings()


class Cancel(Message, frozen=True):
    """Give this job up at the next window; answered by `Stopped`."""

    job: JobId


class Hold(Message, frozen=True):
    """Rest after the current window, or go on; answered by `Held`."""

    on: bool


class CleanUp(Message, frozen=True):
    """Give memory back at the next window; answered by `CleanedUp`."""


class Shutdown(Message, frozen=True):
    """End in an orderly way."""


class Ping(Message, frozen=True):
    """Give a sign of life; answered by `Pong`, whatever the model is doing."""


AnyRequest = Load | Transcribe | Cancel | Hold | CleanUp | Shutdown | Ping


class Ready(Message, frozen=True):
    """The model is loaded."""

    device: str
    compute_type: str
    load_seconds: float
    pid: int
    protocol: int = PROTOCOL


class Probed(Message, frozen=True):
    """The file could be opened; decoding begins."""

    job: JobId
    media: MediaInfo


class Preparing(Message, frozen=True):
    """`done` of `total` seconds are decoded (total 0: unknown)."""

    job: JobId
    done: float
    total: float


class Waiting(Message, frozen=True):
    """The file is prepared and waits for the model."""

    job: JobId


class InModel(Message, frozen=True):
    """These files, and no others, are in the model from now on."""

    jobs: tuple[JobId, ...]


class Started(Message, frozen=True):
    """The file is prepared, its language known, and its first window is next or in the model.

    `restarted` is empty when the journaled progress is used or there was none; otherwise it says
    why the file begins at its start again.
    """

    job: JobId
    plan: FilePlan
    media: MediaInfo
    resumed: bool
    restarted: str = ""


class Window(Message, frozen=True):
    """A finished window, or a file's chunks of a finished batch.

    `worked` are the seconds that the model worked for it: of a batch, this file's share.
    """

    job: JobId
    result: WindowResult
    worked: float = 0.0


class Finished(Message, frozen=True):
    """All windows of the file are done and were sent; its scratch file is deleted.

    `changed` says what has become of the media file since it was read; empty: nothing.
    """

    job: JobId
    changed: str = ""


class Stopped(Message, frozen=True):
    """The job was given up because the parent asked for it."""

    job: JobId


class FileFailed(Message, frozen=True):
    """This file cannot be transcribed; the engine goes on with the next.

    `shared`: the same is told of the other files in its batch.
    """

    job: JobId
    failure: Failure
    shared: bool = False


class Fatal(Message, frozen=True):
    """The engine cannot work and ends."""

    failure: Failure


class Held(Message, frozen=True):
    """The engine rests (`on`) or works again."""

    on: bool


class CleanedUp(Message, frozen=True):
    """Memory was given back: after files, after loading, or because it was asked for (an alert).

    `freed` MB; `peak` is the most that the engine has ever used, in MB.
    """

    after: Literal["files", "load", "alert"] = "files"
    freed: float = 0.0
    peak: float = 0.0


class Busy(Message, frozen=True):
    """How many seconds the model has worked and waited, between its first window and its last.

    A pause counts as neither.
    """

    worked: float
    waited: float


class Pong(Message, frozen=True):
    """A sign of life."""


class Note(Message, frozen=True):
    """A line for the log."""

    level: Level
    text: str
    job: JobId | None = None


# Replies about one file.
FileReply = Preparing | Probed | Waiting | Started | Window | Finished | Stopped | FileFailed
AnyReply = FileReply | Ready | InModel | Fatal | Held | CleanedUp | Busy | Pong | Note

# Replies that end a job's stay in the engine.
Ending = Finished | Stopped | FileFailed
