"""Old folders, made at a neutral place, are put where a test can use them.

Written against the files alone, without any import of fwtui: see docs/storage-format.md.
"""

import gzip
import hashlib
import json
import os
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from tests.old import recordings

NEUTRAL = "/fwtui-data"
DATA = Path(__file__).parents[1] / "data" / "sessions-0.1"
ABOUT = "about.json"
EXPECTED = "expected"
FRAMED = {".journal", ".taken"}
_FRAME = re.compile(rb'\["([0-9a-f]{8})",(\{.*\})\]\n', re.DOTALL)


def environment(root: Path) -> dict[str, str]:
    """The environment of a program whose folders are all below `root`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FWTUI_")}
    # Each process would compile all modules again, which takes it longer than its work.
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {
        **kept,
        "FWTUI_STATE_DIR": str(root / "state"),
        "FWTUI_CACHE_DIR": str(root / "cache"),
        "FWTUI_CONFIG_DIR": str(root / "config"),
        "HF_HUB_CACHE": str(root / "hub"),
        "HF_HUB_OFFLINE": "1",
        "TMPDIR": str(root / "tmp"),
        "HOME": str(root),
        "OMP_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }


def about(name: str) -> dict[str, Any]:
    """What is known of an old folder."""
    found: dict[str, Any] = json.loads((DATA / name / ABOUT).read_bytes())
    return found


def place(name: str, root: Path, *, moved: bool = True) -> Path:
    """Put an old folder, its recordings and the model below `root`, which is not there yet.

    `moved`: what was in the neutral place is there now, in every file; else no byte is changed.
    """
    unpack(DATA / name, root, "state", "config", "out", "tmp")
    recordings.put_model(root / "hub")
    for quoted, recipe in about(name)["media"].items():
        recordings.make(recipe, root / unquoted(quoted))
    if moved:
        for path in _files(root / "state", root / "config", root / "tmp"):
            _move(path, str(root))
        _rename_ledgers(root / "state" / "watched")
    return root


def unpack(folder: Path, root: Path, *parts: str) -> None:
    """Put parts of an old folder below `root`, as they were."""
    (root / "tmp").mkdir(parents=True, exist_ok=True)
    for path in _files(*(folder / part for part in parts)):
        name, data = _named(path, folder)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


def expected(name: str) -> dict[str, bytes]:
    """What an uninterrupted run of version 0.1 wrote: content by path below the folder."""
    folder = DATA / name / EXPECTED
    return dict(_named(path, folder) for path in _files(folder))


def _named(path: Path, folder: Path) -> tuple[str, bytes]:
    """The name that a file had in its folder, and its content."""
    name, data = unquoted(str(path.relative_to(folder))), path.read_bytes()
    packed = name.endswith(".gz")
    return (name.removesuffix(".gz"), gzip.decompress(data)) if packed else (name, data)


def quoted(name: str) -> str:
    """A path as it can be called in a repository: ASCII, and usual characters only."""
    return quote(os.fsencode(name), safe="/ ()+,-")


def unquoted(name: str) -> str:
    """The opposite."""
    return os.fsdecode(unquote_to_bytes(name))


def printed(path: str) -> str:
    """A path of a session file as it is shown, up to the first unusual character."""
    text = os.fsdecode(unquote_to_bytes(path[1:])) if path.startswith("\0") else path
    return re.split(r"[^ -~]", text)[0]


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The intact records of a journal or a ledger, up to the first that is not."""
    for line in path.read_bytes().splitlines(keepends=True):
        body = _unframed(line)
        if body is None:
            return
        yield json.loads(body)


def is_part(old: Any, new: Any) -> bool:
    """Whether all that an old version said is said by a new one, which may say more."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in new and is_part(value, new[key]) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return all(is_part(one, other) for one, other in zip(old, new, strict=True))
    return bool(old == new)


def _files(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


def _move(path: Path, root: str) -> None:
    if path.suffix == ".sqlite3":
        _move_rows(path, root)
    elif path.suffix in FRAMED:
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(_moved_line(line, root.encode()) for line in lines))
    else:
        path.write_bytes(path.read_bytes().replace(NEUTRAL.encode(), root.encode()))


def _moved_line(line: bytes, root: bytes) -> bytes:
    """A line with its checksum, or what is left of one that was torn."""
    body = _unframed(line)
    moved = (line if body is None else body).replace(NEUTRAL.encode(), root)
    return moved if body is None else b'["%08x",%b]\n' % (zlib.crc32(moved), moved)


def _unframed(line: bytes) -> bytes | None:
    """The record in a line, or None if the line is not intact."""
    found = _FRAME.fullmatch(line)
    if found is None or zlib.crc32(found[2]) != int(found[1], 16):
        return None
    return found[2]


def _move_rows(path: Path, root: str) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        for column in ("source", "stem", "outputs"):
            db.execute(
                f"update transcribed set {column} = replace({column}, ?, ?)", (NEUTRAL, root)
            )


def _rename_ledgers(watched: Path) -> None:
    """A ledger is called after its folder."""
    for ledger in watched.glob("*.taken"):
        folder = next(records(ledger))["folder"]
        name = hashlib.blake2b(folder.encode(), digest_size=12).hexdigest()
        ledger.with_suffix(".lock").unlink(missing_ok=True)
        ledger.rename(ledger.with_name(f"{name}.taken"))
