"""Files made worse: the same ones for the same random numbers."""

import struct
from random import Random

# What lengths, rates and counts are replaced by: none, one, the largest of every width, signs.
EXTREMES: tuple[int, ...] = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    1000,
    192_000,
    10**9,
)
EXTREMES += (0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF)
HEAD = 512  # most of what a container says of itself is here


def mutate(data: bytes, random: Random) -> bytes:
    """One to a few changes, mostly where the headers are."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        if changed:
            random.choice(MUTATIONS)(changed, random)
    return bytes(changed)


def _place(data: bytearray, random: Random) -> int:
    if random.random() < 0.7:
        return random.randrange(min(HEAD, len(data)))
    return random.randrange(len(data))


def _flip(data: bytearray, random: Random) -> None:
    for _ in range(random.choice((1, 4, 32))):
        data[_place(data, random)] ^= 1 << random.randrange(8)


def _number(data: bytearray, random: Random) -> None:
    width, code = random.choice(((1, "B"), (2, "H"), (4, "I"), (8, "Q")))
    value = random.choice(EXTREMES) & (256**width - 1)
    at = _place(data, random)
    data[at : at + width] = struct.pack(random.choice("<>") + code, value)


def _float(data: bytearray, random: Random) -> None:
    """Matroska and FLV keep durations and rates as floats."""
    value = random.choice((0.0, -1.0, 1e9, 1e18, 1e300, float("inf"), float("nan")))
    at = _place(data, random)
    data[at : at + 8] = struct.pack(random.choice("<>") + "d", value)


def _cut(data: bytearray, random: Random) -> None:
    del data[random.randrange(len(data) + 1) :]


def _remove(data: bytearray, random: Random) -> None:
    at = _place(data, random)
    del data[at : at + random.choice((1, 4, 64, 4096))]


def _repeat(data: bytearray, random: Random) -> None:
    at, size = _place(data, random), random.choice((4, 64, 4096))
    data[at:at] = data[at : at + size] * random.choice((1, 2, 50))


def _noise(data: bytearray, random: Random) -> None:
    at = _place(data, random)
    size = min(random.choice((4, 64, 4096)), len(data) - at)
    data[at : at + size] = random.randbytes(size)


def _swap(data: bytearray, random: Random) -> None:
    size = random.choice((4, 64, 1024))
    one, other = _place(data, random), _place(data, random)
    first, second = data[one : one + size], data[other : other + size]
    if len(first) == len(second):
        data[one : one + size], data[other : other + size] = second, first


MUTATIONS = (_flip, _number, _number, _float, _cut, _remove, _repeat, _noise, _swap)
