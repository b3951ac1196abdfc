"""What decoding settings mean: clips, tokens, batch sizes, decoding with less memory. Pure."""

import math
from collections.abc import Sequence
from itertools import pairwise

from msgspec.structs import replace

from fwtui.core.settings import DecodingSettings
from fwtui.core.text import clock

# A GPU decodes 16 in little more time than one; on a CPU more than 4 only use memory.
_AUTO_GPU = 16
_AUTO_CPU = 4

CLIPS = "start,end,start,end,... in seconds, such as 30,90.5; without the last end: to the end"
TOKENS = "-1 and token IDs from 0 on, comma-separated, such as -1,50358"


def clip_points(text: str) -> tuple[float, ...]:
    """The starts and ends in `clip_timestamps`, in seconds; empty for the whole file.

    The last end may be missing; clips may overlap. Raises ValueError if they are not numbers, or
    if they go back.
    """
    parts = [part.strip() for part in text.split(",")]
    while parts and not parts[-1]:
        parts.pop()
    points = tuple(float(part) for part in parts)
    if not all(math.isfinite(point) and point >= 0 for point in points):
        raise ValueError(text)
    begins, ends = points[::2], points[1::2]
    increasing = all(a < b for part in (begins, ends) for a, b in pairwise(part))
    if not increasing or any(end <= begin for begin, end in zip(begins, ends, strict=False)):
        raise ValueError(text)
    return () if points == (0.0,) else points


def clips_past_end(points: Sequence[float], seconds: float) -> tuple[str, ...]:
    """Warnings about the clips that lie, or end, more than a second past the end of a file."""
    found = []
    for index in range(0, len(points), 2):
        begin, end = points[index], points[index + 1] if index + 1 < len(points) else None
        span = f"from {clock(begin)}" if end is None else f"{clock(begin)} to {clock(end)}"
        if begin >= seconds:
            found.append(f"the clip {span} is past the end of the recording ({clock(seconds)})")
        elif end is not None and end > seconds + 1:
            found.append(f"the clip {span} ends early: the recording ends at {clock(seconds)}")
    return tuple(found)


def suppressed_tokens(text: str) -> tuple[int, ...]:
    """The IDs in `suppress_tokens`; -1 stands for a list of special characters.

    Raises ValueError if they are not whole numbers from -1 on.
    """
    tokens = tuple(int(part) for part in text.split(",") if part.strip())
    if any(not -1 <= token < 1 << 31 for token in tokens):
        raise ValueError(text)
    return tokens


def batch_size(decoding: DecodingSettings, device: str) -> int:
    """The maximum number of chunks in a batch on this device (all but "cpu" are GPUs).

    1 in sequential mode.
    """
    if not decoding.batched:
        return 1
    return decoding.batch_size or (_AUTO_CPU if device == "cpu" else _AUTO_GPU)


def shares(left: Sequence[int], size: int) -> tuple[int, ...]:
    """How many chunks of each file go into a batch of `size`, by how many each has left.

    All chunks of a file come before those of the next.
    """
    given: list[int] = []
    for count in left:
        given.append(min(count, size - sum(given)))
    return tuple(given)


def with_less_memory(decoding: DecodingSettings) -> tuple[DecodingSettings, str]:
    """Decoding with one beam and one candidate, and its description, empty if nothing changes.

    CTranslate2 keeps the encoder output once for each candidate, but once for all beams: an engine
    with `small` in int8 needs 947 MB if `best_of` is 5, and 472 MB if it is 1
    (docs/benchmarks.md).
    """
    names = []
    if decoding.beam_size > 1:
        names.append("beam size")
        decoding = replace(decoding, beam_size=1)
    if decoding.attempts > 1:
        names.append("best of")
        decoding = replace(decoding, best_of=1)
    return decoding, f"{' and '.join(names)} 1" if names else ""
