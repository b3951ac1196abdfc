"""Protocol between parent and engine process: one JSON object per line, typed and versioned.

Requests go down the child's stdin, replies come up its stdout. Every reply about a file names
its job, so that several jobs can be in progress: one or, in batched mode, several in the model,
others prepared or being prepared.
"""

from typing import Literal

import msgspec

from fwtui.core.events import Level
from fwtui.core.failure import Failure
from fwtui.core.job import JobId, MediaInfo
from fwtui.core.session import FilePlan, ResumePoint, WindowResult
from fwtui.core.settings import DecodingSettings, ModelSettings, QualitySettings
from fwtui.core.voices import SpeakerGroup, SpeakerTask, SpeakerTurns

PROTOCOL = 3


class PipeMessage(msgspec.Struct, frozen=True, tag=True):
    """Base of requests and replies."""


class LoadModel(PipeMessage, frozen=True):
    """Load this model; the first request."""

    model: ModelSettings
    protocol: int = PROTOCOL


class Transcribe(PipeMessage, frozen=True):
    """Prepare this file, and transcribe it when its turn comes.

    `scratch`: the WAV that the engine may create and must delete. `text_hash`: identifies the
    user's options. `resume`: where an earlier attempt got to, used only if the file and the
    options are unchanged. `skip_window`: skip the next window, which has killed the engine before.
    `careful`: the file was in an engine that died, so it is prepared only after the model is
    loaded, and in batched mode transcribed chunk by chunk. `scratch_limit`: bytes that the WAV may
    have (0: no limit). `quality`: what to check meanwhile, which does not change the text;
    `drop_unspoken`: all text without speech is to be found, because it is left out later.
    `speakers`: how to tell the speakers apart; None: not at all.
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
    drop_unspoken: bool = False
    speakers: SpeakerTask | None = None


class KnownSpeakers(PipeMessage, frozen=True):
    """Groups of an earlier attempt, in order; before the `Transcribe` of their job.

    Those of a long file come in several messages.
    """

    job: JobId
    groups: tuple[SpeakerGroup, ...]


class Cancel(PipeMessage, frozen=True):
    """Stop this job at the next window; answered by `FileStopped`."""

    job: JobId


class Hold(PipeMessage, frozen=True):
    """Hold after the current window, or continue; answered by `Held`."""

    on: bool


class CleanUp(PipeMessage, frozen=True):
    """Free memory at the next window; answered by `CleanedUp`."""


class Shutdown(PipeMessage, frozen=True):
    """Finish and exit."""


class Ping(PipeMessage, frozen=True):
    """Check that the engine is alive; answered by `Pong`, whatever the model is doing."""


AnyRequest = LoadModel | KnownSpeakers | Transcribe | Cancel | Hold | CleanUp | Shutdown | Ping


class Ready(PipeMessage, frozen=True):
    """The model is loaded."""

    device: str
    compute_type: str
    load_seconds: float
    pid: int
    protocol: int = PROTOCOL


class FileProbed(PipeMessage, frozen=True):
    """The file could be opened; decoding begins."""

    job: JobId
    media: MediaInfo


class FilePreparing(PipeMessage, frozen=True):
    """`done` of `total` seconds are decoded (total 0: unknown)."""

    job: JobId
    done: float
    total: float


class FilePrepared(PipeMessage, frozen=True):
    """The file is prepared and waits for the model."""

    job: JobId


class InModel(PipeMessage, frozen=True):
    """Exactly these files are in the model from now on."""

    jobs: tuple[JobId, ...]


class FileStarted(PipeMessage, frozen=True):
    """The file is prepared, its language is known, and its first window is next or in the model.

    `restarted` is why the file starts from its beginning again; empty if the journaled progress is
    used, or if there was none.
    """

    job: JobId
    plan: FilePlan
    media: MediaInfo
    resumed: bool
    restarted: str = ""


class WindowDone(PipeMessage, frozen=True):
    """A finished window, or a file's chunks of a finished batch.

    `worked`: seconds that the model worked for it; of a batch, this file's share.
    """

    job: JobId
    result: WindowResult
    worked: float = 0.0


class FileTranscribed(PipeMessage, frozen=True):
    """All windows of the file are done and were sent; its speakers are still to be told apart."""

    job: JobId


class SpeakersHeard(PipeMessage, frozen=True):
    """The voices in the next windows of the file. Comes beside its windows of the model."""

    job: JobId
    group: SpeakerGroup


class SpeakersFound(PipeMessage, frozen=True):
    """Who speaks when in the file, or why that is not known; before its `FileFinished`."""

    job: JobId
    result: SpeakerTurns


class FileFinished(PipeMessage, frozen=True):
    """All windows of the file are done and were sent; its scratch file is deleted.

    If its speakers were to be told apart, that is done, too.

    `changed` is what has changed in the media file since it was read; empty: nothing. `rss`: MB of
    memory that the engine uses, before it frees any.
    """

    job: JobId
    changed: str = ""
    rss: float = 0.0


class FileStopped(PipeMessage, frozen=True):
    """The job was stopped because the parent asked for it. `rss` as in `FileFinished`."""

    job: JobId
    rss: float = 0.0


class FileFailed(PipeMessage, frozen=True):
    """This file cannot be transcribed; the engine continues with the next.

    `shared`: the other files in its batch fail with the same failure. `rss` as in `FileFinished`.
    """

    job: JobId
    failure: Failure
    shared: bool = False
    rss: float = 0.0


class Fatal(PipeMessage, frozen=True):
    """The engine cannot work, and exits."""

    failure: Failure


class Held(PipeMessage, frozen=True):
    """The engine is held (`on`) or works again."""

    on: bool


class CleanedUp(PipeMessage, frozen=True):
    """Memory was freed: after files, after loading, or on request (an alert).

    `freed` in MB; `peak` is the most memory that the engine has ever used, in MB.
    """

    after: Literal["files", "load", "alert"] = "files"
    freed: float = 0.0
    peak: float = 0.0


class Busy(PipeMessage, frozen=True):
    """Seconds that the model has worked and waited, between its first window and its last.

    A hold counts as neither.
    """

    worked: float
    waited: float


class Pong(PipeMessage, frozen=True):
    """The engine is alive; answers `Ping`."""


class Note(PipeMessage, frozen=True):
    """A line for the log."""

    level: Level
    text: str
    job: JobId | None = None


# Replies about one file.
FileReply = (
    FilePreparing
    | FileProbed
    | FilePrepared
    | FileStarted
    | WindowDone
    | FileTranscribed
    | SpeakersHeard
    | SpeakersFound
    | FileFinished
    | FileStopped
    | FileFailed
)
AnyReply = FileReply | Ready | InModel | Fatal | Held | CleanedUp | Busy | Pong | Note

# Replies after which a job has left the engine.
Ending = FileFinished | FileStopped | FileFailed
