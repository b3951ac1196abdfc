"""Channels of a recording: which ones are transcribed, and their names. Pure."""

MIX, SPLIT = "mix", "split"
_SIDES = ("left", "right")
# More are no recording of a conversation.
MOST_CHANNELS = 16

CHANNELS = "mix, left, right, split, or the number of a channel (from 1)"


def channel_index(text: str) -> int | None:
    """The channel that a setting names, from 0; None for the mix, and for each by itself.

    Raises ValueError if it is none of these.
    """
    if text in {MIX, SPLIT}:
        return None
    if text in _SIDES:
        return _SIDES.index(text)
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise ValueError(text)
    return int(text) - 1


def channel_name(index: int, count: int) -> str:
    """A channel for people: `left channel`, `channel 3`; `index` counts from 0."""
    return f"{_SIDES[index]} channel" if count == 2 else f"channel {index + 1}"
