"""`fwtui bench`: measure the speed and memory use of settings on this machine."""

import asyncio
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Literal, TypeVar, cast, get_args

import click
import msgspec

from fwtui.batch.estimate import Performance, PerformanceHistory
from fwtui.cli.console import Console
from fwtui.cli.models import ensure_downloaded
from fwtui.cli.options import (
    SettingsCommand,
    Switch,
    fwtui_command,
    settings_from,
    settings_options,
)
from fwtui.config.fields import Value, apply, fields_by_key
from fwtui.config.locations import Locations
from fwtui.config.validate import validated
from fwtui.core.failure import Failure
from fwtui.core.paths import expand_home, path_to_text
from fwtui.core.settings import ComputeType, Settings
from fwtui.core.text import printable
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
from fwtui.errors import EngineError, ExitCode, FwtuiError, UsageError
from fwtui.memory.gpu import GpuMeter

T = TypeVar("T")

MOST_WORKERS = 64
MOST_BATCH = 1024
_HEADINGS = ("compute type", "batch", "workers", "speed", "load s", "RAM MB", "GPU MB")


@fwtui_command("bench", SettingsCommand)
@click.argument("file", required=False, type=click.Path(readable=False, path_type=Path))
@click.option("--try_compute_types", metavar="NAMES", help="Compute types to try, comma-separated")
@click.option(
    "--try_batch_sizes", metavar="INTS", help="Batch sizes to try, comma-separated (1 = sequential)"
)
@click.option(
    "--try_workers", metavar="INTS", help="Numbers of parallel engines to try, comma-separated"
)
@click.option("--save", metavar="NAME", help="Save the recommended settings as a profile")
@click.option("--json", cls=Switch, default=False, help="Print the results as JSON on stdout")
@settings_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    file: Path | None,
    try_compute_types: str | None,
    try_batch_sizes: str | None,
    try_workers: str | None,
    save: str | None,
    json: bool,
    **_: Value,
) -> ExitCode:
    """Transcribe FILE (by default a bundled clip) with several combinations of settings.

    Each combination starts a real engine and measures its speed and peak memory. All other settings
    apply as usual: --model, --device, --beam_size and so on. Estimates of time and memory for later
    batches use the results.
    """
    from fwtui.memory.forecast import device_of
    from fwtui.memory.measure import MemoryMeter

    console = Console()
    locations = Locations.default()
    settings = validated(settings_from(ctx, locations))
    file = _media(file)
    reading = MemoryMeter().read()
    usual = usual_cases(device_of(settings, reading.gpus))
    tried = cases(
        _compute_types(try_compute_types) or _distinct(case.compute_type for case in usual),
        _counts(try_batch_sizes, MOST_BATCH) or _distinct(case.batch_size for case in usual),
        _counts(try_workers, MOST_WORKERS) or _distinct(case.workers for case in usual),
    )
    _check_model(settings, console)
    history = PerformanceHistory(locations.history)
    scratch = Path(tempfile.mkdtemp(prefix="bench-", dir=_folder(locations.scratch)))
    outcomes: list[Outcome] = []

    def show_start(number: int, case: "Case") -> None:
        console.live(f"[{number + 1}/{len(tried)}] {_name(case)}")

    try:
        for outcome in Bench(settings, file, scratch, history).run(tried, show_start):
            outcomes.append(outcome)
            history.save()
            console.clear()
            if not console.is_live:
                console.line(f"[{len(outcomes)}/{len(tried)}] {_name(outcome.case)}")
    finally:
        console.clear()
        shutil.rmtree(scratch, ignore_errors=True)
    chosen = best(outcomes, reading.available)
    lines = "\n".join(table(outcomes, chosen))
    click.echo(_as_json(file, settings, outcomes, chosen) if json else lines)
    if chosen is None:
        return ExitCode.SOME_FAILED
    if save is not None:
        _save(locations, save, apply(settings, chosen.case.profile()))
        console.line(
            f"saved as profile {printable(save)} in {printable(str(locations.config_file))}"
        )
    return ExitCode.DONE


def _check_model(settings: Settings, console: Console) -> None:
    """Download the model if it is missing, and check whether it can do what is asked."""
    from fwtui.batch.start_checks import check_settings

    asyncio.run(ensure_downloaded((settings.model,), console))
    for text in check_settings(settings):
        console.line(f"warning: {printable(text)}")


def table(outcomes: Sequence["Outcome"], chosen: "Outcome | None") -> list[str]:
    """The results as aligned lines, the recommended one marked, with failures below."""
    rows = [_HEADINGS, *(_row(outcome) for outcome in outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = []
    for row, outcome in zip(rows, [None, *outcomes], strict=True):
        first = f"{row[0]:<{widths[0]}}"
        rest = (f"{text:>{width}}" for text, width in zip(row[1:], widths[1:], strict=True))
        mark = "  <- recommended" if outcome is not None and outcome is chosen else ""
        lines.append("  ".join([first, *rest]) + mark)
    failed = [outcome for outcome in outcomes if outcome.failure]
    lines += [f"{_name(each.case)}: {printable(each.failure)}" for each in failed]
    return lines


def _row(outcome: "Outcome") -> tuple[str, ...]:
    case = outcome.case
    names = (case.compute_type, str(case.batch_size), str(case.workers))
    if outcome.failure:
        return (*names, "failed", "-", "-", "-")
    return (
        *names,
        f"{outcome.speed:.1f}×",
        f"{outcome.load_seconds:.1f}",
        f"{outcome.ram:.0f}",
        f"{outcome.gpu:.0f}" if outcome.gpu else "-",
    )


def _name(case: "Case") -> str:
    batch = f"batch size {case.batch_size}" if case.batch_size > 1 else "sequential"
    engines = f"{case.workers} engines" if case.workers > 1 else "1 engine"
    return f"{case.compute_type}, {batch}, {engines}"


def _as_json(
    file: Path, settings: Settings, outcomes: Sequence["Outcome"], chosen: "Outcome | None"
) -> bytes:
    found = {
        "model": settings.model.model,
        "file": str(file),
        "results": outcomes,
        "recommended": None if chosen is None else chosen.case.profile(),
    }
    return msgspec.json.format(msgspec.json.encode(found))


def _save(locations: Locations, name: str, settings: Settings) -> None:
    from fwtui.config.profiles import custom_profile
    from fwtui.config.save import save_profile

    save_profile(locations.config_file, custom_profile(name, settings))


def _media(file: Path | None) -> Path:
    """The file as an absolute path, by default the longest bundled clip."""
    if file is None:
        from fwtui import demo

        return demo.clips()[-1]
    path = expand_home(file).absolute()
    if not path.is_file():
        raise UsageError(f"file {printable(str(file))} not found", "give one media file")
    return path


def _folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FwtuiError(
            f"cannot create {folder}: {error.strerror or error}", "check FWTUI_CACHE_DIR"
        ) from error
    return folder


def _distinct(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def _compute_types(text: str | None) -> tuple[ComputeType, ...]:
    names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    for name in names:
        if name not in get_args(ComputeType):
            raise UsageError(
                f"no compute type is called {name!r}",
                f"use one of: {', '.join(get_args(ComputeType))}",
            )
    return cast("tuple[ComputeType, ...]", names)


def _counts(text: str | None, most: int) -> tuple[int, ...]:
    try:
        counts = tuple(int(count) for count in (text or "").split(",") if count.strip())
    except ValueError:
        raise UsageError(f"{text!r} is not a list of whole numbers", "for example: 1,4,8") from None
    if any(not 1 <= count <= most for count in counts):
        raise UsageError(f"{text!r} has a number outside of 1 to {most}", "for example: 1,4,8")
    return counts


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
