"""Makes tests/data/protocol-0.1: what fwtui 0.1.0 (commit db83bd6) says in JSON.

Made once, on 2026-11-30, on top of that commit; to be made again only by its program: in the
repository's root, as root on Linux, with

    python -m tests.data.make_protocol

`messages.jsonl` has every kind of event and command, its fields filled by their types: a line for
each kind of state and the like that a field can hold. `run.jsonl` is what `fwtui run --json` told
of a short file, `attach.jsonl` what a client and a batch said to each other at first.
"""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import EnumMeta
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as types

from fwtui.core import commands, events
from tests.data.driving import OUT, ROOT, Attached, Running, World, in_own_namespace
from tests.data.make_sessions import QUICK

FOLDER = Path(__file__).parent / "protocol-0.1"
MOMENT = datetime(2026, 11, 30, 12, 0, 0, 250_000, tzinfo=UTC)


def messages() -> Iterator[bytes]:
    """All that can be said, encoded."""
    shown: set[type] = set()
    for union in (events.AnyEvent, commands.AnyCommand):
        for kind in union.__args__:
            for plain in samples(types.type_info(kind), shown):
                yield msgspec.json.encode(msgspec.convert(plain, kind))


def samples(info: types.Type, shown: set[type]) -> list[Any]:
    """Values of a type: so many that each of its alternatives is there once.

    `shown` are the structs whose alternatives were there already: of them there is one then.
    """
    match info:
        case types.StructType():
            return structs(info, shown)
        case types.Metadata(type=inner):
            return samples(inner, shown)
        case types.UnionType(types=alternatives):
            filled = [one for one in alternatives if not isinstance(one, types.NoneType)]
            return [value for one in filled for value in samples(one, shown)]
        case types.VarTupleType(item_type=item) | types.ListType(item_type=item):
            return [[value] for value in samples(item, shown)]
        case types.DictType():
            return [{"decoding.beam_size": 3, "decoding.vad_filter": True, "model.model": "tiny"}]
        case types.LiteralType(values=values):
            return list(values)
        case types.EnumType(cls=cls):
            assert isinstance(cls, EnumMeta)
            return list(cls)
        case types.BoolType():
            return [True]
        case types.IntType():
            return [7 if info.ge is None else info.ge + 1]
        case types.FloatType():
            return [-0.5 if info.le == 0 else 0.5]
        case types.StrType():
            return ["0,1" if info.pattern else 'Übung "1"\n/a.wav']
        case types.DateTimeType():
            return [MOMENT]
        case types.AnyType():
            return [None]
    raise AssertionError(info)


def structs(info: types.StructType, shown: set[type]) -> list[Any]:
    """Structs that have each alternative of each field once."""
    names = [field.encode_name for field in info.fields]
    columns = [samples(field.type, shown) for field in info.fields]
    tag = {str(info.tag_field): info.tag} if info.tag_field else {}
    rows = []
    for row in zip_longest(*columns) if columns else [()]:
        values = [
            column[0] if value is None else value
            for value, column in zip(row, columns, strict=True)
        ]
        plain: Any = tag | dict(zip(names, values, strict=True))
        rows.append(list(plain.values()) if info.array_like else plain)
    only = 1 if info.cls in shown else None
    shown.add(info.cls)
    return rows[:only]


def record_run(world: World) -> list[Any]:
    """The events of a run."""
    file = world.put("short", "short.flac")
    stdout = world.run("run", "--json", file, *QUICK, "-f", "txt", "-o", OUT)
    return [json.loads(line) for line in stdout.splitlines()]


def record_talk(world: World) -> list[Any]:
    """What is said first: hello, welcome, a snapshot, what came before, a question, its answer."""
    file = world.put("short", "short.flac")
    screen = Running(file, *QUICK, "-f", "txt", "-o", OUT, on_screen=True)
    batch = Attached()
    batch.until_queued(1)
    batch.send({"type": "Start"})
    batch.until(lambda event: event["type"] == "BatchFinished")
    late = Attached()
    late.next()
    late.send({"type": "AskTranscript", "number": 1, "job": 1})
    late.until(lambda event: event["type"] == "HaveTranscript")
    late.send({"type": "End"})
    screen.terminate()
    return late.talk


def write(name: str, said: list[Any]) -> None:
    lines = (json.dumps(one, ensure_ascii=False, separators=(",", ":")) for one in said)
    (FOLDER / name).write_text("".join(f"{line}\n" for line in lines))


def main() -> None:
    in_own_namespace("make_protocol")
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "messages.jsonl").write_bytes(b"".join(one + b"\n" for one in messages()))
    try:
        write("run.jsonl", record_run(World()))
        write("attach.jsonl", record_talk(World()))
    finally:
        shutil.rmtree(ROOT)


if __name__ == "__main__":
    main()
