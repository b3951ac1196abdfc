"""Which kills are tried: every storage call, random instants, several in a row within one file."""

from collections.abc import Iterator, Sequence
from random import Random

from fwtui import demo
from tests.crash.life import How, Kill
from tests.crash.scenario import Bench

SHORT = demo.clips()[0]
OTHER = demo.clips()[3]
LONG = demo.clips()[-1]
PAIR = (SHORT, OTHER)  # short enough to die at each of its storage calls
MIXED = (LONG, SHORT)
KILLS_PER_BATCH = 4


def every_call(bench: Bench) -> Iterator[list[Kill]]:
    """Die at each storage call of a batch, and at each of one that was resumed half-way."""
    for number in range(len(bench.calls)):
        yield [Kill(How.CALL, number)]
    half = len(bench.calls) // 2
    for number in range(len(bench.calls) - half):
        yield [Kill(How.CALL, half), Kill(How.CALL, number)]


def some_calls(bench: Bench, batches: int) -> list[list[Kill]]:
    """Storage calls spread over the batch, three for each of `batches`: a late one first.

    What comes behind a late call in the next life is the work of opening a session.
    """
    total, parts = len(bench.calls), 3 * batches
    picks = [total * (2 * part + 1) // (2 * parts) for part in range(parts)]
    return [
        [Kill(How.CALL, picks[part * batches + batch]) for part in (2, 1, 0)]
        for batch in range(batches)
    ]


def in_a_row(kills: int) -> list[Kill]:
    """Each life is killed as soon as it has shown something new of the file."""
    return [Kill(How.GROUP, 1, windows=True)] * kills


def at_random(bench: Bench, random: Random, hows: Sequence[How]) -> list[Kill]:
    """One kill for each of `hows`, early or late in what a whole life would tell."""
    return [one_at_random(bench, random, how) for how in hows]


def one_at_random(bench: Bench, random: Random, how: How) -> Kill:
    """At an event, in between, or while Python and the engine are starting."""
    if random.random() < 0.15:
        return Kill(how, 0, delay=random.uniform(0.0, 0.4))
    return Kill(how, random.randrange(bench.events), delay=random.uniform(0.0, 0.05))


def random_batches(bench: Bench, random: Random) -> Iterator[list[Kill]]:
    """Batches with a few kills each, without end; every kind of kill equally often."""
    kinds = [how for how in How if how is not How.CALL]
    while True:
        hows = random.choices(kinds, k=random.randint(1, KILLS_PER_BATCH))
        yield at_random(bench, random, hows)
