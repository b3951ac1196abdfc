"""The sum of many killed batches."""

from collections import Counter

from tests.crash.life import How
from tests.crash.scenario import Outcome


class Totals:
    """Adds outcomes up, and tells them in a few lines."""

    def __init__(self) -> None:
        self.batches = self.lives = self.bytes = self.resumed = self.repeated = 0
        self.interrupted = 0
        self.worst = 0.0
        self.kills: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.failed: list[Outcome] = []

    def add(self, outcome: Outcome) -> None:
        self.batches += 1
        self.lives += outcome.lives
        self.bytes += outcome.bytes
        self.kills.update(kill.how.value for kill in outcome.kills)
        self.calls.update(outcome.calls)
        self.resumed += len(outcome.repeats)
        self.repeated += sum(repeat.windows > 0 for repeat in outcome.repeats)
        self.interrupted += outcome.interrupted
        self.worst = max((self.worst, *(repeat.seconds for repeat in outcome.repeats)))
        if outcome.problems:
            self.failed.append(outcome)

    @property
    def elsewhere(self) -> int:
        """Kills that were not in a storage call."""
        return self.kills.total() - self.kills[How.CALL]

    def __str__(self) -> str:
        return "\n".join(
            (
                f"kills: {self.kills.total()} ({_listed(self.kills)})",
                f"storage calls died in: {_listed(self.calls)}",
                f"batches: {self.batches}, lives: {self.lives}, files gone on with inside: "
                f"{self.resumed}, windows interrupted: {self.interrupted}",
                f"bytes of transcripts compared: {self.bytes}",
                f"finished windows done again: {self.repeated}, worst: {self.worst:.1f} s of sound",
                f"batches with a problem: {len(self.failed)}",
            )
        )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in counts.most_common()) or "none"
