"""How many chunks go into a batch, and whose: pure arithmetic on counts."""

from collections.abc import Sequence

from msgspec.structs import replace

from fwtui.core.settings import DecodingSettings

# A GPU does 16 in little more time than one; on a CPU more than 4 only cost memory.
_AUTO_GPU = 16
_AUTO_CPU = 4


def batch_size(decoding: DecodingSettings, device: str) -> int:
    """Most chunks in a batch on this device (anything but "cpu" counts as a GPU).

    1 in sequential mode.
    """
    if not decoding.batched:
        return 1
    return decoding.batch_size or (_AUTO_CPU if device == "cpu" else _AUTO_GPU)


def shares(left: Sequence[int], size: int) -> tuple[int, ...]:
    """How many chunks each file gives to a batch of `size`, by how many each has left.

    The first file gives all it has before the next gives any.
    """
    given: list[int] = []
    for count in left:
        given.append(min(count, size - sum(given)))
    return tuple(given)


def narrowed(decoding: DecodingSettings) -> tuple[DecodingSettings, str]:
    """One beam and one attempt at each temperature, and what that is called; "" if it is so now.

    CTranslate2 keeps what the encoder said of a window once for each attempt, but once for all
    beams: an engine with `small` in int8 takes 947 MB if `best_of` is 5, and 472 MB if it is 1
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
