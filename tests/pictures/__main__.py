"""Pictures of every screen and dialog, from a real batch in a real terminal (tmux):

    python -m tests.pictures [--size 80x24] [FOLDER]

By default in 80x24, 120x40 and 200x60, into out/pictures, with the demo model and its clips. With
FWTUI_REAL (the folder of a model) and FWTUI_REAL_MEDIA (a folder of recordings) the batch is of
these. Pictures are SVG. The exit code is 1, with a sentence that says what was missing, if a screen
does not come up.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.pictures.tour import PARTS, demo_batch, prepare
from tests.pictures.walk import ROOT, ScreenMissing, Walk, environment_problem, real_batch

SIZES = ((80, 24), (120, 40), (200, 60))


def _size(text: str) -> tuple[int, int]:
    cells, lines = map(int, text.split("x"))
    return cells, lines


def main() -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser("python -m tests.pictures", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "out" / "pictures")
    parser.add_argument("--size", type=_size, action="append", help="such as 120x40; repeatable")
    options = parser.parse_args()
    if problem := environment_problem():
        print(problem, file=sys.stderr)
        return 1
    batch = real_batch() or demo_batch()
    for size in options.size or SIZES:
        with tempfile.TemporaryDirectory(
            prefix="fwtui-pictures-", ignore_cleanup_errors=True
        ) as place:
            walk = Walk(Path(place), options.folder, size, batch)
            try:
                prepare(walk)
                for part in PARTS:
                    part(walk)
            except ScreenMissing as missing:
                print(missing, file=sys.stderr)
                return 1
            finally:
                walk.close()
        print(f"{size[0]}x{size[1]}: {len(walk.taken)} pictures", flush=True)
    print(f"in {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
