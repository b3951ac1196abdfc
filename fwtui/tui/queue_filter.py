"""The filter of the queue: words of names, and conditions such as `is:failed` or `length>30m`.

Pure. All words and conditions must hold. What cannot be read is a problem, and then nothing is
shown: an action on all files shown must never be about others than were meant.
"""

import operator
import re
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from fwtui.core.job import Completed, Job, has_state
from fwtui.core.view import length_of

Condition = Callable[[Job], bool]

# What may follow `is:`, as it is shown to the user.
FILTER_STATES = ("waiting", "running", "done", "check", "failed", "cancelled", "skipped")
_STORED = ("pending", "processing", "completed")  # names of states in session files
HINT = "Name  is:failed  lang:de  length>30m  speed<5  findings>0   is: " + ", ".join(FILTER_STATES)

_WORD = re.compile(r'"([^"]*)"?|(\S+)')
_SPACES = re.compile(
    r"\b(?:(is|state|lang|language):\s+(?=\S)|(length|speed|findings)\s*([<>=]+)\s*)"
)
_NAMED = re.compile(r"(is|state|lang|language):(.*)", re.DOTALL)
_COMPARED = re.compile(r"([a-z]+)(<=|>=|<|>|=)(.*)", re.DOTALL)
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
}
_UNITS = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?:in)?)?(?:(\d+(?:\.\d+)?)s)?")
_CLOCK = re.compile(r"(?:(\d+):)?(\d+):([0-5]\d)")


class QueueFilter(Struct, frozen=True):
    """Case-folded texts of names, and conditions; `problem`: why it cannot be read."""

    texts: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    problem: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether every file matches."""
        return not (self.texts or self.conditions or self.problem)

    def has(self, job: Job) -> bool:
        """Whether the conditions hold for a file."""
        return not self.problem and all(condition(job) for condition in self.conditions)

    def names(self, name: str) -> bool:
        """Whether a case-folded name has all texts."""
        return all(text in name for text in self.texts)


@lru_cache(maxsize=16)
def parse_filter(typed: str) -> QueueFilter:
    """The filter that a text stands for.

    Words without a condition between them are one text, with the spaces that are typed.
    """
    texts: list[str] = []
    conditions: list[Condition] = []
    folded = _SPACES.sub(_without_spaces, typed.casefold())
    end = -1  # of the last text, if nothing has come since
    try:
        for found in _WORD.finditer(folded):
            quoted, word = found.groups()
            condition = _condition(word) if word else None
            if condition is not None:
                conditions.append(condition)
                end = -1
            elif word and end >= 0:
                texts[-1] += folded[end : found.end()]
                end = found.end()
            elif text := word or quoted:
                texts.append(text)
                end = found.end() if word else -1
    except ValueError as error:
        return QueueFilter(problem=str(error))
    return QueueFilter(tuple(texts), tuple(conditions))


def _without_spaces(found: re.Match[str]) -> str:
    return f"{found[1]}:" if found[1] else f"{found[2]}{found[3]}"


def _condition(word: str) -> Condition | None:
    """What a word asks for; None: it is part of a name. Raises ValueError with what is wrong."""
    if named := _NAMED.fullmatch(word):
        values = [value for value in re.split(r"[|,]", named[2]) if value]
        make = _state if named[1] in {"is", "state"} else _language
        return _any_of([make(value) for value in values])
    if compared := _COMPARED.fullmatch(word):
        field, sign, value = compared[1], compared[2], compared[3]
        if field not in _FIELDS and sign == "=":
            return None  # names may have that
        if field not in _FIELDS:
            raise ValueError(f"{field}{sign} is not known: length, speed and findings are")
        return _comparison(field, sign, value)
    return None


def _any_of(conditions: list[Condition]) -> Condition:
    """One of them must hold; all files, if nothing has been typed yet."""
    return lambda job: not conditions or any(condition(job) for condition in conditions)


def _state(value: str) -> Condition:
    if not any(name.startswith(value) for name in (*FILTER_STATES, *_STORED)):
        raise ValueError(f"is:{value} is no state: {', '.join(FILTER_STATES)} are")
    return lambda job: has_state(job, value)


def _language(value: str) -> Condition:
    from fwtui.core.languages import LANGUAGES, language_code

    code = language_code(value)
    wanted = frozenset(
        known
        for known, name in LANGUAGES.items()
        if known == code or (code is None and (known.startswith(value) or name.startswith(value)))
    )
    if not wanted:
        raise ValueError(f"lang:{value} is no language: take a code such as de, or a name")
    return lambda job: isinstance(job.state, Completed) and job.state.language in wanted


def _comparison(field: str, sign: str, value: str) -> Condition:
    read, parse, forms = _FIELDS[field]
    wanted = parse(value)
    if wanted is None:
        raise ValueError(f"{field}{sign}{value} cannot be read: {field} takes {forms}")
    holds = _OPERATORS[sign]

    def condition(job: Job) -> bool:
        found = read(job)
        return found is not None and holds(found, wanted)

    return condition


def _length(job: Job) -> float | None:
    return round(length_of(job)) or None  # as it is shown


def _speed(job: Job) -> float | None:
    speed = job.state.speed if isinstance(job.state, Completed) else None
    return round(speed, 1) if speed is not None else None


def _findings(job: Job) -> float | None:
    if not isinstance(job.state, Completed):
        return None
    return float(len(job.state.findings) + len(job.state.warnings))


def parse_length(text: str) -> float | None:
    """Seconds of `90s`, `30m`, `1h30m`, `1:30` or `1:02:05`; None if it is none of these."""
    if clock := _CLOCK.fullmatch(text):
        return int(clock[1] or 0) * 3600.0 + int(clock[2]) * 60.0 + int(clock[3])
    units = _UNITS.fullmatch(text)
    if not text or units is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in units.groups())
    return hours * 3600 + minutes * 60 + seconds


def _number(text: str) -> float | None:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)[x×]?", text)
    return float(found[1]) if found else None


_Field = tuple[Callable[[Job], float | None], Callable[[str], float | None], str]
_FIELDS: dict[str, _Field] = {
    "length": (_length, parse_length, "90s, 30m, 1h30m or 1:30"),
    "speed": (_speed, _number, "a number, times real time"),
    "findings": (_findings, _number, "a number"),
}
