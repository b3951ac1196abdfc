"""Which job has a text, for queues of a hundred thousand."""

from array import array
from collections.abc import Callable, Iterator

from fwtui.core.job import JobId

_FREE, _GONE = -1, -2
_SMALLEST = 64


class TextIndex:
    """Finds jobs by a text of theirs, in 8 to 16 bytes for each, where a `dict` takes 40 to 52.

    It holds no texts: `text_of` tells the text of a job that is in it. Jobs are known by numbers
    from 0 up to 2**31 - 1. A hash table with open addressing and linear probing, at most half
    full (Knuth, The Art of Computer Programming 3, 6.4).
    """

    def __init__(self, text_of: Callable[[JobId], str]) -> None:
        self._text_of = text_of
        self._slots = _free(_SMALLEST)
        self._used = 0  # slots, those of jobs that are gone too

    def find(self, text: str) -> JobId | None:
        """A job with this text."""
        for slot in self._way_of(text):
            job = self._slots[slot]
            if job != _GONE and self._text_of(job) == text:
                return job
        return None

    def add(self, job: JobId) -> None:
        """Take a job in."""
        if 2 * (self._used + 1) > len(self._slots):
            self._rebuild()
        self._put(job)

    def discard(self, job: JobId) -> None:
        """Forget a job, as long as its text is that with which it was added."""
        for slot in self._way_of(self._text_of(job)):
            if self._slots[slot] == job:
                self._slots[slot] = _GONE
                return

    def _way_of(self, text: str) -> Iterator[int]:
        """The slots that a text may be in, up to the first free one."""
        slots = self._slots
        within = len(slots) - 1
        slot = hash(text) & within
        while slots[slot] != _FREE:
            yield slot
            slot = (slot + 1) & within

    def _put(self, job: JobId) -> None:
        slots = self._slots
        within = len(slots) - 1
        slot = hash(self._text_of(job)) & within
        while slots[slot] != _FREE:
            slot = (slot + 1) & within
        slots[slot] = job
        self._used += 1

    def _rebuild(self) -> None:
        jobs = [job for job in self._slots if job >= 0]
        size = _SMALLEST
        while size < 4 * len(jobs):
            size *= 2
        self._slots, self._used = _free(size), 0
        for job in jobs:
            self._put(job)


def _free(size: int) -> "array[int]":
    return array("i", [_FREE]) * size
