"""These tests run the model in their own process."""

import contextlib
import ctypes
import sys

M_MMAP_THRESHOLD = -3

# As `TUNING` of the engine's client does with huge pages, which must be asked for at a process's
# start: without it the kernel spends as long on the encoder's memory as the model does.
if sys.platform.startswith("linux"):
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1 << 30)
