"""The fuzzer, long: `python -m tests.fuzz --files 10000`.

Mutated media files go through probe and decode in a process with limits on memory, scratch space
and time; mutated settings, sessions and journals through what reads them. The exit code is 1 if
anything hung, died, took too much or raised what it must not; those files are kept.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from tests.fuzz.documents import try_documents
from tests.fuzz.driver import Feeder, Totals
from tests.fuzz.mutate import mutate
from tests.fuzz.seeds import hostile, make_seeds


def try_media(files: int, seed: int, folder: Path, kept: Path) -> Totals:
    """Hostile files as they are, then `files` mutated ones."""
    seeds, totals = make_seeds(folder), Totals()
    bombs = hostile(folder)
    print(f"seeds: {len(seeds)}, hostile files: {len(bombs)}", flush=True)
    with Feeder(folder) as feeder:
        for number in range(-len(bombs), files):
            random = Random(f"{seed} {number}")
            if number < 0:
                name, data = list(bombs.items())[number]
            else:
                name, data = random.choice(list(seeds.items()))
                data = mutate(data, random)
            path = folder / f"{number}-{name}"
            path.write_bytes(data)
            before = len(totals.problems)
            totals.add(path.name, feeder.try_file(path))
            if len(totals.problems) > before:
                shutil.copy(path, kept)
                print(totals.problems[-1], flush=True)
            path.unlink()
            if number > 0 and number % 1000 == 0:
                print(f"{number} files, {sum(totals.ends.values())} verdicts", flush=True)
    return totals


def main() -> int:
    """Run it as the command line says."""
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="mutated media files")
    parser.add_argument("--documents", type=int, default=2000, help="of each kind of text")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fwtui-fuzz-"))
    kept = folder / "kept"
    kept.mkdir()
    began = time.monotonic()
    totals = try_media(options.files, options.seed, folder, kept)
    problems = try_documents(options.documents, options.seed, folder)
    print(totals)
    print(f"texts: {options.documents} of each kind, problems: {len(problems)}")
    print("\n".join(problems))
    print(f"{time.monotonic() - began:.0f} s; what was found is in {kept}")
    return 1 if totals.problems or problems else 0


if __name__ == "__main__":
    sys.exit(main())
