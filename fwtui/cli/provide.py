"""Models brought to this machine from the command line: never without a word."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fwtui.cli.console import Console
from fwtui.cli.text import clipped, clock
from fwtui.core.settings import ModelSettings
from fwtui.core.text import printable
from fwtui.errors import FwtuiError, ModelAbsentError

if TYPE_CHECKING:
    from fwtui.models.client import Pace

DRAW_SECONDS = 0.1


async def provide(models: Sequence[ModelSettings], console: Console | None) -> None:
    """Have these models on this machine: asks on a terminal, else tells and downloads.

    Raises ModelError: one cannot be had, the user does not want it, or there is no console to
    say anything on.
    """
    from fwtui.models.cache import locate

    for settings in models:
        try:
            await asyncio.to_thread(locate, settings)
        except ModelAbsentError as absent:
            if console is None or not await asyncio.to_thread(_wanted, absent):
                raise
            await bring(settings.model, settings, console)


def _wanted(absent: ModelAbsentError) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    return click.confirm(f"{printable(absent.title)}. Download it?", default=True, err=True)


async def bring(name: str, settings: ModelSettings, console: Console) -> Path:
    """Download a model, with a line that tells what and a live one that tells how far.

    Raises ModelError. When this task is cancelled, what has arrived is kept.
    """
    from fwtui.models.cache import hub_cache
    from fwtui.models.catalogue import megabytes, repo_of
    from fwtui.models.client import Pace, failed, talk
    from fwtui.models.protocol import Checking, Done, Download, Failed, Planned, Progress

    repo, cache = repo_of(name), hub_cache(settings.model_dir)
    pace, said, drawn = Pace(), printable(name), 0.0
    try:
        async with talk(Download(repo, str(cache))) as replies:
            async for reply in replies:
                match reply:
                    case Planned(host=host, total=total, here=here) if here < total:
                        left = megabytes((total - here) / 2**20)
                        begun = f", {megabytes(here / 2**20)} are here already" if here else ""
                        console.line(
                            f"downloading model {said}: {left} from {printable(host)} "
                            f"to {printable(str(cache))}{begun}"
                        )
                    case Progress(done=done, total=total):
                        now = time.monotonic()
                        pace.add(now, done)
                        if now - drawn >= DRAW_SECONDS:
                            drawn = now
                            console.live(
                                clipped(_progress(said, done, total, pace), console.width - 1)
                            )
                    case Checking(file="model.bin"):
                        console.live(clipped(f"{said}: checking", console.width - 1))
                    case Done(folder=folder):
                        console.clear()
                        return Path(folder)
                    case Failed(failure=failure):
                        raise failed(failure)
                    case _:
                        pass
    finally:
        console.clear()
    raise FwtuiError(f"the download of {name} broke off", "the same command goes on")


def _progress(name: str, done: int, total: int, pace: "Pace") -> str:
    from fwtui.models.catalogue import megabytes

    share = 100 * done // total if total else 100
    text = f"{name}: {share} %  {megabytes(done / 2**20)} of {megabytes(total / 2**20)}"
    left = pace.left(total)
    if left is not None:
        text += f"  {megabytes(pace.speed / 2**20)}/s  {clock(left)} left"
    return text
