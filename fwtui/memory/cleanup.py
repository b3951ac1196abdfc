"""Giving memory back to the operating system."""

import ctypes
import gc
import sys
from collections.abc import Callable


def clean_up() -> None:
    """Collect garbage, then have the C library return its free pages.

    Without the second step glibc keeps hundreds of MB of an unloaded model.
    """
    gc.collect()
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


def _malloc_trim() -> Callable[[int], int] | None:
    """The function of glibc, if this process runs on glibc (musl, macOS and Windows have none)."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    return trim
