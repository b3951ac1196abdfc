"""Numbers as people read them."""

import math
from datetime import datetime, timedelta


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss, or m:ss below an hour; nothing sensible gives an empty string."""
    if not math.isfinite(seconds) or seconds < 0:
        return ""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def took(seconds: float) -> str:
    """How long something took: like `clock`, but tenths of a second below ten seconds."""
    return f"{seconds:.1f} s" if 0 <= seconds < 9.95 else clock(seconds)


def stamp(seconds: float) -> str:
    """A time inside a file, as h:mm:ss.t or mm:ss.t."""
    if not math.isfinite(seconds) or seconds < 0:
        seconds = 0.0
    tenths = round(seconds * 10)
    hours, rest = divmod(tenths, 36_000)
    minutes, tenths = divmod(rest, 600)
    text = f"{minutes:02}:{tenths // 10:02}.{tenths % 10}"
    return f"{hours}:{text}" if hours else text


def span(seconds: float) -> str:
    """A length of time in at most two units: 45 s, 12 min, 3 h 05 min, 2 d 4 h."""
    if not math.isfinite(seconds) or seconds < 0:
        return "unknown"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def ends_at(now: datetime, seconds: float) -> str:
    """The clock time in `seconds`, with the weekday when that is not today."""
    if not math.isfinite(seconds) or not 0 <= seconds < 1e8:
        return ""
    then = now + timedelta(seconds=seconds)
    return f"{then:%H:%M}" if then.date() == now.date() else f"{then:%a %H:%M}"


def speed(factor: float) -> str:
    """Times real time, three characters of digits at most."""
    if not math.isfinite(factor) or factor <= 0:
        return ""
    return f"{factor:.1f}" if factor < 9.95 else f"{min(factor, 9999):.0f}"


def memory(megabytes: float) -> str:
    """MB (2**20 bytes) as MB or GB."""
    if megabytes < 1000:
        return f"{megabytes:.0f} MB"
    return f"{megabytes / 1024:.1f} GB"


def size(count: int) -> str:
    """Bytes as a file's size."""
    value = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TB"


def files(count: int) -> str:
    """`1 file`, `2 files`, `12,345 files`."""
    return f"{count:,} file{'' if count == 1 else 's'}"


def share(part: float, whole: float) -> float:
    """`part` of `whole` between 0 and 1; 0 when there is no whole."""
    return min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0


def percent(value: float) -> str:
    """A share as a whole percentage that only says 100 when it is."""
    return f"{min(math.floor(value * 100 + 1e-9), 100)}%"
