"""The child of `ahead`: looks up the paths of its command line, and writes pickled `Found`s.

A `None` after the last one says that there is no more.
"""

import gc
import pickle
import sys

from fwtui.batch.discovery import find_bit_by_bit


def main() -> None:
    """Write to stdout until everything is found, or nobody reads any more."""
    gc.disable()  # what it makes is written, and then it ends
    out = sys.stdout.buffer
    try:
        for found in find_bit_by_bit(sys.argv[1:]):
            out.write(pickle.dumps(found))
            out.flush()
        out.write(pickle.dumps(None))
        out.flush()
    except BrokenPipeError:
        # Python would complain when it closes the stream at its end.
        sys.stdout = None


if __name__ == "__main__":
    main()
