"""The words of one file, as far as the screen has seen them."""

from collections.abc import Iterable

from msgspec import Struct, field

from fwtui.core.segment import Segment


class Feed(Struct):
    """The segments of one file, as far as they were seen here.

    `whole` says that none is missing before them; `generation` changes when they are replaced.
    `source` is the output that they were read back from, if they were.
    """

    segments: list[Segment] = field(default_factory=list)
    language: str = ""
    whole: bool = False
    generation: int = 0
    source: str = ""

    def extend(self, segments: Iterable[Segment]) -> None:
        """Append what is new; segments come in order and their ids rise."""
        last = self.segments[-1].id if self.segments else -1
        self.segments.extend(segment for segment in segments if segment.id > last)

    def complete(self, segments: Iterable[Segment]) -> None:
        """Put the stored segments in front of those that came meanwhile."""
        seen = self.segments
        self.segments = list(segments)
        self.whole = True
        self.generation += 1
        self.extend(seen)
