"""All files below a folder."""

import os
from collections.abc import Collection, Iterator


def walk(folder: str, apart: Collection[str]) -> Iterator[str]:
    """The files below, without those in hidden folders and in the folders `apart`.

    Links to folders are not followed: they could lead round in a circle. What cannot be read is
    left out.
    """
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if not entry.name.startswith(".") and entry.path not in apart:
                            waiting.append(entry.path)
                    else:
                        yield entry.path
        except OSError:
            continue
