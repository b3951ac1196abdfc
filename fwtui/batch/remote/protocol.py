"""Protocol between a batch and an attached user interface: typed, versioned JSON lines.

Commands and events are sent as they are; the messages here come in addition. The client sends the
first line.
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
# What a batch runs in: a screen, `fwtui run`, or a process without a terminal.
Where = Literal["screen", "run", "background"]
# A snapshot of 100,000 files is 30 MB; both ends belong to the same user.
LONGEST_LINE = 1 << 28
# Of a client that has not said who it is.
LONGEST_HELLO = 1 << 16


class LinkMessage(msgspec.Struct, frozen=True, tag=True):
    """Base of all messages that are neither commands nor events."""


class Hello(LinkMessage, frozen=True):
    """The client's first line. `token` is the secret of an endpoint that other users can reach."""

    protocol: int = PROTOCOL
    version: str = __version__
    token: str = ""


class Welcome(LinkMessage, frozen=True):
    """The answer to a client of the same version; a snapshot, a recap and all events follow.

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


class Refused(LinkMessage, frozen=True):
    """The answer to any other client, and the last line."""

    title: str
    hint: str = ""


class End(LinkMessage, frozen=True):
    """Stop the batch and end its process, unless that has a screen."""


class AskTranscript(LinkMessage, frozen=True):
    """Request for the transcript of a job; `number` is repeated in the answer."""

    number: int
    job: JobId


class HaveTranscript(LinkMessage, frozen=True):
    """The transcript so far; `error` says why it cannot be read."""

    number: int
    transcript: Transcript
    error: str = ""


class Ended(LinkMessage, frozen=True):
    """The batch has ended and released its session; the last line."""


FromClient = End | AskTranscript | AnyCommand
FromBatch = AnyEvent | HaveTranscript | Ended


def line(message: LinkMessage | AnyCommand | AnyEvent) -> bytes:
    """A message as a line of JSON."""
    try:
        return msgspec.json.encode(message) + b"\n"
    except UnicodeEncodeError:  # an undecodable file name in the text of an error
        return msgspec.json.encode(clean(msgspec.to_builtins(message))) + b"\n"


def refusal(hello: Hello, pid: int) -> Refused | None:
    """Why a client cannot be served; None if it can. Versions must be equal."""
    if (hello.protocol, hello.version) == (PROTOCOL, __version__):
        return None
    return Refused(
        f"This batch is run by fwtui {__version__} (protocol {PROTOCOL}); this is fwtui"
        f" {hello.version} (protocol {hello.protocol})",
        f"use fwtui {__version__}, wait until the batch has ended, or stop it with: kill {pid}"
        " (it can be resumed afterwards)",
    )
