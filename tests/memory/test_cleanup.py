"""Cleaning up in a real process."""

import gc
import subprocess
import sys
import weakref

import pytest

from fwtui.memory.cleanup import clean_up

# Many small blocks with one live one behind them: only a trim gives their pages back.
FRAGMENTED = """
import ctypes, psutil
from fwtui.memory.cleanup import clean_up
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
blocks = [libc.malloc(60000) for _ in range(1500)]
for block in blocks:
    libc.memset(block, 1, 60000)
for block in blocks[:-1]:
    libc.free(block)
process = psutil.Process()
before = process.memory_info().rss
clean_up()
print((before - process.memory_info().rss) >> 20)
"""


def test_cycles_are_collected() -> None:
    class Node:
        pass

    node = Node()
    node.itself = node  # type: ignore[attr-defined]
    gone = weakref.ref(node)
    gc.disable()
    try:
        del node
        clean_up()
    finally:
        gc.enable()
    assert gone() is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_free_pages_go_back_to_the_system() -> None:
    found = subprocess.run(
        [sys.executable, "-c", FRAGMENTED], capture_output=True, text=True, check=True
    )
    assert int(found.stdout) > 60
