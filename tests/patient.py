"""fwtui with an engine that waits: `python -m tests.patient [ARGUMENTS]` instead of `-m fwtui`.

After the first window with words of each file the engine waits until it is told to hold, and only
then goes on, at its usual speed. So a test can pause, stop or kill while a file is half done,
however quick or slow the machine is.
"""

import sys
from functools import partial

WAITING = """
from fwtui.engine import child
send_window, at_pause_point = child.Window, child.Engine._pause_point
talking, waited = set(), set()
def note_words(job, result):
    if result.segments:
        talking.add(job)
    return send_window(job, result)
def wait_to_be_held(engine, job):
    if job in talking and job not in waited:
        waited.add(job)
        with engine.changed:
            engine.changed.wait_for(lambda: engine.holding or engine.is_cancelled(job))
    at_pause_point(engine, job)
child.Window, child.Engine._pause_point = note_words, wait_to_be_held
child.main()
"""
ENGINE = (sys.executable, "-c", WAITING)


def use_waiting_engine() -> None:
    """Every batch of this process has the engine that waits."""
    from fwtui.batch import workspace
    from fwtui.batch.runner import BatchRunner

    vars(workspace)["BatchRunner"] = partial(BatchRunner, engine=ENGINE)


if __name__ == "__main__":
    use_waiting_engine()
    from fwtui.cli.main import main

    sys.exit(main())
