"""These tests run the model in their own process."""

import contextlib
import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3

# As `TUNING` of the engine's client does with huge pages, which must be asked for at a process's
# start: without it the kernel spends as long on the encoder's memory as the model does. A test
# process may keep what it has had; the engine gives it back.
if sys.platform.startswith("linux"):
    with contextlib.suppress(OSError, AttributeError):
        for threshold in (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD):
            ctypes.CDLL(None).mallopt(threshold, 1 << 30)
