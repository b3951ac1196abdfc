"""`fwtui bench`: which settings are fastest on this machine, and what memory they take."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast, get_args

import click
import msgspec

from fwtui.cli.arguments import Switch
from fwtui.cli.console import Console
from fwtui.cli.exits import exit_code_help
from fwtui.cli.options import SettingsCommand, settings_from, settings_options
from fwtui.cli.provide import provide
from fwtui.config.checks import usable
from fwtui.config.fields import Value, apply
from fwtui.config.locations import Locations
from fwtui.core.display import printable
from fwtui.core.paths import expand_home
from fwtui.core.settings import ComputeType, Settings
from fwtui.errors import ExitCode, FwtuiError, UsageError

if TYPE_CHECKING:
    from fwtui.batch.bench import Case, Outcome

T = TypeVar("T")

_HEADINGS = ("compute type", "batch", "workers", "x real time", "load s", "RAM MB", "GPU MB")


@click.command(
    "bench",
    cls=SettingsCommand,
    short_help="Measure which settings are fastest on this machine.",
    epilog=exit_code_help(),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--try_compute_types", metavar="NAMES", help="Compute types to try, by commas")
@click.option("--try_batch_sizes", metavar="INTS", help="Batch sizes to try, by commas (1: none)")
@click.option("--try_workers", metavar="INTS", help="Numbers of engines at once, by commas")
@click.option("--save", metavar="NAME", help="Save the recommended settings as a profile")
@click.option("--json", cls=Switch, default=False, help="The results as JSON on stdout")
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
    """Transcribe FILE (one of the embedded clips, if none is given) with several settings.

    For each combination a real engine is started, and its speed and its peak of memory are
    measured. The other settings are yours: --model, --device, --beam_size and so on. Later
    batches know from it how long they will take and how much memory they need.
    """
    from fwtui.batch.bench import Bench, best, cases, usual_cases
    from fwtui.batch.history import History
    from fwtui.memory.forecast import device_of
    from fwtui.memory.measure import MemoryMeter

    console = Console()
    locations = Locations.default()
    settings = usable(settings_from(ctx, locations))
    file = _media(file)
    reading = MemoryMeter().read()
    usual = usual_cases(device_of(settings, reading.gpus))
    tried = cases(
        _compute_types(try_compute_types) or _distinct(case.compute_type for case in usual),
        _counts(try_batch_sizes) or _distinct(case.batch_size for case in usual),
        _counts(try_workers) or _distinct(case.workers for case in usual),
    )
    asyncio.run(provide((settings.model,), console))
    history = History(locations.history)
    scratch = Path(tempfile.mkdtemp(prefix="bench-", dir=_folder(locations.scratch)))
    outcomes: list[Outcome] = []

    def begins(number: int, case: "Case") -> None:
        console.live(f"[{number + 1}/{len(tried)}] {_name(case)} ...")

    try:
        for outcome in Bench(settings, file, scratch, history).run(tried, begins):
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
    """The results as aligned lines, the recommended one marked, and the failures below."""
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
        f"{outcome.speed:.1f}",
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
    from fwtui.config.own import save_profile
    from fwtui.config.profiles import own_profile

    save_profile(locations.config_file, own_profile(name, settings))


def _media(file: Path | None) -> Path:
    """The file as a whole path; the longest embedded clip if there is none."""
    if file is None:
        from fwtui import demo

        return demo.clips()[-1]
    whole = expand_home(file).absolute()
    if not whole.is_file():
        raise UsageError(f"there is no file {printable(str(file))}", "give one media file")
    return whole


def _folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FwtuiError(
            f"{folder} cannot be made: {error.strerror or error}", "check FWTUI_CACHE_DIR"
        ) from error
    return folder


def _distinct(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def _compute_types(text: str | None) -> tuple[ComputeType, ...]:
    names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    for name in names:
        if name not in get_args(ComputeType):
            raise UsageError(
                f"there is no compute type {name!r}", f"one of {', '.join(get_args(ComputeType))}"
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
