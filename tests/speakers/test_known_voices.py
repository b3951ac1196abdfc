"""Known voices: whom they name, and a file of them that is never believed before it is checked."""

import json
import os
import stat
import struct
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fwtui.audio.signal import FloatArray
from fwtui.disk.lock import SessionLock
from fwtui.errors import StorageError, UsageError
from fwtui.speakers.known_voices import (
    LARGEST,
    MOST_NUMBERS,
    MOST_VOICES,
    KnownVoice,
    add_known_voice,
    delete_known_voice,
    delete_known_voices,
    load_known_voices,
)
from fwtui.speakers.recognition import recognise

MODEL, OTHER = "0123456789abcdef", "f" * 16
THRESHOLD = 0.42


def at(degrees: float) -> FloatArray:
    """A vector in a plane; the cosine distance of two is that of their angles."""
    angle = np.radians(degrees)
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def voice(name: str, degrees: float = 0.0, model: str = MODEL) -> KnownVoice:
    vector = at(degrees).astype("<f2").tobytes()
    return KnownVoice(name, model, "voices.onnx", vector, 9.5, datetime(2026, 1, 2, 3, 4, 5))


@pytest.mark.parametrize(
    ("voices", "known", "names"),
    [
        ({}, [("Anna", 0)], {}),
        ({0: 0}, [], {}),
        ({0: 0, 1: 90}, [("Ben", 85), ("Anna", 3)], {0: "Anna", 1: "Ben"}),
        # The nearest two first, whatever their order; each name and each speaker once.
        ({0: 20, 1: 5}, [("Anna", 0)], {1: "Anna"}),
        ({0: 0}, [("Ben", 20), ("Anna", 10)], {0: "Anna"}),
        ({0: 10, 1: 30}, [("Anna", 25), ("Ben", 40)], {0: "Ben", 1: "Anna"}),
        # 54 degrees are a distance of 0.412, 55 of 0.426.
        ({3: 54}, [("Anna", 0)], {3: "Anna"}),
        ({3: 55}, [("Anna", 0)], {}),
        ({0: 180}, [("Anna", 0)], {}),
    ],
)
def test_whom_known_voices_name(
    voices: dict[int, float], known: list[tuple[str, float]], names: dict[int, str]
) -> None:
    heard = {number: at(degrees) for number, degrees in voices.items()}
    found = recognise(heard, [voice(*one) for one in known], MODEL, THRESHOLD)
    assert (found.names, found.others) == (names, 0)


def test_voices_of_another_model_are_counted_and_not_compared() -> None:
    long = KnownVoice("Cleo", MODEL, "m", np.eye(3)[0].astype("<f2").tobytes(), 1, datetime.min)
    known = [voice("Anna", 0, OTHER), voice("Ben", 10), long]
    assert recognise({0: at(0)}, known, MODEL, THRESHOLD) == ({0: "Ben"}, 1)
    assert recognise({0: at(0)}, known, OTHER, THRESHOLD) == ({0: "Anna"}, 2)
    assert recognise({}, known, MODEL, THRESHOLD) == ({}, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is, in a folder that is not there yet."""
    return tmp_path / "state" / "known-speakers.json"


def test_adding_replacing_and_deleting(path: Path) -> None:
    assert load_known_voices(path) == ()
    assert not add_known_voice(path, voice("Anna"))
    assert not add_known_voice(path, voice("Zoë Müller", 90))
    assert add_known_voice(path, voice("Anna", 45, OTHER))
    assert load_known_voices(path) == (voice("Zoë Müller", 90), voice("Anna", 45, OTHER))
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(UsageError, match="No known speaker is called Ben"):
        delete_known_voice(path, "Ben")
    delete_known_voice(path, "Anna")
    assert load_known_voices(path) == (voice("Zoë Müller", 90),)
    delete_known_voice(path, "Zoë Müller")
    assert list(path.parent.iterdir()) == []  # neither the file, nor a lock or a copy
    delete_known_voices(path)
    assert list(path.parent.iterdir()) == []


def test_there_are_at_most_so_many(path: Path) -> None:
    add_known_voice(path, voice("Anna"))
    content = json.loads(path.read_bytes())
    one = content["voices"][0]
    content["voices"] = [{**one, "name": f"P {number}"} for number in range(MOST_VOICES)]
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError, match="1000 speakers are known"):
        add_known_voice(path, voice("Anna"))
    assert add_known_voice(path, voice("P 7"))


def test_one_at_a_time(path: Path) -> None:
    add_known_voice(path, voice("Anna"))
    lock = SessionLock.acquire(path.with_suffix(".lock"))
    with pytest.raises(StorageError, match="Another fwtui"):
        add_known_voice(path, voice("Ben"))
    lock.release(remove=True)
    assert load_known_voices(path) == (voice("Anna"),)


def test_what_a_crash_left_goes_with_the_next_write(path: Path) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    from fwtui.disk.files import FILES

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(FILES, "replace", fail)
        with pytest.raises(KeyboardInterrupt):
            add_known_voice(path, voice("Anna"))
    assert list(path.parent.glob(".fwtui-*"))
    delete_known_voices(path)
    assert list(path.parent.iterdir()) == []


def changed(**fields: Any) -> Callable[[bytes], bytes]:
    """The file with other values in its first voice."""

    def change(data: bytes) -> bytes:
        content = json.loads(data)
        content["voices"][0].update(fields)
        return json.dumps(content).encode()

    return change


def numbers(*values: float) -> str:
    import base64

    return base64.b64encode(struct.pack(f"<{len(values)}e", *values)).decode()


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "garbage": lambda _: b"\xff\x00\xfe" * 99,
    "deep": lambda _: b"[" * 100_000,
    "a list": lambda _: b"[]",
    "no format": lambda _: b"{}",
    "later format": lambda data: data.replace(b'"format":1', b'"format":2'),
    "huge": lambda data: data + b" " * LARGEST,
    "twice": lambda data: json.dumps(
        {**(content := json.loads(data)), "voices": content["voices"] * 2}
    ).encode(),
    "bad name": changed(name="[x]"),
    "escape": changed(name="a\x1b[2J"),
    "long name": changed(name="x" * 61),
    "no name": changed(name=""),
    "bad model": changed(model="../x"),
    "escape in the model": changed(model_file="\x1b[2J"),
    "long model": changed(model_file="x" * 256),
    "no base64": changed(vector="!"),
    "no vector": changed(vector=""),
    "odd vector": changed(vector="AAAA"),
    "zeros": changed(vector=numbers(0, 0)),
    "too long": changed(vector=numbers(1, 1)),
    "not a number": changed(vector=numbers(float("nan"), 1)),
    "infinite": changed(vector=numbers(float("inf"), 0)),
    "many numbers": changed(vector=numbers(1, *[0] * MOST_NUMBERS)),
    "negative seconds": changed(seconds=-1),
    "seconds are text": changed(seconds="1"),
    "no date": changed(added="yesterday"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_refused_and_can_be_deleted(kind: str, path: Path) -> None:
    add_known_voice(path, voice("Anna"))
    path.write_bytes(DAMAGE[kind](path.read_bytes()))
    before = path.read_bytes()
    for work in (
        lambda: load_known_voices(path),
        lambda: add_known_voice(path, voice("Ben")),
        lambda: delete_known_voice(path, "Anna"),
    ):
        with pytest.raises(StorageError) as caught:
            work()
        assert str(path) in caught.value.title
        assert caught.value.hint
    assert path.read_bytes() == before
    delete_known_voices(path)
    assert list(path.parent.iterdir()) == []


def test_every_cut_is_refused(path: Path) -> None:
    add_known_voice(path, voice("Anna"))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(StorageError):
            load_known_voices(path)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
@pytest.mark.parametrize("kind", ["link", "loop", "pipe"])
def test_what_is_no_file_is_refused_at_once(kind: str, path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    target = tmp_path / "mine.json"
    add_known_voice(target, voice("Anna"))
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(target if kind == "link" else path)
    with pytest.raises(StorageError) as caught:
        load_known_voices(path)
    assert caught.value.hint
    delete_known_voices(path)
    assert list(path.parent.iterdir()) == []
    assert load_known_voices(target) == (voice("Anna"),)


def test_a_folder_in_its_place_is_told(path: Path) -> None:
    path.mkdir(parents=True)
    for work in (load_known_voices, delete_known_voices):
        with pytest.raises(StorageError):
            work(path)
