"""Model utilisation: counts the seconds that the model works and waits. Pure."""


class BusyClock:
    """Adds up work, and the waits between two pieces of work.

    The time before the first and after the last piece counts as neither, nor does a hold.
    Arguments are monotonic seconds.
    """

    def __init__(self) -> None:
        self.worked = 0.0
        self.waited = 0.0
        self._began: float | None = None
        self._ended: float | None = None

    def begin(self, now: float) -> None:
        """Start a piece of work."""
        if self._ended is not None:
            self.waited += now - self._ended
        self._began = now

    def end(self, now: float) -> float:
        """End a piece of work; returns the seconds that it took."""
        assert self._began is not None
        took = now - self._began
        self.worked += took
        self._began, self._ended = None, now
        return took

    def interrupt(self) -> None:
        """Do not count the time until the next piece of work as waiting."""
        self._ended = None
