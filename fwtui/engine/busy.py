"""How much of its time the model works: pure arithmetic on monotonic seconds."""


class BusyClock:
    """Adds up work, and the waits between two pieces of it.

    The time before the first and after the last piece is neither, nor is a rest.
    """

    def __init__(self) -> None:
        self.worked = 0.0
        self.waited = 0.0
        self._began: float | None = None
        self._ended: float | None = None

    def begin(self, now: float) -> None:
        """Work begins."""
        if self._ended is not None:
            self.waited += now - self._ended
        self._began = now

    def end(self, now: float) -> float:
        """Work ends; returns how long this piece took."""
        assert self._began is not None
        took = now - self._began
        self.worked += took
        self._began, self._ended = None, now
        return took

    def rest(self) -> None:
        """What comes now until work begins again is no waiting."""
        self._ended = None
