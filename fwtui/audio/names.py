"""File names in messages: valid Unicode, whatever bytes they are made of."""

import re
from pathlib import Path

_SURROGATE = re.compile("[\ud800-\udfff]")


def encodable(path: Path | str) -> str:
    """The text of a path that any encoder takes; undecodable bytes become U+FFFD.

    It is still data: control characters and markup stay in it.
    """
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", str(path))


def display_name(path: Path) -> str:
    """The file's name, `encodable`."""
    return encodable(path.name)
