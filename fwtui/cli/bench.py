"""`fwtui bench`: measure the speed and memory use of settings on this machine."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast, get_args

import click
import msgspec

from fwtui.cli.console import Console
from fwtui.cli.models import ensure_downloaded
from fwtui.cli.options import (
    SettingsCommand,
    Switch,
    fwtui_command,
    settings_from,
    settings_options,
)
from fwtui.config.fields import Value, apply
from fwtui.config.locations import Locations
from fwtui.config.validate import validated
from fwtui.core.paths import expand_home
from fwtui.core.settings import ComputeType, Settings
from fwtui.core.text import printable
from fwtui.errors import ExitCode, FwtuiError, UsageError

if TYPE_CHECKING:
    from fwtui.batch.benchmark import Case, Outcome

T = TypeVar("T")

_HEADINGS = ("compute type", "batch", "workers", "speed", "load s", "RAM MB", "GPU MB")


@fwtui_command("bench", SettingsCommand)
@click.argument("file", required=False, type=click.Path(path_type=Path))
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
    from fwtui.batch.benchmark import Bench, best, cases, usual_cases
    from fwtui.batch.estimate import PerformanceHistory
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
        _counts(try_batch_sizes) or _distinct(case.batch_size for case in usual),
        _counts(try_workers) or _distinct(case.workers for case in usual),
    )
    asyncio.run(ensure_downloaded((settings.model,), console))
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
    if json:
        click.echo(_as_json(file, settings, outcomes, chosen))
    else:
        for line in table(outcomes, chosen):
            click.echo(line)
    if chosen is None:
        return ExitCode.SOME_FAILED
    if save is not None:
        _save(locations, save, apply(settings, chosen.case.profile()))
        console.line(
            f"saved as profile {printable(save)} in {printable(str(locations.config_file))}"
        )
    return ExitCode.DONE


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


def _counts(text: str | None) -> tuple[int, ...]:
    try:
        counts = tuple(int(count) for count in (text or "").split(",") if count.strip())
    except ValueError:
        raise UsageError(f"{text!r} is not a list of whole numbers", "for example: 1,4,8") from None
    if any(count < 1 for count in counts):
        raise UsageError(f"{text!r} has a number below 1", "for example: 1,4,8")
    return counts
