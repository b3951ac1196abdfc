"""A child that says how long files are: `python -m fwtui.audio.lengths`.

One path a line in, as a JSON string (`path_to_text`); one number of seconds a line out, null where
there is none. It ends when its input does.
"""

import contextlib
import json
import os
import sys

from fwtui.audio.probe import probe
from fwtui.core.paths import text_to_path
from fwtui.errors import MediaError

NICENESS = 10


def length(path: str) -> float | None:
    """Seconds as the container says, None if it does not or is none."""
    try:
        return probe(text_to_path(path)).duration or None
    except (MediaError, MemoryError, ValueError):
        return None


def main() -> None:
    """Answer until the input ends, or nobody reads the answers."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICENESS)
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        for line in sys.stdin:
            sys.stdout.write(json.dumps(length(json.loads(line))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
