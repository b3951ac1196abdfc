"""Model folders: copies of the embedded model, whole, damaged, or as if of another kind."""

import json
import shutil
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from fwtui import demo

Change = Callable[[Path], object]


def model_copy(folder: Path) -> Path:
    """A copy of the embedded model."""
    shutil.copytree(demo.model_dir(), folder)
    return folder


def english(folder: Path) -> Path:
    """A model whose vocabulary is English only, as a text file with a line end after the last."""
    folder = model_copy(folder)
    tokens = json.loads((folder / "vocabulary.json").read_text())
    (folder / "vocabulary.json").unlink()
    lines = [token or "<|filler|>" for token in tokens]
    (folder / "vocabulary.txt").write_text("".join(f"{line}\n" for line in lines))
    return folder


def cut(name: str, share: float) -> Change:
    def change(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * share)])

    return change


def _write(name: str, text: str) -> Change:
    return lambda folder: (folder / name).write_text(text)


def _without_token(token: str) -> Change:
    def change(folder: Path) -> None:
        file = folder / "tokenizer.json"
        file.write_text(file.read_text().replace(token, token.replace("|", "!")))

    return change


def _shifted(folder: Path) -> None:
    file = folder / "vocabulary.json"
    file.write_text(json.dumps(["more", *json.loads(file.read_text())[:-1]]))


def _longer_vocabulary(folder: Path) -> None:
    file = folder / "vocabulary.json"
    file.write_text(json.dumps([*json.loads(file.read_text()), "one more"]))


def damaged_copies() -> Mapping[str, Change]:
    """Ways to damage a model, by name."""
    files = ("model.bin", "config.json", "tokenizer.json", "vocabulary.json")
    return {
        **{f"{name}, nothing left": cut(name, 0) for name in files},
        **{f"{name}, half": cut(name, 0.5) for name in files},
        "model.bin, a byte short": cut("model.bin", 0.999999),
        "model.bin, a header only": cut("model.bin", 0.00001),
        "model.bin, a web page": _write("model.bin", "<!DOCTYPE html>" * 1000),
        "tokenizer.json, of nothing": _write("tokenizer.json", "{}"),
        "tokenizer.json, no text": lambda f: (f / "tokenizer.json").write_bytes(b"\xff" * 100),
        "tokenizer.json, no end": _without_token("<|endoftext|>"),
        "tokenizer.json, no times": _without_token("<|notimestamps|>"),
        "tokenizer.json, of another model": _shifted,
        "vocabulary.json, of another model": _longer_vocabulary,
        "config.json, a list": _write("config.json", "[]"),
        "preprocessor_config.json, half": cut("preprocessor_config.json", 0.5),
        "preprocessor_config.json, another rate": _write(
            "preprocessor_config.json", '{"feature_size": 80, "sampling_rate": 8000}'
        ),
    }


def write_weights(file: Path, *, mels: int, encoder: int, decoder: int, tokens: int) -> None:
    """A model.bin of this shape in CTranslate2's format, all zeros."""
    shapes = {"encoder/conv1/weight": (2, mels, 3), "decoder/embeddings/weight": (tokens, 1)}
    shapes |= {f"encoder/layer_{n}/norm/beta": (1,) for n in range(encoder)}
    shapes |= {f"decoder/layer_{n}/norm/beta": (1,) for n in range(decoder)}
    parts = [struct.pack("<I", 6), _name("WhisperSpec"), struct.pack("<II", 3, len(shapes))]
    for name, shape in shapes.items():
        size = 4
        for length in shape:
            size *= length
        parts += [_name(name), struct.pack(f"<B{len(shape)}I", len(shape), *shape)]
        parts += [struct.pack("<BI", 0, size), bytes(size)]
    file.write_bytes(b"".join([*parts, struct.pack("<I", 0)]))


def _name(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def widen(folder: Path, mels: int) -> None:
    """Give the embedded model more mel bands, as large-v3 has; it hears nothing in the new ones."""
    file = folder / "model.bin"
    data = memoryview(file.read_bytes())
    at = 4
    (length,) = struct.unpack_from("<H", data, at)
    at += 2 + length + 4
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = bytes(data[at + 2 : at + 1 + length]).decode()
        head = at + 2 + length
        rank = data[head]
        shape = struct.unpack_from(f"<{rank}I", data, head + 1)
        kind, size = struct.unpack_from("<BI", data, head + 1 + 4 * rank)
        begin = head + 1 + 4 * rank + 5
        if name == "encoder/conv1/weight":
            width, before, kernel = shape
            row = size // width
            rows = (bytes(data[begin + n * row : begin + (n + 1) * row]) for n in range(width))
            more = bytes(row // before * (mels - before))
            wide = b"".join(one + more for one in rows)
            header = struct.pack("<B3IBI", 3, width, mels, kernel, kind, len(wide))
            file.write_bytes(bytes(data[:head]) + header + wide + bytes(data[begin + size :]))
            return
        at = begin + size
    raise AssertionError("no such weights")
