"""Settings, sessions and journals made worse: read, refused with a message, or put aside."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random

from fwtui.config.locations import load_maps
from fwtui.config.sources import parse_settings
from fwtui.core.events import JobsAdded
from fwtui.errors import FwtuiError
from fwtui.sessions.catalog import list_sessions
from fwtui.sessions.store import SessionStore
from tests.fuzz.mutate import mutate

DATA = Path(__file__).parents[1] / "data" / "sessions"
V1 = DATA / "v1"
NAME = "20261123_150000"
SETTINGS = b"""# mine
[model]
model = "large-v3"
threads = 4

[decoding]
beam_size = 3
temperature = 0.5
language = "en"
vad_threshold = "none"
word_timestamps = true

[output]
output_dir = "out"
max_line_width = 42

[batch]
stall_seconds = 60.0
"""


def try_documents(count: int, seed: int, folder: Path) -> list[str]:
    """What went wrong with `count` mutations of each kind of text."""
    maps = folder / "path-maps.toml"

    def read_maps(data: bytes) -> None:
        maps.write_bytes(data)
        load_maps(maps)

    kinds: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
        "settings": (SETTINGS, parse_settings),
        "path maps": (b"'D:\\Audio' = '/mnt/audio'\n", read_maps),
        "session": ((V1 / f"{NAME}.json").read_bytes(), lambda data: session(folder, json=data)),
        "journal": (
            (V1 / f"{NAME}.journal").read_bytes(),
            lambda data: session(folder, journal=data),
        ),
        "foreign session": (
            (DATA / "20251214_123456.json").read_bytes(),
            lambda data: foreign(folder, data),
        ),
    }
    problems = []
    for kind, (text, read) in kinds.items():
        for number in range(count):
            data = mutate(text, Random(f"{seed} {kind} {number}"))
            try:
                read(data)
            except FwtuiError as error:
                if not error.title:
                    problems.append(f"{kind} {number}: an error without words")
            except Exception as error:  # noqa: BLE001  what must not be
                problems.append(f"{kind} {number}: {type(error).__name__}: {error}")
    return problems


def session(folder: Path, json: bytes | None = None, journal: bytes | None = None) -> None:
    """List, open and close a session with one of its files replaced; nothing of it is lost."""
    place = folder / "sessions"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(V1, place)
    if json is not None:
        (place / f"{NAME}.json").write_bytes(json)
    if journal is not None:
        (place / f"{NAME}.journal").write_bytes(journal)
    listed = list_sessions(place, temp=place)
    assert listed.sessions or listed.problems, "neither listed nor told of"
    if (place / f"{NAME}.json").exists():
        store = SessionStore.open(place, NAME)
        known = {job.id for job in store.session.jobs}
        assert store.problems or known or json is not None, "jobs were lost without a word"
        store.commit(JobsAdded(()))
        store.close()
    else:
        assert list((place / "quarantine").iterdir()), "an unreadable session is gone"


def foreign(folder: Path, data: bytes) -> None:
    """List a session of the earlier program."""
    place = folder / "faster_whisper_sessions"
    place.mkdir(exist_ok=True)
    (place / "20251214_123456.json").write_bytes(data)
    listed = list_sessions(folder / "none", temp=folder)
    assert listed.sessions or listed.problems, "neither listed nor told of"
    assert all(isinstance(one.modified, datetime) for one in listed.sessions)
    assert (place / "20251214_123456.json").read_bytes() == data
