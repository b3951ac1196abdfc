"""`python -m fwtui`."""

import sys

from fwtui.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
