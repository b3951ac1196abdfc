"""Child process that measures the lengths of files: `python -m fwtui.audio.lengths`.

Reads one path per line, as a JSON string (`path_to_text`); writes one number of seconds per line,
null if unknown. It ends when its input does.
"""

import contextlib
import json
import os
import sys

from fwtui.audio.media import probe
from fwtui.core.paths import text_to_path
from fwtui.errors import MediaError

NICENESS = 10


def length(path: str) -> float | None:
    """Seconds as the container says; None if it does not, or if it is no media file."""
    try:
        return probe(text_to_path(path)).duration or None
    except (MediaError, MemoryError, ValueError):
        return None


def main() -> None:
    """Answer until the input ends, or the answers are no longer read."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICENESS)
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        for line in sys.stdin:
            sys.stdout.write(json.dumps(length(json.loads(line))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
