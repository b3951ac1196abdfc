"""`python -m fwtui`, and the program `fwtui`."""

import gc
import sys


def main() -> int:
    """Run the program; returns its exit code."""
    # Collecting while hundreds of modules are imported takes a tenth of the start.
    gc.disable()
    from fwtui.cli.main import main

    return main()


if __name__ == "__main__":
    sys.exit(main())
