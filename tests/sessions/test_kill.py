"""A real process, really killed, again and again: what it was told is durable is there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fwtui.core.events import JobsAdded
from fwtui.core.job import Completed
from fwtui.core.settings import Settings
from fwtui.sessions.store import SessionStore
from tests.sessions import samples

WORK = """
import sys
from pathlib import Path
import msgspec
from fwtui.sessions.store import SessionStore
from tests.sessions import samples
store = SessionStore.open(Path(sys.argv[1]), sys.argv[2])
number = int(sys.argv[3])
while True:
    if store.resume_point(1) is None:
        store.begin_file(1, samples.plan())
    store.add_window(1, samples.window(number))
    print(number, flush=True)
    number += 1
    if number % 10 == 0:
        store.compact()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_every_acknowledged_window_survives_kill_9(tmp_path: Path) -> None:
    store = SessionStore.create(tmp_path, Settings(), samples.NOW)
    store.commit(JobsAdded((samples.job(1),)))
    store.close()
    done = 0
    root = Path(__file__).parents[2]
    for patience in (1, 8, 13):
        command: list[str | Path] = [
            sys.executable,
            "-c",
            WORK,
            tmp_path,
            store.session_id,
            str(done + 1),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
            assert process.stdout is not None
            for _ in range(patience):
                told = int(process.stdout.readline())
            os.kill(process.pid, signal.SIGKILL)
            told = max([told, *map(int, process.stdout.read().split())])
        store = SessionStore.open(tmp_path, store.session_id)
        assert store.problems == ()
        numbers = [segment.id for segment in store.segments(1)]
        assert numbers in (list(range(1, told + 1)), list(range(1, told + 2)))
        done = numbers[-1]
        assert not isinstance(store.view.jobs[1].state, Completed)
        store.close()
