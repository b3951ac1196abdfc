"""Who speaks when, and what speakers are called. Pure."""

from collections.abc import Iterable, Mapping

import msgspec

from fwtui.core.settings import SpeakerSettings
from fwtui.core.text import printable

MOST_NAME = 60
"""Characters of a speaker's name."""
SPEAKER_NAME = f"at most {MOST_NAME} characters, without [ ] = or commas"
NAMES = "number=name, comma-separated, such as 00=Anna,01=Ben; names without [ ] = or commas"


class Turn(msgspec.Struct, frozen=True):
    """A passage of one speaker. Times in seconds from the start of the file.

    `speaker`: 0, 1, ... in the order in which the speakers are first heard.
    """

    start: float
    end: float
    speaker: int


class SpeakerTime(msgspec.Struct, frozen=True, gc=False):
    """How long a speaker speaks, from when on and until when, in seconds of the file."""

    speaker: int
    seconds: float
    first: float
    last: float


def speaker_times(turns: Iterable[Turn]) -> tuple[SpeakerTime, ...]:
    """How long each speaker speaks, by number."""
    found: dict[int, SpeakerTime] = {}
    for turn in turns:
        known = found.get(turn.speaker, SpeakerTime(turn.speaker, 0.0, turn.start, turn.end))
        found[turn.speaker] = SpeakerTime(
            turn.speaker,
            round(known.seconds + turn.end - turn.start, 3),
            min(known.first, turn.start),
            max(known.last, turn.end),
        )
    return tuple(found[speaker] for speaker in sorted(found))


def order_of_appearance(turns: Iterable[Turn]) -> dict[int, int]:
    """The place of each speaker, by number, in the order in which they are first heard."""
    ordered = sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))
    found = dict.fromkeys(turn.speaker for turn in ordered)
    return {speaker: place for place, speaker in enumerate(found)}


def in_order_of_appearance(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """The turns by time, their speakers numbered in the order in which they are first heard."""
    turns = sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))
    places = order_of_appearance(turns)
    return tuple(msgspec.structs.replace(turn, speaker=places[turn.speaker]) for turn in turns)


def speaker_label(speaker: int, prefix: str = "SPEAKER") -> str:
    """The label of a speaker without a name, as WhisperX and whisper-ctranslate2 write it."""
    return f"{prefix}_{speaker:02d}"


def speaker_labels(
    turns: Iterable[Turn | SpeakerTime], prefix: str, names: Mapping[int, str]
) -> dict[int, str]:
    """What each speaker is called. Two with the same name are one person in the outputs."""
    return {
        turn.speaker: names.get(turn.speaker) or speaker_label(turn.speaker, prefix)
        for turn in turns
    }


def labelled(speaker: str | None, text: str) -> str:
    """A text with its speaker, if that is known, as WhisperX and whisper-ctranslate2 write it."""
    return text if speaker is None else f"[{speaker}]: {text}"


def labels_of(
    turns: Iterable[Turn | SpeakerTime],
    settings: SpeakerSettings,
    own: Mapping[int, str] | None = None,
) -> dict[int, str]:
    """What the speakers of a file are called; `own` are the names that it has for itself."""
    try:
        named = speaker_names(settings.speaker_names)
    except ValueError:  # of a session that somebody has edited
        named = {}
    return speaker_labels(turns, settings.speaker_name, {**named, **(own or {})})


def is_speaker_name(name: str) -> bool:
    """Whether a text can be the name of a speaker: it must be read back from `[name]: text`."""
    return (
        0 < len(name) <= MOST_NAME
        and name == name.strip()
        and printable(name) == name
        and not set(name) & set("[]=,")
    )


def speaker_names(text: str | None) -> Mapping[int, str]:
    """The names in a text like `00=Anna,01=Ben`, by speaker; labels may be in place of numbers.

    Raises ValueError if it is anything else, or names a speaker twice.
    """
    found: dict[int, str] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        key, _, name = (piece.strip() for piece in part.partition("="))
        digits = key.rpartition("_")[2]
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 4):
            raise ValueError(text)
        if int(digits) in found or not is_speaker_name(name):
            raise ValueError(text)
        found[int(digits)] = name
    return found
