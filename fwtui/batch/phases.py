"""Phases of a batch: what each cause makes of them."""

from collections.abc import Mapping
from enum import Enum, auto

from fwtui.core.events import Phase


class Cause(Enum):
    """Why the phase changes."""

    WORK_STARTED = auto()
    WATCHING_STARTED = auto()
    PAUSE_REQUESTED = auto()
    ENGINES_PAUSED = auto()
    STOP_REQUESTED = auto()
    SESSION_NOT_WRITABLE = auto()
    DISK_UNAVAILABLE = auto()
    QUEUE_FINISHED = auto()  # and there are folders to watch
    BATCH_ENDED = auto()


_NOT_IDLE = [phase for phase in Phase if phase is not Phase.IDLE]
# For each cause: what a phase becomes. A phase that is not named stays.
_NEXT_PHASE: Mapping[Cause, Mapping[Phase, Phase]] = {
    Cause.WORK_STARTED: {
        Phase.IDLE: Phase.RUNNING,
        Phase.WATCHING: Phase.RUNNING,
        Phase.PAUSING: Phase.RUNNING,
        Phase.PAUSED: Phase.RUNNING,
    },
    Cause.WATCHING_STARTED: {Phase.IDLE: Phase.WATCHING, Phase.PAUSED: Phase.WATCHING},
    Cause.PAUSE_REQUESTED: {Phase.RUNNING: Phase.PAUSING, Phase.WATCHING: Phase.PAUSED},
    Cause.ENGINES_PAUSED: {Phase.PAUSING: Phase.PAUSED},
    Cause.STOP_REQUESTED: dict.fromkeys(_NOT_IDLE, Phase.STOPPING),
    Cause.SESSION_NOT_WRITABLE: dict.fromkeys(_NOT_IDLE, Phase.STOPPING),
    Cause.DISK_UNAVAILABLE: dict.fromkeys(Phase, Phase.PAUSED),
    Cause.QUEUE_FINISHED: dict.fromkeys(Phase, Phase.WATCHING),
    Cause.BATCH_ENDED: dict.fromkeys(Phase, Phase.IDLE),
}


def next_phase(phase: Phase, cause: Cause) -> Phase:
    """The phase after a cause."""
    return _NEXT_PHASE[cause].get(phase, phase)
