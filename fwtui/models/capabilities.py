"""What a model can do, looked up in its files: languages, translation, shape. No native imports.

A folder's name says nothing: its vocabulary, tokenizer and weights do. What contradicts itself, or
is cut off, is damaged.
"""

import os
import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from fwtui.core.decoding import suppressed_tokens
from fwtui.core.languages import LANGUAGES
from fwtui.core.settings import ModelSettings, Settings
from fwtui.core.text import printable
from fwtui.disk.files import is_regular
from fwtui.errors import ModelAbsentError, ModelError, UsageError
from fwtui.models.cache import locate
from fwtui.models.catalogue import CONVERTER, find_in_catalogue, short_name
from fwtui.models.integrity import damaged_files

# Tokens without which nothing can be decoded; the second row where there is more than English.
_SPECIAL = ("<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>")
_MULTILINGUAL = ("<|transcribe|>", "<|translate|>")
# From this version of CTranslate2's format on, a variable says how many bytes it has.
_SIZED_FORMAT = 4
_MOST_VARIABLES = 1 << 20
MOST_TEXT = 256 << 20
"""Bytes of a file that is not `model.bin`; those of large-v3 have 4 MB."""
# What all Whisper models share of `preprocessor_config.json`.
_INPUT = {"sampling_rate": 16000, "hop_length": 160, "n_fft": 400, "chunk_length": 30}
USUAL_MELS = 80
"""Mel bands of all models before large-v3."""


class Weights(msgspec.Struct, frozen=True):
    """The shape of a model by its weights; 0 where they do not say it."""

    mels: int = 0
    tokens: int = 0
    encoder_layers: int = 0
    decoder_layers: int = 0


class Capabilities(msgspec.Struct, frozen=True):
    """What a model can do.

    `languages`: codes; `tokens`: how many it knows; `mels`: the bands of its input. `is_pruned`:
    its decoder has at most half as many layers as its encoder, as in turbo and distilled models,
    which were trained to transcribe only. `notes` say what is unusual about its files.
    """

    languages: tuple[str, ...]
    tokens: int
    mels: int = USUAL_MELS
    is_pruned: bool = False
    notes: tuple[str, ...] = ()


def check_model(settings: Settings, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Check what the settings ask of their model; returns warnings.

    A model that is not on this machine is checked by what the catalogue says. Raises UsageError
    that names the setting, or ModelError if the model is damaged or not a model.
    """
    try:
        folder = locate(settings.model, environ)
    except ModelAbsentError:
        return tuple(_by_catalogue(settings))
    known = capabilities(folder, settings.model)
    _check_languages(settings, known)
    _check_tokens(settings, known)
    return (*known.notes, *_by_catalogue(settings), *_by_shape(settings, known))


def capabilities(folder: Path, settings: ModelSettings | None = None) -> Capabilities:
    """What the model in a folder can do. Raises ModelError if it is damaged.

    `settings`: those that name it, for the advice.
    """
    try:
        found = _capabilities(folder, _signature(folder))
        _check_digests(folder)
    except ModelError as error:
        hint = mend_hint(folder, settings)
        raise ModelError(error.title, hint, setting="model.model") from error
    return found


def supported_languages(folder: Path) -> tuple[str, ...]:
    """The codes of the languages in the vocabulary of a model; none if it cannot be read."""
    try:
        return _languages(_vocabulary(folder))
    except ModelError:
        return ()


def input_mels(folder: Path) -> int:
    """The mel bands that the model's weights expect.

    If they do not say it, those in `preprocessor_config.json`, otherwise `USUAL_MELS`.
    """
    try:
        return _weights(folder / "model.bin").mels or _configured_mels(folder)
    except ModelError:
        return USUAL_MELS


def mend_hint(folder: Path, settings: ModelSettings | None) -> str:
    """How to mend a damaged model: that of the settings, in this folder."""
    name = "" if settings is None else settings.model
    if name and folder.parent.name == "snapshots":
        return f"fwtui models download {printable(name)} mends it"
    return f"copy the folder again, or convert the model: {CONVERTER.format(model='MODEL')}"


def unsupported_compute_type(name: str, types: Iterable[str], *, on_gpu: bool) -> UsageError:
    """The error for a compute type that the device, which supports `types`, does not."""
    device = "GPU" if on_gpu else "CPU"
    return UsageError(
        f"--compute_type cannot be {name}: this {device} does not support it",
        f"allowed: auto, default, {', '.join(sorted(types))}",
        setting="model.compute_type",
    )


# --- what settings ask of a model


def _by_catalogue(settings: Settings) -> Iterator[str]:
    """Warnings about a published model. Raises UsageError."""
    model = find_in_catalogue(settings.model.model)
    if model is None:
        return
    decoding = settings.decoding
    if model.languages == 1 and model.name.endswith(".en"):
        _check_languages(settings, Capabilities(("en",), 0))
    if decoding.task == "translate" and not model.translates:
        raise UsageError(
            f"the model {model.name} cannot translate: it was trained to transcribe only",
            "use --model medium or large-v3, or --task transcribe",
            setting="decoding.task",
        )
    if model.languages == 1 and decoding.language not in {None, "en"}:
        language = LANGUAGES[decoding.language or "en"]
        yield f"the model {model.name} was trained on English only, not on {language.title()}"


def _by_shape(settings: Settings, known: Capabilities) -> Iterator[str]:
    if settings.decoding.task == "translate" and known.is_pruned:
        yield (
            f"the model {printable(settings.model.model)} probably cannot translate: it has the "
            "shape of a turbo or distilled model, which were trained to transcribe only"
        )
    if settings.decoding.multilingual and known.languages == ("en",):
        yield "--multilingual has no effect: the model supports English only"


def _check_languages(settings: Settings, known: Capabilities) -> None:
    name, decoding = printable(settings.model.model), settings.decoding
    if known.languages == ("en",):
        if decoding.language not in {None, "en"}:
            raise UsageError(
                f"the model {name} supports English only, but the language is {decoding.language}",
                "use --model with a multilingual one such as small, or --language en",
                setting="decoding.language",
            )
        if decoding.task == "translate":
            raise UsageError(
                f"the model {name} supports English only, so it cannot translate",
                "use --model with a multilingual one such as small, or --task transcribe",
                setting="decoding.task",
            )
    elif decoding.language is not None and decoding.language not in known.languages:
        raise UsageError(
            f"the model {name} does not know the language {decoding.language}",
            f"it knows {_few(known.languages)}; omit --language to detect it",
            setting="decoding.language",
        )


def _few(languages: tuple[str, ...]) -> str:
    return " ".join(languages) if len(languages) < 20 else f"{len(languages)} others"


def _check_tokens(settings: Settings, known: Capabilities) -> None:
    wrong = [n for n in suppressed_tokens(settings.decoding.suppress_tokens) if n >= known.tokens]
    if wrong:
        raise UsageError(
            f"--suppress_tokens cannot have {wrong[0]}: the model has {known.tokens:,} tokens",
            f"allowed: -1 and token IDs from 0 to {known.tokens - 1}",
            setting="decoding.suppress_tokens",
        )


# --- the files of a model


def _signature(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What changes when a file of the model does. Raises ModelError."""
    found = []
    try:
        for entry in sorted(folder.iterdir()):
            stat = entry.stat()
            found.append((entry.name, stat.st_size, stat.st_mtime_ns))
    except OSError as error:
        reason = error.strerror or error
        raise ModelError(f"Cannot read the model in {folder}: {reason}", "") from error
    return tuple(found)


def _check_digests(folder: Path) -> None:
    """Compare the files with their digests where the hub told them. Raises ModelError."""
    if folder.parent.name != "snapshots":
        return
    try:
        for name in damaged_files(folder):
            raise _damaged(folder, name, "is not what was downloaded: its checksum is wrong")
    except OSError as error:
        reason = error.strerror or error
        raise ModelError(f"Cannot read the model in {folder}: {reason}", "") from error


@lru_cache(maxsize=4)
def _capabilities(folder: Path, _: tuple[tuple[str, int, int], ...]) -> Capabilities:
    weights = _weights(folder / "model.bin")
    tokens = _vocabulary(folder)
    _decoded(folder / "config.json", dict[str, Any])
    _check_tokenizer(folder, tokens)
    if weights.tokens and weights.tokens < len(tokens):
        raise _damaged(folder, "vocabulary", "has more tokens than the weights")
    mels = weights.mels or _configured_mels(folder)
    return Capabilities(
        languages=_languages(tokens),
        tokens=weights.tokens or len(tokens),
        mels=mels,
        is_pruned=0 < 2 * weights.decoder_layers <= weights.encoder_layers,
        notes=tuple(_notes(folder, mels)),
    )


def _configured_mels(folder: Path) -> int:
    """The mel bands in `preprocessor_config.json`. Raises ModelError."""
    file = folder / "preprocessor_config.json"
    if not is_regular(file):
        return USUAL_MELS
    mels = _decoded(file, dict[str, Any]).get("feature_size", USUAL_MELS)
    if type(mels) is not int or not 0 < mels <= 1024:
        raise _damaged(folder, file.name, f"says feature_size {mels}")
    return mels


def _notes(folder: Path, mels: int) -> Iterator[str]:
    file = folder / "preprocessor_config.json"
    if not is_regular(file):
        if mels != USUAL_MELS:
            yield (
                f"the model in {printable(str(folder))} has no {file.name}: using {mels} mel "
                "bands, as its weights need"
            )
        return
    values = _decoded(file, dict[str, Any])
    for key, usual in _INPUT.items():
        if values.get(key, usual) != usual:
            raise _damaged(folder, file.name, f"says {key} {values[key]}; Whisper has {usual}")
    if (said := values.get("feature_size", USUAL_MELS)) != mels:
        yield (
            f"{printable(str(file))} says {printable(str(said))} mel bands: using {mels}, as the "
            "weights need"
        )


def _languages(tokens: tuple[str, ...]) -> tuple[str, ...]:
    known = frozenset(tokens)
    if "" not in known:  # only multilingual vocabularies have the empty entry
        return ("en",)
    return tuple(code for code in LANGUAGES if f"<|{code}|>" in known)


def _vocabulary(folder: Path) -> tuple[str, ...]:
    """The tokens of a model by ID. Raises ModelError."""
    as_json, as_text = folder / "vocabulary.json", folder / "vocabulary.txt"
    if is_regular(as_json):
        return tuple(_decoded(as_json, list[str]))
    try:
        text = as_text.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(folder, as_text.name, str(error)) from error
    return tuple(text.removesuffix("\n").split("\n"))


class _AddedToken(msgspec.Struct):
    id: int
    content: str


class _TokenizerModel(msgspec.Struct):
    vocab: dict[str, int]


class _TokenizerFile(msgspec.Struct):
    model: _TokenizerModel
    added_tokens: list[_AddedToken] = []


def _check_tokenizer(folder: Path, tokens: tuple[str, ...]) -> None:
    """Check that the tokenizer is that of the vocabulary. Raises ModelError."""
    file = folder / "tokenizer.json"
    read = _decoded(file, _TokenizerFile)
    ids = read.model.vocab | {one.content: one.id for one in read.added_tokens}
    for token in (*_SPECIAL, *(_MULTILINGUAL if "" in tokens else ())):
        number = ids.get(token)
        if number is None:
            raise _damaged(folder, file.name, f"has no {token}")
        if number >= len(tokens) or tokens[number] != token:
            raise _damaged(folder, file.name, f"belongs to another model: {token} differs")


def _decoded(file: Path, kind: Any) -> Any:
    """The contents of a JSON file as this type. Raises ModelError."""
    try:
        if not is_regular(file) or file.stat().st_size > MOST_TEXT:
            raise _damaged(file.parent, file.name, "is missing, too large or no file")
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "is empty" if _is_empty(file) else f"cannot be read ({error})"
        raise _damaged(file.parent, file.name, reason) from error


def _is_empty(file: Path) -> bool:
    try:
        return file.stat().st_size == 0
    except OSError:
        return False


def _damaged(folder: Path, name: str, why: str) -> ModelError:
    return ModelError(f"The model {_name_of(folder)} is damaged: {name} {why}")


def _name_of(folder: Path) -> str:
    """The name of a downloaded model, or the path of a folder."""
    home = folder.parent.parent.name
    if folder.parent.name == "snapshots" and home.startswith("models--"):
        return printable(short_name("/".join(home.split("--", 2)[1:])))
    return f"in {printable(str(folder))}"


def _weights(file: Path) -> Weights:
    """The shape of the weights, after checking that all of them are there. Raises ModelError.

    The file: version, name and revision of the format, number of variables; of each its name, rank,
    lengths, type, bytes, and the bytes; then aliases (CTranslate2's `model_spec.py`, `_serialize`).
    """
    try:
        with file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            return _read_weights(stream, size)
    except OSError as error:
        raise _damaged(file.parent, file.name, f"cannot be read ({error.strerror})") from error
    except (struct.error, ValueError) as error:
        raise _damaged(file.parent, file.name, str(error)) from error


def _read_weights(stream: BinaryIO, size: int) -> Weights:
    if size == 0:
        raise ValueError("is empty")
    version = _number(stream, "I")
    if not 0 < version < 100:
        raise ValueError("is not a CTranslate2 model")
    if version < _SIZED_FORMAT:
        return Weights()
    _text(stream)
    _number(stream, "I")
    shapes: dict[str, tuple[int, ...]] = {}
    count = _number(stream, "I")
    if count > _MOST_VARIABLES:
        raise ValueError("is not a CTranslate2 model")
    for _ in range(count):
        name = _text(stream)
        shapes[name] = tuple(_number(stream, "I") for _ in range(_number(stream, "B")))
        _number(stream, "B")
        end = _number(stream, "I") + stream.tell()
        if end > size:
            raise ValueError("is cut off: bytes are missing at its end")
        stream.seek(end)
    for _ in range(min(_number(stream, "I"), _MOST_VARIABLES)):  # tied weights have another name
        alias, name = _text(stream), _text(stream)
        shapes[alias] = shapes.get(name, ())
    return _shape(shapes)


def _shape(shapes: Mapping[str, tuple[int, ...]]) -> Weights:
    conv = shapes.get("encoder/conv1/weight", ())
    embeddings = shapes.get("decoder/embeddings/weight", ())
    return Weights(
        mels=conv[1] if len(conv) == 3 else 0,
        tokens=embeddings[0] if len(embeddings) == 2 else 0,
        encoder_layers=_layers(shapes, "encoder"),
        decoder_layers=_layers(shapes, "decoder"),
    )


def _layers(shapes: Mapping[str, tuple[int, ...]], part: str) -> int:
    layer = re.compile(rf"{part}/layer_(\d+)/")
    return len({found[1] for name in shapes if (found := layer.match(name))})


def _number(stream: BinaryIO, form: str) -> int:
    form = f"<{form}"
    data = stream.read(struct.calcsize(form))
    if len(data) < struct.calcsize(form):
        raise ValueError("is cut off: bytes are missing at its end")
    number: int = struct.unpack(form, data)[0]
    return number


def _text(stream: BinaryIO) -> str:
    length = _number(stream, "H")
    data = stream.read(length)
    if len(data) < length:
        raise ValueError("is cut off: bytes are missing at its end")
    return data.rstrip(b"\0").decode("utf-8", "replace")
