"""Messages between fwtui and the child process that downloads models, as JSON lines."""

import msgspec

from fwtui.core.failure import Failure

# Seconds without a sign of life after which the hub is given up.
PATIENCE_SECONDS = 30.0


class Download(msgspec.Struct, frozen=True, tag=True):
    """Download a model into the cache, continuing a partial download, and mend a damaged one.

    `files` of the repository; none: those of a Whisper model.
    """

    repo: str
    cache: str
    patience: float = PATIENCE_SECONDS
    files: tuple[str, ...] = ()


class PlanDownload(msgspec.Struct, frozen=True, tag=True):
    """Report what a download would transfer. `files` as in `Download`."""

    repo: str
    cache: str
    patience: float = PATIENCE_SECONDS
    files: tuple[str, ...] = ()


class Remove(msgspec.Struct, frozen=True, tag=True):
    """Delete a model from the cache."""

    repo: str
    cache: str


AnyRequest = Download | PlanDownload | Remove


class Planned(msgspec.Struct, frozen=True, tag=True):
    """Bytes of all files and of those already downloaded (`here`); `host` is the source."""

    repo: str
    revision: str
    host: str
    total: int
    here: int


class TransferProgress(msgspec.Struct, frozen=True, tag=True):
    """Bytes downloaded so far, and in total."""

    done: int
    total: int


class Checking(msgspec.Struct, frozen=True, tag=True):
    """A file is complete; its checksum is being computed."""

    file: str


class Waiting(msgspec.Struct, frozen=True, tag=True):
    """Nothing has come for `seconds`; `text` says whom it waits for, and until when."""

    text: str
    seconds: float = 0.0


class Done(msgspec.Struct, frozen=True, tag=True):
    """The request succeeded: the `folder` of a downloaded model, or the bytes `freed`."""

    folder: str = ""
    freed: int = 0


class RequestFailed(msgspec.Struct, frozen=True, tag=True):
    """The request failed."""

    failure: Failure


AnyReply = Planned | TransferProgress | Checking | Waiting | Done | RequestFailed
