"""The crash matrix, long: `python -m tests.crash --kills 200`.

Dies at every storage call of a batch and of a resumed one, then `--kills` times at random
instants and in a row within one file. The exit code is 1 if anything was lost, done twice or
left over; the folders of those batches stay for a look.
"""

import argparse
import itertools
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import msgspec

from tests.crash import plans
from tests.crash.life import Kill
from tests.crash.scenario import Bench
from tests.crash.totals import Totals

ON_SCREEN = 0.25  # of the batches that are killed outside of storage calls
Plan = tuple[Bench, list[Kill]]


class Matrix:
    """Hands out plans to the workers until all is tried or the time is over."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder = folder
        self.totals = Totals()
        self._kills: int = options.kills
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        pair = Bench.make(folder / "pair", plans.PAIR)
        mixed = Bench.make(folder / "mixed", plans.MIXED)
        seams = [] if options.no_calls else list(plans.every_call(pair))
        on_screen = msgspec.structs.replace(mixed, on_screen=True)
        print(f"storage calls to die in: {len(seams)}", flush=True)
        random = Random(options.seed)
        random.shuffle(seams)
        self._limit = time.monotonic() + 60 * options.minutes
        self._plans = by_turns(
            ((pair, kills) for kills in seams), self._random(mixed, on_screen, random)
        )

    def _random(self, plain: Bench, on_screen: Bench, random: Random) -> Iterator[Plan]:
        for kills in plans.random_batches(plain, random):
            if self.totals.elsewhere >= self._kills:
                return
            bench = on_screen if random.random() < ON_SCREEN else plain
            yield bench, kills
            if random.random() < 0.1:
                yield bench, plans.in_a_row(min(4, bench.windows))

    def work(self) -> None:
        """One worker: one batch after the other."""
        while (plan := self._next()) is not None:
            bench, kills = plan
            outcome = bench.play(self.folder / f"batch-{next(self._numbers)}", kills)
            with self._lock:
                self.totals.add(outcome)
                for problem in outcome.problems:
                    print(f"PROBLEM: {problem}\n  {outcome}", flush=True)
                if self.totals.batches % 20 == 0:
                    print(f"{self.totals.batches} batches", flush=True)

    def _next(self) -> Plan | None:
        with self._lock:
            return next(self._plans, None) if time.monotonic() < self._limit else None


def by_turns(first: Iterator[Plan], second: Iterator[Plan]) -> Iterator[Plan]:
    """One of each as long as there are both, so that a run that is cut short has tried both."""
    for pair in itertools.zip_longest(first, second):
        yield from (plan for plan in pair if plan is not None)


def main() -> int:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser("python -m tests.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, help="outside of storage calls")
    parser.add_argument("--no-calls", action="store_true", help="no kills in storage calls")
    parser.add_argument("--minutes", type=float, default=24 * 60.0, help="begin no batch after")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="batches at a time")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fwtui-crash-"))
    began = time.monotonic()
    print(f"seed {options.seed}, in {folder}", flush=True)
    matrix = Matrix(folder, options)
    with ThreadPoolExecutor(options.workers) as pool:
        for worker in [pool.submit(matrix.work) for _ in range(options.workers)]:
            worker.result()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(matrix.totals)
    print(f"{time.monotonic() - began:.0f} s, CPU {used.ru_utime + used.ru_stime:.0f} s")
    return 1 if matrix.totals.failed else 0


if __name__ == "__main__":
    sys.exit(main())
