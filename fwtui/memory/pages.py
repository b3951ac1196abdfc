"""Huge pages: which memory may use pages of 2 MB (Linux only)."""

import ctypes
import mmap
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# linux/prctl.h
_SET_THP_DISABLE = 41
_GET_THP_DISABLE = 42


@contextmanager
def small_pages() -> Iterator[None]:
    """Keep memory that is allocated meanwhile in small pages, now and later.

    For buffers that are larger than what is in them: with large pages the kernel fills them up,
    some at the first touch, others when it tidies up (khugepaged).
    """
    libc = _libc()
    if libc is None or libc.prctl(_GET_THP_DISABLE, 0, 0, 0, 0) != 0:
        yield  # not supported, or the user chose small pages for everything
        return
    libc.prctl(_SET_THP_DISABLE, 1, 0, 0, 0)
    try:
        yield
        _keep_small(libc)
    finally:
        libc.prctl(_SET_THP_DISABLE, 0, 0, 0, 0)


def _keep_small(libc: ctypes.CDLL) -> None:
    """Keep all present memory in small pages.

    If another thread has freed a mapping meanwhile, the error does not matter.
    """
    for line in Path("/proc/self/maps").read_text(errors="replace").splitlines():
        where, rights, _, _, inode, *name = line.split(maxsplit=5)
        if rights == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
            start, end = (int(address, 16) for address in where.split("-"))
            libc.madvise(start, end - start, mmap.MADV_NOHUGEPAGE)


def _libc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL(None)
        libc.prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
        libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    except (OSError, AttributeError):
        return None
    return libc
