"""How right a transcript is, word by word."""

import re

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def words(text: str) -> list[str]:
    """The words of a text, without case and punctuation."""
    return _WORD.findall(text.casefold())


def accuracy(expected: str, found: str) -> float:
    """The share of words right, 0 to 1: one minus the word error rate."""
    wanted, got = words(expected), words(found)
    if not wanted:
        return 1.0 if not got else 0.0
    return max(0.0, 1.0 - distance(wanted, got) / len(wanted))


def distance(wanted: list[str], got: list[str]) -> int:
    """The fewest words to add, leave out or change to make one list into the other."""
    row = list(range(len(got) + 1))
    for count, word in enumerate(wanted, 1):
        diagonal, row[0] = row[0], count
        for index, other in enumerate(got, 1):
            changed = diagonal + (word != other)
            diagonal = row[index]
            row[index] = min(changed, row[index] + 1, row[index - 1] + 1)
    return row[-1]
