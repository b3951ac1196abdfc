"""Benchmark: measures the speed and memory of settings on this machine, with real engines."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Literal

import msgspec

from fwtui.batch.estimate import Performance, PerformanceHistory
from fwtui.config.fields import Value, apply, fields_by_key
from fwtui.core.failure import Failure
from fwtui.core.paths import path_to_text
from fwtui.core.settings import ComputeType, Settings
from fwtui.engine.client import COMMAND, EngineClient
from fwtui.engine.protocol import (
    CleanedUp,
    Fatal,
    FileFailed,
    FileFinished,
    FileStarted,
    Ready,
    Shutdown,
    Transcribe,
    WindowDone,
)
from fwtui.errors import EngineError
from fwtui.memory.gpu import GpuMeter

_SAMPLE_SECONDS = 0.2
# Of cases that reach this share of the best speed, the one with the least memory is best.
_FAST_ENOUGH = 0.95


class Case(msgspec.Struct, frozen=True):
    """Settings to try. `batch_size` 1 is sequential; `workers` engines work at the same time."""

    compute_type: ComputeType
    batch_size: int = 1
    workers: int = 1

    def settings(self, settings: Settings) -> Settings:
        """The user's settings with those of the case; the workers share the processors."""
        values: dict[str, Value] = {
            "model.compute_type": self.compute_type,
            "decoding.batched": self.batch_size > 1,
            "decoding.batch_size": self.batch_size if self.batch_size > 1 else None,
        }
        if self.workers > 1 and settings.model.threads == 0:
            values["model.threads"] = max(1, (os.cpu_count() or 1) // self.workers)
        return apply(settings, values)

    def profile(self) -> dict[str, Value]:
        """The settings of this case, by key."""
        values: dict[str, Value] = {
            "model.compute_type": self.compute_type,
            "decoding.batched": self.batch_size > 1,
            "decoding.batch_size": self.batch_size if self.batch_size > 1 else None,
            "batch.workers": self.workers,
        }
        return {key: value for key, value in values.items() if key in fields_by_key()}


class Outcome(msgspec.Struct, frozen=True):
    """Result of a case: audio seconds per second of all workers, seconds to load, MB.

    `failure` is empty if it succeeded.
    """

    case: Case
    speed: float = 0.0
    load_seconds: float = 0.0
    ram: float = 0.0
    gpu: float = 0.0
    failure: str = ""


def cases(
    compute_types: Sequence[ComputeType], batch_sizes: Sequence[int], workers: Sequence[int]
) -> tuple[Case, ...]:
    """All combinations."""
    return tuple(Case(*each) for each in product(compute_types, batch_sizes, workers))


def usual_cases(device: Literal["cpu", "cuda"]) -> tuple[Case, ...]:
    """The cases worth trying on a device."""
    if device == "cuda":
        return cases(("float16", "int8_float16"), (1, 8, 16), (1,))
    most = (os.cpu_count() or 1) // 2
    return cases(("int8", "float32"), (1, 4), (1, 2) if most > 1 else (1,))


def best(outcomes: Sequence[Outcome], free: float) -> Outcome | None:
    """The outcome to recommend: of those that are about as fast, the one with the least memory.

    `free`: MB that all its workers must fit into. None if nothing worked.
    """
    fitting = [each for each in outcomes if not each.failure and each.ram <= free]
    if not fitting:
        return None
    enough = _FAST_ENOUGH * max(each.speed for each in fitting)
    return min(
        (each for each in fitting if each.speed >= enough), key=lambda each: each.ram + each.gpu
    )


class Bench:
    """Transcribes one file with several settings; `scratch`: the folder for its decoded audio."""

    def __init__(
        self,
        settings: Settings,
        file: Path,
        scratch: Path,
        history: PerformanceHistory,
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        self._settings = settings
        self._file = file
        self._scratch = scratch
        self._history = history
        self._command = command
        self._gpus = GpuMeter()

    def run(
        self, tried: Sequence[Case], begins: Callable[[int, Case], None] = lambda *_: None
    ) -> Iterator[Outcome]:
        """Run the cases one after the other."""
        for number, case in enumerate(tried):
            begins(number, case)
            yield self._try(case)

    def _try(self, case: Case) -> Outcome:
        settings = case.settings(self._settings)
        before = {gpu.index: gpu.used for gpu in self._gpus.read()}
        runs = [
            _EngineRun(
                settings, self._file, self._scratch / f"tmp-bench-{number}.wav", self._command
            )
            for number in range(case.workers)
        ]
        grown = 0.0
        try:
            while any(run.is_working for run in runs):
                for gpu in self._gpus.read():
                    grown = max(grown, gpu.used - before.get(gpu.index, gpu.used))
                time.sleep(_SAMPLE_SECONDS)
        finally:
            for run in runs:
                run.stop()
        failure = next((run.failure for run in runs if run.failure), None)
        if failure is not None:
            return Outcome(case, failure=str(failure))
        wall = max(run.ended for run in runs) - min(run.began for run in runs)
        audio = sum(run.audio for run in runs)
        ram = sum(run.peak for run in runs)
        if case.workers == 1:
            (run,) = runs
            self._history.add(settings, Performance(run.audio, run.worked, ram, grown))
        load = max(run.load_seconds for run in runs)
        return Outcome(case, audio / wall if wall > 0 else 0.0, load, ram, grown)


class _EngineRun:
    """One engine that transcribes the file, from its start to its end, in a thread."""

    def __init__(self, settings: Settings, file: Path, wav: Path, command: tuple[str, ...]) -> None:
        self.failure: Failure | None = None
        self.began = self.ended = self.audio = self.worked = 0.0
        self.load_seconds = self.peak = 0.0
        self._wav = wav
        self._client = EngineClient(settings.model, lambda _: None, command)
        self._client.send(
            Transcribe(
                job=1,
                path=path_to_text(file),
                decoding=settings.decoding,
                text_hash=settings.text_hash(),
                scratch=path_to_text(wav),
            )
        )
        self._thread = threading.Thread(target=self._work, name="bench", daemon=True)
        self._thread.start()

    @property
    def is_working(self) -> bool:
        """Whether the engine is still running."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Kill the engine if it is still running, and delete its scratch file."""
        self._client.kill()
        self._thread.join()
        self._wav.unlink(missing_ok=True)

    def _work(self) -> None:
        try:
            for reply in self._client.replies():
                match reply:
                    case Ready(load_seconds=seconds):
                        self.load_seconds = seconds
                    case FileStarted(plan=plan):
                        self.began, self.audio = time.monotonic(), plan.duration
                    case WindowDone(worked=worked):
                        self.worked += worked
                    case FileFinished():
                        self.ended = time.monotonic()
                    case CleanedUp(peak=peak):
                        self.peak = peak
                        if self.ended:
                            self._client.send(Shutdown())
                    case Fatal(failure=failure) | FileFailed(failure=failure):
                        self.failure = failure
                        self._client.kill()
                    case _:
                        pass
        except EngineError:
            self._client.kill()
        ended = self._client.wait()
        if self.failure is None and not self.ended:
            self.failure = ended.failure
