"""Who is blamed when an engine dies, and when an engine gets another file."""

import pytest

from fwtui.batch.worker import InFlight, JobStage
from fwtui.core.failure import FailureKind

MEMORY, DIED = FailureKind.OUT_OF_MEMORY, FailureKind.ENGINE_DIED
S, P, R, M = JobStage.SENT, JobStage.PREPARING, JobStage.PREPARED, JobStage.IN_MODEL
L = JobStage.LISTENING


def in_flight(*stages: JobStage) -> InFlight:
    """Jobs 1, 2, ... that are so far."""
    flight = InFlight()
    for job, stage in enumerate(stages, 1):
        flight.add(job)
        flight.move(job, stage)
    return flight


@pytest.mark.parametrize(
    ("stages", "kind", "suspects"),
    [
        ((M, R, S), DIED, (1,)),
        ((M, P, S), DIED, (1, 2)),
        ((M, P, S), MEMORY, (1,)),
        ((M, M, R, P), DIED, (1, 2, 4)),
        ((M, M, R, P), MEMORY, (1, 2)),
        ((R, P), DIED, (2,)),
        ((R, P), MEMORY, (2,)),
        ((S, S), DIED, (1,)),
        ((S, S), MEMORY, (1,)),
        ((), DIED, ()),
        ((L, M, R), DIED, (1, 2)),
        ((L, M, P), MEMORY, (2,)),
        ((L, R, S), DIED, (1,)),
        ((L, L), MEMORY, (1, 2)),
    ],
)
def test_suspects(
    stages: tuple[JobStage, ...], kind: FailureKind, suspects: tuple[int, ...]
) -> None:
    assert in_flight(*stages).suspects(kind) == suspects


def test_the_model_has_what_it_last_said() -> None:
    flight = in_flight(M, R, R)
    flight.set_in_model((2, 3, 99))
    assert (flight.at(M), flight.at(R)) == ((2, 3), (1,))


@pytest.mark.parametrize(
    ("stages", "lengths", "batch", "more"),
    [
        ((), (), 1, True),
        ((S,), (0,), 1, False),  # not opened yet: it may be long
        ((M,), (9999,), 1, True),
        ((M, R), (9999, 9999), 1, False),
        ((M, R), (5, 5), 1, True),
        ((M, R, S), (5, 5, 0), 1, True),
        ((M, R, S, S), (5, 5, 0, 0), 1, False),
        ((M, R, R, R, R), (5, 5, 5, 5, 5), 1, False),
        ((M, R, R, R, R), (5, 5, 5, 5, 5), 4, True),
        ((M, *[R] * 10), (5,) * 11, 4, False),
        ((M, *[R] * 10), (5,) * 11, 16, True),
        ((L, L, M, R), (3600, 3600, 5, 5), 1, True),
        ((L, M, R), (20_000, 5, 5), 1, False),  # scratch files would fill the disk
    ],
)
def test_wants_more(
    stages: tuple[JobStage, ...], lengths: tuple[float, ...], batch: int, more: bool
) -> None:
    flight = in_flight(*stages)
    assert flight.wants_more(dict(enumerate(lengths, 1)), batch) is more


def test_a_file_that_is_listened_to_leaves_its_place_to_others() -> None:
    flight = in_flight(L, M, R, S)
    assert flight.before_end == 3
    flight.set_in_model(())
    assert (flight.at(L), flight.at(R)) == ((1,), (2, 3))
