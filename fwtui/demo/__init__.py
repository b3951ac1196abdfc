"""The embedded tiny model and its clips: real speech with known words, offline.

The model knows spoken digits, weekdays and colours in English and German. It was trained from
scratch on espeak-ng speech by `tests/demo_model`; it holds nothing of OpenAI's weights.
"""

from pathlib import Path

import msgspec

_HERE = Path(__file__).parent


class Phrase(msgspec.Struct, frozen=True):
    """What is said in a clip from `start` to `end` (seconds)."""

    start: float
    end: float
    text: str


class Clip(msgspec.Struct, frozen=True):
    """What is in a clip; `english` is the text in English, whatever language is spoken."""

    language: str
    phrases: tuple[Phrase, ...]
    english: str

    @property
    def text(self) -> str:
        """All words, separated by spaces."""
        return " ".join(phrase.text for phrase in self.phrases)


def model_dir() -> Path:
    """Folder of the CTranslate2 model."""
    return _HERE / "model"


def clips() -> tuple[Path, ...]:
    """The clips, the short ones first."""
    names = sorted(_index(), key=lambda name: (name.endswith(".opus"), name))
    return tuple(_HERE / "clips" / name for name in names)


def clip(path: Path) -> Clip:
    """What is in the clip of that file name. Raises KeyError for any other file."""
    return _index()[path.name]


def expected_text(path: Path) -> str:
    """The words spoken in the clip of that file name. Raises KeyError for any other file."""
    return clip(path).text


def _index() -> dict[str, Clip]:
    return msgspec.json.decode((_HERE / "clips" / "clips.json").read_bytes(), type=dict[str, Clip])
