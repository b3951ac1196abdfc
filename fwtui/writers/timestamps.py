"""Times as subtitle formats write them."""

import math


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, rounded half to even; a time that is not a number is 0."""
    ms = seconds * 1000.0
    return round(ms) if math.isfinite(ms) else 0


def timestamp(ms: int, *, hours: bool, marker: str) -> str:
    """`[hh:]mm:ss<marker>mmm`; hours are left out below one hour unless `hours`.

    Times before the start of the file are the start of the file.
    """
    whole, ms = divmod(max(0, ms), 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    prefix = f"{hour:02d}:" if hours or hour > 0 else ""
    return f"{prefix}{minute:02d}:{second:02d}{marker}{ms:03d}"
