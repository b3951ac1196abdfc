"""How many chunks go into a batch, and whose: pure arithmetic on counts."""

from collections.abc import Sequence

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
