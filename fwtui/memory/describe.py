"""Memory readings as the log's lines. Their wording and format are fixed: people search for them.

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
    """`[File: audio.mp3] Finished - Memory: 1450 MB (Δ +150 MB)`, against the start's reading.

    The difference is that of the two numbers as they are shown.
    """
    after = round(reading.rss)
    change = after - round(before.rss)
    return f"[File: {printable(name)}] Finished - Memory: {after} MB (Δ {change:+d} MB)"


def after_cleanup(reading: MemoryReading) -> str:
    """`After cleanup: Memory: 1280 MB (RSS), 2050 MB (VMS), 14.8%`."""
    return batch_line("After cleanup", reading)


def gave_back(what: str, freed: float) -> str:
    """`Cleanup between files gave back 12 MB`."""
    return f"Cleanup {what} gave back {freed:.0f} MB"


def engine_gave_back(before: MemoryReading, after: MemoryReading) -> str:
    """`The end of the engine gave back 812 MB, and 2100 MB of GPU 0`."""
    parts = [f"{max(0.0, before.engines - after.engines):.0f} MB"]
    left = {gpu.index: gpu.used for gpu in after.gpus}
    for gpu in before.gpus:
        freed = gpu.used - left.get(gpu.index, gpu.used)
        if freed >= 1:
            parts.append(f"{freed:.0f} MB of GPU {gpu.index}")
    return f"The end of the engine gave back {', and '.join(parts)}"
