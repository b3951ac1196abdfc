"""How long waiting files are, found out beside the model's work. Runs in a thread of the child."""

from fwtui.audio.probe import probe
from fwtui.core.paths import text_to_path
from fwtui.engine.inbox import Inbox
from fwtui.engine.protocol import Measured
from fwtui.errors import FwtuiError


def measure_files(inbox: Inbox) -> None:
    """Answer each request; ends with the process. A file on a share that hangs holds up only us."""
    while True:
        request = inbox.to_measure.get()
        try:
            media = probe(text_to_path(request.path))
        except (FwtuiError, OSError, ValueError):  # its turn will tell
            media = None
        try:
            inbox.channel.send(Measured(request.job, media))
        except BrokenPipeError:
            return  # the parent is gone, which the others notice too
