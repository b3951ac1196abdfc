"""Small and large pages of a real process, as the kernel marks its mappings."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.optional import Optional

pytestmark = pytest.mark.skipif(
    not Path("/sys/kernel/mm/transparent_hugepage").is_dir(), reason=Optional.SYSTEM.reason
)

# MB of a buffer that is touched every 2 MB, and its marks: made as the engine's memory is.
BUFFERS = """
import ctypes, re, sys
from pathlib import Path
from fwtui.memory.pages import small_pages

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p

def buffer():
    address = libc.malloc(ctypes.c_size_t(64 << 20))
    for offset in range(0, 64 << 20, 2 << 20):
        ctypes.memset(address + offset, 1, 1)
    return address

def told(address):
    for mapping in re.split(r"(?m)^(?=[0-9a-f]+-)", Path("/proc/self/smaps").read_text())[1:]:
        start, end = (int(place, 16) for place in mapping.split()[0].split("-"))
        if start <= address < end:
            kb = int(re.search(r"^AnonHugePages:\\s+(\\d+) kB", mapping, re.M)[1])
            marks = re.search(r"^VmFlags: (.*)", mapping, re.M)[1].split()
            return kb, "hg" in marks, "nh" in marks

with small_pages():
    packed = buffer()
print(*told(packed))
print(*told(buffer()))
"""


def run(code: str) -> list[list[str]]:
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"},
    )
    return [line.split() for line in found.stdout.splitlines()]


def test_what_is_allocated_in_small_pages_stays_in_them_and_nothing_else_does() -> None:
    small, large = run(BUFFERS)
    assert small == ["0", "False", "True"]
    assert large[1:] == [str("[madvise]" in enabled()), "False"]


def test_small_pages_for_everything_are_left_to_who_chose_them() -> None:
    disable = "import ctypes; ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)\n"
    ask = "print(ctypes.CDLL(None).prctl(42, 0, 0, 0, 0))\n"
    *_, chosen = run(disable + BUFFERS + ask)
    assert chosen == ["1"]


def enabled() -> str:
    return Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text()
