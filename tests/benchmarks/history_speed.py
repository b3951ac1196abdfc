"""What the history of batches costs a batch of many short files, without an engine.

python -m tests.benchmarks.history_speed [--files 10000] [--folder FOLDER]
"""

import argparse
import asyncio
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from fwtui.batch.history_recorder import HistoryRecorder
from fwtui.batch.state import BatchState
from fwtui.core.events import BatchFinished, Phase, PhaseChanged
from fwtui.core.job import Processing
from fwtui.outputs.history import TranscribedFile
from fwtui.sessions.store import SessionStore
from tests.outputs.history_samples import SETTINGS, done


class Cost(NamedTuple):
    """Seconds for all files: elapsed, of the processor; the longest pause of the event loop."""

    elapsed: float
    processor: float
    pause: float


async def work(folder: Path, files: int, *, recorded: bool) -> Cost:
    """What the parent process does for each file: two changes, and what is known of it."""
    store = SessionStore.create(folder / "sessions", SETTINGS, datetime.now())
    state = BatchState(store)
    recorder = HistoryRecorder(state) if recorded else None
    await state.add([f"/data/in/talk {number:05}.mp3" for number in range(files)], [])
    pauses = [0.0]
    watching = asyncio.create_task(_watch(pauses))
    began, used = time.monotonic(), time.process_time()
    state.emit(PhaseChanged(Phase.RUNNING))
    for job in tuple(state.queue):
        await state.put(replace(job, state=Processing(datetime.now())))
        end = done(job.id).state
        known = TranscribedFile(
            f"{job.id:032x}", job.id, "s", job.path, (f"/data/out/{job.id}.txt",), datetime.now()
        )
        await asyncio.to_thread(state.history.add, known)
        await state.put(replace(job, state=end))
    state.emit(BatchFinished(files, 0, 0, False, time.monotonic() - began))
    if recorder is not None:
        await recorder.finish()
    cost = Cost(time.monotonic() - began, time.process_time() - used, max(pauses))
    watching.cancel()
    store.close()
    return cost


async def _watch(pauses: list[float]) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(0.01)
        pauses.append(time.monotonic() - before - 0.01)


def main() -> None:
    """Print the costs without and with the history, in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    for recorded in (False, True, False, True):
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            cost = asyncio.run(work(Path(folder), options.files, recorded=recorded))
        print(
            f"{'with' if recorded else 'without':<8} {cost.elapsed:7.1f} s elapsed,"
            f" {cost.processor:6.1f} s of the processor, longest pause {cost.pause * 1000:.0f} ms",
            flush=True,
        )


if __name__ == "__main__":
    main()
