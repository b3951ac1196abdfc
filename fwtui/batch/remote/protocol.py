"""What a batch and an attached user interface say to each other: JSON lines, typed, versioned.

Commands and events go over the wire as they are; the messages here are what must be said beside
them. The client speaks first.
"""

from datetime import datetime
from typing import Literal

import msgspec

from fwtui import __version__
from fwtui.core.commands import AnyCommand
from fwtui.core.events import AnyEvent
from fwtui.core.job import JobId
from fwtui.core.segment import Transcript
from fwtui.disk.codec import clean

PROTOCOL = 1
# What a batch runs in: a screen, `fwtui run`, or nothing that anybody can see.
Where = Literal["screen", "run", "background"]
# A snapshot of 100,000 files is 30 MB; both ends belong to the same user.
LONGEST_LINE = 1 << 28


class Message(msgspec.Struct, frozen=True, tag=True):
    """The root of all messages that are neither command nor event."""


class Hello(Message, frozen=True):
    """The client's first line. `token` is the secret of an address that others can reach."""

    protocol: int = PROTOCOL
    version: str = __version__
    token: str = ""


class Welcome(Message, frozen=True):
    """The answer to a client of this version; a snapshot, a recap and all events follow.

    `log` is the path of the session's log file.
    """

    protocol: int
    version: str
    session_id: str
    host: str
    pid: int
    since: datetime
    where: Where
    log: str = ""


class Refused(Message, frozen=True):
    """The answer to anybody else, and the last line."""

    title: str
    hint: str = ""


class End(Message, frozen=True):
    """Stop the batch, and end the process that works on it, unless that is somebody's screen."""


class AskTranscript(Message, frozen=True):
    """The client wants the transcript of a job; `number` is repeated in the answer."""

    number: int
    job: JobId


class HaveTranscript(Message, frozen=True):
    """The transcript, as far as there is one; `error` says why it cannot be read."""

    number: int
    transcript: Transcript
    error: str = ""


class Ended(Message, frozen=True):
    """The batch has ended in an orderly way: the last line. Its session is let go."""


FromClient = End | AskTranscript | AnyCommand
FromBatch = AnyEvent | HaveTranscript | Ended


def line(message: Message | AnyCommand | AnyEvent) -> bytes:
    """A message as it goes over the wire."""
    try:
        return msgspec.json.encode(message) + b"\n"
    except UnicodeEncodeError:  # an undecodable file name in the text of an error
        return msgspec.json.encode(clean(msgspec.to_builtins(message))) + b"\n"


def refusal(hello: Hello, pid: int) -> Refused | None:
    """Why a client cannot be served; None: it can. Its version must be ours exactly."""
    if (hello.protocol, hello.version) == (PROTOCOL, __version__):
        return None
    return Refused(
        f"This batch is run by fwtui {__version__} (protocol {PROTOCOL}), and you use fwtui"
        f" {hello.version} (protocol {hello.protocol})",
        f"use fwtui {__version__}, wait until the batch has ended, or stop it with: kill {pid};"
        " it can be resumed then",
    )
