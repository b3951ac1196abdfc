"""The engine child process: `python -m fwtui.engine.child`.

The main thread runs the model (`loop`); a prepare thread prepares the next files (`preparer`); a
reader thread reads requests (`inbox`) and ends the process when the parent has exited, whatever the
other threads are doing.
"""

import contextlib
import faulthandler
import os
import signal
import threading
import traceback
from pathlib import Path

from fwtui.engine.inbox import Channel, Inbox
from fwtui.engine.loop import EngineLoop
from fwtui.engine.preparer import Preparer

NICENESS = 5
OOM_SCORE = "500"  # of 1000: the kernel kills the engine, which can be replaced, before the rest


def lower_priority() -> None:
    """Lower the priority below the user interface and the rest of the machine."""
    with contextlib.suppress(OSError):  # a sandbox may forbid it
        if hasattr(os, "nice"):
            os.nice(NICENESS)
        score = Path("/proc/self/oom_score_adj")
        if score.exists():
            score.write_text(OOM_SCORE)


def ignore_signals() -> None:
    """Ignore Ctrl-C and hang-up, which reach the whole process group; the parent decides."""
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def main() -> None:
    """Run the engine; never returns."""
    channel = Channel.take_stdout()
    faulthandler.enable()
    if hasattr(faulthandler, "register"):  # POSIX; the parent asks a stalled engine for its stacks
        faulthandler.register(signal.SIGUSR1)
    ignore_signals()
    lower_priority()
    inbox = Inbox(channel)
    threading.Thread(target=inbox.read_requests, name="requests", daemon=True).start()
    threading.Thread(target=Preparer(inbox).run, name="prepare", daemon=True).start()
    code = 70
    try:
        code = EngineLoop(inbox).run()
    except BrokenPipeError:
        code = 0
    except Exception:  # noqa: BLE001  the process's outermost frame: the parent reads stderr
        traceback.print_exc()
    finally:
        inbox.end(code)


if __name__ == "__main__":
    main()
