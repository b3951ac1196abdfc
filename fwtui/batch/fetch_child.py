"""yt-dlp in a process that ends when the one that started it does: two must not write one file."""

import os
from threading import Thread

_STDIN = 0


def main() -> None:
    """Run yt-dlp with the arguments of this process."""
    Thread(target=_end_with_parent, daemon=True).start()
    from yt_dlp import main as yt_dlp

    yt_dlp()


def _end_with_parent() -> None:
    while os.read(_STDIN, 1):  # not sys.stdin: its lock would hold up an orderly end
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
