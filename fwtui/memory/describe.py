"""Log lines about memory. Wording and format of the readings are fixed: people search for them.

A megabyte is 2**20 bytes.
"""

from fwtui.core.events import MemoryReading
from fwtui.core.text import printable


def batch_line(title: str, reading: MemoryReading) -> str:
    """`Batch start: Memory: 1250 MB (RSS), 2100 MB (VMS), 15.2%`."""
    return (
        f"{title}: Memory: {reading.rss:.0f} MB (RSS), {reading.vms:.0f} MB (VMS), "
        f"{reading.percent:.1f}%"
    )


def file_started(name: str, reading: MemoryReading) -> str:
    """`[File: audio.mp3] Starting - Memory: 1300 MB`."""
    return f"[File: {printable(name)}] Starting - Memory: {reading.rss:.0f} MB"


def file_finished(name: str, reading: MemoryReading, before: MemoryReading) -> str:
    """`[File: audio.mp3] Finished - Memory: 1450 MB (Δ +150 MB)`, compared with `before`.

    The difference is that of the two numbers as shown.
    """
    after = round(reading.rss)
    change = after - round(before.rss)
    return f"[File: {printable(name)}] Finished - Memory: {after} MB (Δ {change:+d} MB)"


def after_cleanup(reading: MemoryReading) -> str:
    """`After cleanup: Memory: 1280 MB (RSS), 2050 MB (VMS), 14.8%`."""
    return batch_line("After cleanup", reading)


def freed_by_cleanup(freed: float, when: str) -> str:
    """`Freed 12 MB between files`."""
    return f"Freed {freed:.0f} MB {when}"


def freed_by_engine_end(before: MemoryReading, after: MemoryReading) -> str:
    """`Unloading the engine freed 812 MB and 2100 MB of GPU 0`."""
    parts = [f"{max(0.0, before.engines - after.engines):.0f} MB"]
    used_after = {gpu.index: gpu.used for gpu in after.gpus}
    for gpu in before.gpus:
        freed = gpu.used - used_after.get(gpu.index, gpu.used)
        if freed >= 1:
            parts.append(f"{freed:.0f} MB of GPU {gpu.index}")
    return f"Unloading the engine freed {' and '.join(parts)}"
