"""Timeline: where decoded audio belongs in the file, from timestamps that may be wrong."""

# Encoder delay, pre-skip and timestamps rounded by the container stay below this (AAC and Opus
# priming: up to 0.05 s; ASF's coarse clock: 0.05 s); a lag above it can be seen in subtitles.
GAP_SECONDS = 0.1
# Audio this far behind the clock means that the clock was set back, not that it is imprecise.
SETBACK_SECONDS = 1.0
# With no duration in the container, all silence together may not be longer than this.
MAX_UNKNOWN_SILENCE = 3600.0
# Nor longer than this (1.4 GB) when both the duration and the timestamps are nonsense.
MAX_SILENCE = 12 * 3600.0


class Timeline:
    """Decides how much silence to insert before each frame.

    `start` is the clock's time of second 0 (None: that of the first frame), `duration` the length
    that the container claims (0: unknown). All times are seconds.
    """

    def __init__(self, start: float | None, duration: float) -> None:
        self.gaps = 0
        self.gap_seconds = 0.0
        self.jumps = 0
        self._origin = start
        # Claimed lengths are estimates in some formats; a gap far beyond them is a broken clock.
        self._limit = duration + max(60.0, duration / 10) if duration > 0 else None
        self._silence = 0.0

    def silence_before(self, at: float | None, position: float, following: float | None) -> float:
        """Seconds of silence to insert before a frame.

        `at` is the frame's timestamp, `position` the seconds of audio before it, `following`
        the next frame's timestamp (None: unknown), which tells a gap from one wrong timestamp.
        """
        if at is None:
            return 0.0
        if self._origin is None:
            self._origin = at
        lag = at - self._origin - position
        if -SETBACK_SECONDS <= lag <= GAP_SECONDS:
            return 0.0
        if following is not None and abs(following - self._origin - position) < abs(lag) / 2:
            return 0.0  # the next frame is where this one should be: one wrong timestamp
        if lag > 0 and self._is_plausible(position, lag):
            self._silence += lag
            if position > 0:
                self.gaps += 1
                self.gap_seconds += lag
            return lag
        self._origin += lag
        self.jumps += position > 0
        return 0.0

    def _is_plausible(self, position: float, lag: float) -> bool:
        if self._limit is None:
            return self._silence + lag <= MAX_UNKNOWN_SILENCE
        return position + lag <= self._limit and self._silence + lag <= MAX_SILENCE
