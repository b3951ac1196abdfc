"""The table of phases."""

import pytest

from fwtui.batch.phases import Cause, next_phase
from fwtui.core.events import Phase


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_can_be_stopped_and_comes_to_rest(phase: Phase) -> None:
    stopped = next_phase(phase, Cause.STOP_REQUESTED)
    assert stopped is (Phase.IDLE if phase is Phase.IDLE else Phase.STOPPING)
    assert next_phase(stopped, Cause.BATCH_ENDED) is Phase.IDLE
    assert next_phase(next_phase(stopped, Cause.DISK_UNAVAILABLE), Cause.WORK_STARTED) is (
        Phase.RUNNING
    )


@pytest.mark.parametrize(
    ("phase", "paused"),
    [
        (Phase.IDLE, Phase.IDLE),
        (Phase.WATCHING, Phase.PAUSED),  # nothing has to be held first
        (Phase.RUNNING, Phase.PAUSING),
        (Phase.PAUSING, Phase.PAUSING),
        (Phase.PAUSED, Phase.PAUSED),
        (Phase.STOPPING, Phase.STOPPING),
    ],
)
def test_a_pause(phase: Phase, paused: Phase) -> None:
    assert next_phase(phase, Cause.PAUSE_REQUESTED) is paused
    if paused is Phase.PAUSING:
        assert next_phase(paused, Cause.ENGINES_PAUSED) is Phase.PAUSED
        assert next_phase(paused, Cause.WORK_STARTED) is Phase.RUNNING


def test_stopping_cannot_be_resumed_before_it_is_done() -> None:
    for cause in (Cause.WORK_STARTED, Cause.WATCHING_STARTED, Cause.PAUSE_REQUESTED):
        assert next_phase(Phase.STOPPING, cause) is Phase.STOPPING
