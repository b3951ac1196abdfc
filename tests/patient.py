"""fwtui with an engine that waits: `python -m tests.patient [ARGUMENTS]` instead of `-m fwtui`.

After the first window with words of each file the engine waits until it is told to hold, and only
then goes on, at its usual speed. So a test can pause, stop or kill while a file is half done,
however quick or slow the machine is.
"""

import sys
from functools import partial

WAITING = """
from fwtui.engine import child, loop
from fwtui.engine.reporter import Reporter
send_window, rest = loop.WindowDone, Reporter.hold
talking, waited = set(), set()
def note_words(job, result, worked):
    if result.segments:
        talking.add(job)
    return send_window(job, result, worked)
def wait_to_be_held(teller, jobs):
    inbox = teller.inbox
    for job in talking.intersection(jobs) - waited:
        waited.add(job)
        with inbox._changed:
            inbox._changed.wait_for(lambda: inbox._hold_on or inbox.is_cancelled(job))
    return rest(teller, jobs)
loop.WindowDone, Reporter.hold = note_words, wait_to_be_held
child.main()
"""
ENGINE = (sys.executable, "-c", WAITING)


def use_waiting_engine() -> None:
    """Every batch of this process has the engine that waits."""
    from fwtui.batch import workspace
    from fwtui.batch.batch import Batch

    vars(workspace)["Batch"] = partial(Batch, engine=ENGINE)


if __name__ == "__main__":
    use_waiting_engine()
    from fwtui.cli.main import main

    sys.exit(main())
