"""Lines cut to a width, and times and counts as people read them."""

from fwtui.core.text import cells


def clipped(text: str, width: int) -> str:
    """Printable text, cut in its middle to at most `width` columns: both ends tell names apart."""
    if cells(text) <= width:
        return text
    if width < 2:
        return ""
    tail = _prefix(text[::-1], (width - 1) // 2)[::-1]
    return f"{_prefix(text, width - 1 - cells(tail))}~{tail}"


def _prefix(text: str, width: int) -> str:
    used = 0
    for index, character in enumerate(text):
        used += cells(character)
        if used > width:
            return text[:index]
    return text


def clock(seconds: float) -> str:
    """Seconds as `m:ss` or `h:mm:ss`."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def subtitle_time(seconds: float) -> str:
    """Seconds as `mm:ss.mmm` or `hh:mm:ss.mmm`, as whisper prints segments."""
    milliseconds = round(max(0.0, seconds) * 1000)
    whole, milliseconds = divmod(milliseconds, 1000)
    minutes, second = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    prefix = f"{hours:02}:" if hours else ""
    return f"{prefix}{minutes:02}:{second:02}.{milliseconds:03}"


def plural(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
