"""Batch sizes, shares of files in a batch, and decoding with less memory. Pure."""

from collections.abc import Sequence

from msgspec.structs import replace

from fwtui.core.settings import DecodingSettings

# A GPU decodes 16 in little more time than one; on a CPU more than 4 only use memory.
_AUTO_GPU = 16
_AUTO_CPU = 4


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
