"""The catalogue of the models that faster-whisper knows by name: sources and sizes. Pure.

The names are those of faster-whisper (a test compares them), which is not imported here because
that takes a second.
"""

import re
from difflib import get_close_matches

import msgspec

from fwtui.errors import ModelError

CONVERTER = (
    "ct2-transformers-converter --model {model} --output_dir FOLDER "
    "--copy_files tokenizer.json preprocessor_config.json --quantization float16"
)
"""The command that converts a model for faster-whisper."""

# As Hugging Face requires; without characters that are special in globs, which use it too.
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


class Model(msgspec.Struct, frozen=True):
    """A published CTranslate2 model. `megabytes` (2**20 bytes) of its model.bin, in float16.

    `languages`: how many it supports; 1 means English. `translates`: into English.
    """

    name: str
    repo: str
    megabytes: int
    languages: int
    aliases: tuple[str, ...] = ()

    @property
    def translates(self) -> bool:
        """Turbo and the distilled models were trained to transcribe only, some to English only."""
        return self.languages > 1 and "turbo" not in self.name and "distil" not in self.name


# Names (the others are aliases), source, MB, languages.
_TABLE = """
tiny                  Systran/faster-whisper-tiny                    75   99
tiny.en               Systran/faster-whisper-tiny.en                 75   1
base                  Systran/faster-whisper-base                    145  99
base.en               Systran/faster-whisper-base.en                 145  1
small                 Systran/faster-whisper-small                   484  99
small.en              Systran/faster-whisper-small.en                484  1
medium                Systran/faster-whisper-medium                  1528 99
medium.en             Systran/faster-whisper-medium.en               1528 1
large-v1              Systran/faster-whisper-large-v1                3087 99
large-v2              Systran/faster-whisper-large-v2                3087 99
large-v3,large        Systran/faster-whisper-large-v3                3087 100
large-v3-turbo,turbo  mobiuslabsgmbh/faster-whisper-large-v3-turbo   1618 100
distil-small.en       Systran/faster-distil-whisper-small.en         332  1
distil-medium.en      Systran/faster-distil-whisper-medium.en        789  1
distil-large-v2       Systran/faster-distil-whisper-large-v2         1513 1
distil-large-v3       Systran/faster-distil-whisper-large-v3         1513 1
distil-large-v3.5     distil-whisper/distil-large-v3.5-ct2           1513 1
"""


def _model(row: str) -> Model:
    names, repo, size, spoken = row.split()
    name, *aliases = names.split(",")
    return Model(name, repo, int(size), int(spoken), tuple(aliases))


MODELS: tuple[Model, ...] = tuple(map(_model, _TABLE.strip().splitlines()))

_BY_NAME = {name: model for model in MODELS for name in (model.name, *model.aliases)}
_BY_REPO = {model.repo: model for model in MODELS}
NAMES: tuple[str, ...] = tuple(_BY_NAME)
"""Every name and alias."""


def find_in_catalogue(name: str) -> Model | None:
    """The model of that name, alias or Hugging Face id; None for others."""
    return _BY_NAME.get(name) or _BY_REPO.get(name)


def repo_of(name: str) -> str:
    """The Hugging Face id of a name. Raises ModelError for anything else."""
    model = find_in_catalogue(name)
    if model is not None:
        return model.repo
    if _REPO.fullmatch(name) and ".." not in name:
        return name
    close = get_close_matches(name, NAMES, n=1)
    raise ModelError(
        f"No model is called {name}",
        f"did you mean {close[0]}?"
        if close
        else f"use a folder, a Hugging Face ID (owner/name), or one of: {', '.join(NAMES)}",
        setting="model.model",
    )


def short_name(repo: str) -> str:
    """The name of a Hugging Face id if it is in the catalogue, otherwise the id."""
    model = _BY_REPO.get(repo)
    return repo if model is None else model.name


def with_size(name: str) -> str:
    """The name with its size if known: `small (484 MB)`."""
    model = find_in_catalogue(name)
    return name if model is None else f"{name} ({megabytes(model.megabytes)})"


def megabytes(amount: float) -> str:
    """MB as text: `484 MB`, `3.0 GB`."""
    return f"{amount:.0f} MB" if amount < 1000 else f"{amount / 1024:.1f} GB"


def languages(count: int) -> str:
    """The number of languages as text."""
    return "English" if count == 1 else f"{count} languages"
