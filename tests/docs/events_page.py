"""The events of `fwtui run --json`: a JSON schema, and the same as a page to read."""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any, cast, get_args

import msgspec

from fwtui.core.events import AnyEvent, Event
from tests.docs.markup import code, generated, prose, table

# Their keys are on the page of settings.
_SETTINGS = "Settings"


def schema() -> dict[str, Any]:
    """The JSON schema of one line."""
    (one,), parts = msgspec.json.schema_components([AnyEvent], ref_template="#/$defs/{name}")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **one, "$defs": parts}
    return cast("dict[str, Any]", normalized(whole))


def normalized(part: Any) -> Any:
    """The part without what differs between versions of msgspec.

    That is how docstrings are indented, and where `null` stands among alternatives.
    """
    match part:
        case list():
            return [normalized(one) for one in part]
        case dict():
            found = {key: normalized(value) for key, value in part.items()}
            if isinstance(text := found.get("description"), str):
                found["description"] = inspect.cleandoc(text)
            if isinstance(kinds := found.get("anyOf"), list):
                found["anyOf"] = sorted(kinds, key=lambda kind: kind == {"type": "null"})
            return found
        case _:
            return part


def schema_lines() -> Iterator[str]:
    """The lines of the schema's file."""
    yield from json.dumps(schema(), indent=1, ensure_ascii=False).splitlines()


def events_page() -> Iterator[str]:
    """The lines of the page."""
    yield generated("fwtui/core/events.py")
    yield ""
    yield "# Events"
    yield ""
    yield (
        "`fwtui run --json` and `fwtui watch --json` write events to stdout, one JSON object per "
        "line; `type` is the kind of event. An event is sent only after what it reports is on "
        "disk. Programs should ignore unknown keys, because new ones may be added. There is also a "
        "[JSON schema](events.schema.json)."
    )
    yield ""
    yield (
        "Times of day are ISO 8601, durations are in seconds, and memory sizes in MB (2²⁰ bytes). "
        "A path that is not valid Unicode is percent-encoded and begins with a NUL character; this "
        "is what `path_to_text` stands for below."
    )
    yield ""
    yield "```sh"
    yield "fwtui run talks/ --json | jq -r 'select(.type == \"JobChanged\") | .job.state.type'"
    yield "```"
    parts = schema()["$defs"]
    events = [event.__name__ for event in get_args(AnyEvent)]
    assert set(events) == {event.__name__ for event in Event.__subclasses__()}
    yield from _parts("## ", parts, events)
    yield ""
    yield "## Parts of events"
    yield from _parts("### ", parts, sorted(_used(parts, events)))


def _used(parts: dict[str, Any], events: list[str]) -> set[str]:
    """The parts that are no events, and not inside of the settings."""
    found: set[str] = set()
    left = list(events)
    while left:
        for name in _references(parts[left.pop()]):
            if name != _SETTINGS and name not in found:
                found.add(name)
                left.append(name)
    return found - set(events)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"].rpartition("/")[2]
        for below in part.values():
            yield from _references(below)
    elif isinstance(part, list):
        for below in part:
            yield from _references(below)


def _parts(heading: str, parts: dict[str, Any], names: list[str]) -> Iterator[str]:
    for name in names:
        part = parts[name]
        yield ""
        yield heading + name
        yield ""
        yield prose(re.sub(r"\bNone\b", "`null`", part.get("description", "")))
        yield ""
        if "enum" in part:
            yield ", ".join(code(str(value)) for value in part["enum"])
            continue
        rows = (
            (code(key), _type(value), _default(value, key in part["required"]))
            for key, value in part["properties"].items()
        )
        yield from table(("Key", "Value", "Default"), rows)


def _default(value: dict[str, Any], required: bool) -> str:
    return "" if required else code(json.dumps(value.get("default")))


def _type(value: dict[str, Any]) -> str:
    """What kind of value it is, in words."""
    match value:
        case {"$ref": str(target)}:
            name = target.rpartition("/")[2]
            return "[settings](settings.md)" if name == _SETTINGS else f"[{name}](#{name.lower()})"
        case {"anyOf": list(kinds)}:
            return " or ".join(_type(kind) for kind in kinds)
        case {"enum": list(allowed)}:
            return ", ".join(code(json.dumps(one)) for one in allowed)
        case {"type": "array", "items": dict(item)}:
            return f"list of {_type(item)}"
        case {"type": "object"}:
            return "object"
        case {"format": "date-time"}:
            return "time"
        case {"type": str(kind)}:
            return kind
        case _:
            return "any"
