"""The engine child process: `python -m fwtui.engine.child`.

The main thread runs the model (`worker`); a prepare thread gets the next files ready (`preparer`);
a reader thread takes requests (`inbox`) and ends the process when the parent is gone, whatever the
others are doing.
"""

import contextlib
import faulthandler
import os
import signal
import threading
import traceback
from pathlib import Path

from fwtui.engine.channel import Channel
from fwtui.engine.inbox import Inbox
from fwtui.engine.preparer import Preparer
from fwtui.engine.worker import Worker

NICENESS = 5
OOM_SCORE = "500"  # of 1000: the kernel takes the engine, which can be replaced, before the rest


def lower_priority() -> None:
    """Let the user interface and the rest of the machine go first."""
    with contextlib.suppress(OSError):  # a sandbox may forbid it
        if hasattr(os, "nice"):
            os.nice(NICENESS)
        score = Path("/proc/self/oom_score_adj")
        if score.exists():
            score.write_text(OOM_SCORE)


def leave_signals_to_the_parent() -> None:
    """Ctrl-C and a hang-up reach the whole group; what they mean is the parent's decision."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def main() -> None:
    """Run the child; never returns."""
    channel = Channel.take_stdout()
    faulthandler.enable()
    if hasattr(faulthandler, "register"):  # POSIX: the parent asks a stalled engine for its stacks
        faulthandler.register(signal.SIGUSR1)
    leave_signals_to_the_parent()
    lower_priority()
    inbox = Inbox(channel)
    threading.Thread(target=inbox.read_requests, name="requests", daemon=True).start()
    threading.Thread(target=Preparer(inbox).run, name="prepare", daemon=True).start()
    code = 70
    try:
        code = Worker(inbox).run()
    except BrokenPipeError:
        code = 0
    except Exception:  # noqa: BLE001  the process's outermost frame: the parent reads stderr
        traceback.print_exc()
    finally:
        inbox.end(code)


if __name__ == "__main__":
    main()
