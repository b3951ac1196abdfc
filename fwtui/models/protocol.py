"""What is said between fwtui and the child that talks to Hugging Face's hub: JSON lines."""

import msgspec

from fwtui.core.failure import Failure


class Download(msgspec.Struct, frozen=True, tag=True):
    """Bring a model into the cache, going on where an earlier attempt ended."""

    repo: str
    cache: str


class PlanDownload(msgspec.Struct, frozen=True, tag=True):
    """Say what a download would bring."""

    repo: str
    cache: str


class Remove(msgspec.Struct, frozen=True, tag=True):
    """Delete what the cache has of a model."""

    repo: str
    cache: str


AnyRequest = Download | PlanDownload | Remove


class Planned(msgspec.Struct, frozen=True, tag=True):
    """Bytes of all files, and of those that are here already; `host` is where they come from."""

    repo: str
    revision: str
    host: str
    total: int
    here: int


class DownloadProgress(msgspec.Struct, frozen=True, tag=True):
    """Bytes that are here, of all."""

    done: int
    total: int


class Checking(msgspec.Struct, frozen=True, tag=True):
    """All of a file is here; its checksum is computed."""

    file: str


class Done(msgspec.Struct, frozen=True, tag=True):
    """It worked. `folder` of the model, or the bytes that became free."""

    folder: str = ""
    freed: int = 0


class RequestFailed(msgspec.Struct, frozen=True, tag=True):
    """It did not work."""

    failure: Failure


AnyReply = Planned | DownloadProgress | Checking | Done | RequestFailed
