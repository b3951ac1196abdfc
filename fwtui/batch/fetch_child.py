"""yt-dlp in a process that ends when the one that started it does: two must not write one file."""

import os
import sys
from threading import Thread


def main() -> None:
    """Run yt-dlp with the arguments of this process."""
    Thread(target=_end_with_parent, daemon=True).start()
    from yt_dlp import main as yt_dlp

    yt_dlp()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
