"""The context of a decoding: what the prompt may hold, so that half of it stays free for the text.

Whisper's decoder has 448 positions for the prompt and the text that it makes. faster-whisper lets
hotwords and previous text take 223 each, which leaves nothing to decode with. Previous text alone
gets as much as there (without the few tokens that start a prompt, that is half), so that the text
is the same.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import TranscriptionOptions, WhisperModel

# Names of hotwords in the warning about those that are left out.
_NAMED = 12
_QUOTED = 60  # characters of a text that is cut

Encode = Callable[[str], list[int]]


class Fitted(NamedTuple):
    """A text cut to a number of tokens: what is kept, and the parts that are left out."""

    text: str
    left_out: tuple[str, ...] = ()


def fit(text: str, room: int, encode: Encode, *, keep_end: bool = False) -> Fitted:
    """The longest beginning (or end) of `text` that has at most `room` tokens, in whole parts.

    Parts are the entries of a list with commas, semicolons or lines, or else words; of a single
    part that is too long, as many characters as fit.
    """
    text = text.strip()
    if len(encode(" " + text)) <= room:
        return Fitted(text)
    parts = _parts(text)
    if keep_end:
        parts = parts[::-1]

    def joined(count: int) -> str:
        kept = parts[:count]
        return "".join(reversed(kept) if keep_end else kept).strip(_SEPARATORS)

    count = _most(len(parts), lambda count: len(encode(" " + joined(count))) <= room)
    if count:
        return Fitted(joined(count), tuple(part.strip(_SEPARATORS) for part in parts[count:]))
    part = parts[0].strip(_SEPARATORS)
    whole = part[::-1] if keep_end else part

    def some(count: int) -> str:
        while 0 < count < len(whole) and unicodedata.combining(whole[count - (keep_end)]):
            count -= 1
        return whole[:count][::-1] if keep_end else whole[:count]

    count = _most(len(whole), lambda count: len(encode(" " + some(count))) <= room)
    return Fitted(some(count), (part, *(rest.strip(_SEPARATORS) for rest in parts[1:])))


_SEPARATORS = " \t\r\n,;、，；،"  # noqa: RUF001
_ENTRIES = re.compile(r"[^,;、，；،\n]*[,;、，；،\n]*")  # noqa: RUF001
_WORDS = re.compile(r"\s*\S+\s*")


def _parts(text: str) -> list[str]:
    entries = [part for part in _ENTRIES.findall(text) if part.strip(_SEPARATORS)]
    return entries if len(entries) > 1 else _WORDS.findall(text)


def _most(count: int, fits: Callable[[int], bool]) -> int:
    """The highest number up to `count` that fits; all numbers below one that fits do, nearly."""
    low, high = 0, count
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def share(first: int, second: int, room: int) -> tuple[int, int]:
    """Tokens that two texts of these lengths get; none is cut to less than half of the room."""
    half = room // 2
    given = min(first, max(room - second, room - half))
    return given, min(second, room - given)


class Context:
    """The prompts for a file: hotwords, initial prompt and prefix cut so that they fit.

    `warnings` name what was cut. `previous_room` is how many tokens of previous text a prompt has
    room for.
    """

    def __init__(
        self, model: WhisperModel, tokenizer: Tokenizer, options: TranscriptionOptions
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self.options = options
        self.warnings: tuple[str, ...] = ()
        hotwords, initial = options.hotwords or "", (options.initial_prompt or "").strip()
        prefix = (options.prefix or "").strip()
        fixed = 1 + len(tokenizer.sot_sequence) + bool(options.without_timestamps)
        self._room: int = max(0, model.max_length // 2 - fixed)
        lengths = [self._length(text) for text in (hotwords, initial, prefix)]
        for_hotwords, for_initial = share(lengths[0], lengths[1], self._room)
        for_prefix = 0
        if prefix:
            start = 0 if options.without_timestamps else 1
            beside, for_prefix = share(lengths[1], lengths[2], self._room - start)
            for_initial = min(for_initial, beside)
        self.hotwords = self._cut("hotwords", hotwords, for_hotwords)
        self.initial_prompt = self._cut("initial_prompt", initial, for_initial, keep_end=True)
        self.prefix = self._cut("prefix", prefix, for_prefix)
        self.previous_room = model.max_length // 2 - 1
        if self.hotwords:
            self.previous_room = self._room - self._length(self.hotwords)

    def _length(self, text: str) -> int:
        return len(self._tokenizer.encode(" " + text.strip())) if text.strip() else 0

    def _cut(self, name: str, text: str, room: int, *, keep_end: bool = False) -> str:
        if not text.strip():
            return ""
        fitted = fit(text, room, self._tokenizer.encode, keep_end=keep_end)
        if fitted.left_out:
            self.warnings = (*self.warnings, cut_warning(name, fitted))
        return fitted.text

    def initial(self, *, batched: bool = False) -> list[int]:
        """The initial prompt as tokens; empty if there is none."""
        text = " " + self.initial_prompt
        if batched and self.initial_prompt == (self.options.initial_prompt or "").strip():
            text = self.options.initial_prompt or ""  # as it is, like faster-whisper's pipeline
        return self._tokenizer.encode(text) if self.initial_prompt else []

    def prompt(self, previous: Sequence[int], *, prefix: bool = False) -> list[int]:
        """The prompt after this previous text, of which the end is kept; `prefix`: with it."""
        start = self.prefix if prefix else ""
        room = self.previous_room
        if start:  # hotwords are not used beside a prefix
            stamp = 0 if self.options.without_timestamps else 1
            room = self._room - stamp - self._length(start)
        made: list[int] = self._model.get_prompt(
            self._tokenizer,
            list(previous[-room:]) if room > 0 else [],
            without_timestamps=self.options.without_timestamps,
            prefix=start or None,
            hotwords=self.hotwords or None,
        )
        return made

    def options_for(self, prompt: Sequence[int]) -> TranscriptionOptions:
        """The options for this prompt; `max_new_tokens` is no more than there is room for."""
        most = self.options.max_new_tokens
        free = self._model.max_length - len(prompt)
        if most is None or most <= free:
            return self.options
        return replace(self.options, max_new_tokens=free)


def cut_warning(name: str, fitted: Fitted) -> str:
    """The warning about a text that is too long for the model."""
    left_out = fitted.left_out
    if name == "hotwords":
        more = len(left_out) - _NAMED
        names = ", ".join(left_out[:_NAMED]) + (f" and {more} more" if more > 0 else "")
        return f"hotwords are too many for the model; not used: {names}"
    kept = fitted.text
    if name == "initial_prompt":
        used = f"only its end is used, from “{kept[:_QUOTED]}…”" if kept else "it is not used"
        return f"the initial prompt is too long for the model; {used}"
    used = f"only its beginning is used, to “…{kept[-_QUOTED:]}”" if kept else "it is not used"
    return f"the {name} is too long for the model; {used}"


def token_limit(max_length: int, prompt: int, most: int | None) -> int:
    """Tokens that CTranslate2 decodes at most after a prompt of this length.

    `most`: `max_new_tokens`. Measured with CTranslate2 4.8: half of the maximum length, or what
    the prompt leaves of it. A decoding of that many tokens has not found its end.
    """
    total = max_length if most is None else min(max_length, prompt + most)
    return min(total // 2, total - prompt + 1)


class CutOff(NamedTuple):
    """A decoding that ended without an end token; `limit` is how many tokens it could have.

    `asked`: that is what `max_new_tokens` asks for.
    """

    limit: int
    asked: bool


def cut_off(
    tokens: Sequence[int], prompt: Sequence[int], max_length: int, most: int | None
) -> CutOff | None:
    """Whether a decoding ended for lack of room; `most`: `max_new_tokens`."""
    limit = token_limit(max_length, len(prompt), most)
    if len(tokens) < limit:
        return None
    return CutOff(limit, asked=len(tokens) < token_limit(max_length, len(prompt), None))
