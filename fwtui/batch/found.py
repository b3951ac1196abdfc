"""What was found where the user said. Imports little: the first of it comes before the screen."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fwtui.core.failure import Failure


class Problem(NamedTuple):
    """Something named that cannot become a transcript, and why."""

    path: Path
    failure: "Failure"


class Found(NamedTuple):
    """Absolute paths of the files found, each once, what could not be read, and links.

    `roots` has, for each of the files, the folder that was named and led to it; empty if the file
    was named itself. Text, and no `Path`: a hundred thousand of these take 30 MB.
    """

    files: tuple[str, ...]
    problems: tuple[Problem, ...]
    roots: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
