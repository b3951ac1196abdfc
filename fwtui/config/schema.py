"""A JSON schema of the settings file, for completion and checks in editors."""

from collections.abc import Iterable
from typing import Any

from fwtui.config.fields import MAX_INT, Field, all_fields, find_field
from fwtui.config.profiles import profile_keys
from fwtui.config.sources import NONE
from fwtui.core.settings import Settings

# The draft that TOML extensions of editors support.
DRAFT = "http://json-schema.org/draft-07/schema#"
_TYPES = {"bool": "boolean", "int": "integer", "float": "number", "str": "string"}


def json_schema(actions: Iterable[str]) -> dict[str, Any]:
    """The schema; `actions` are the ids allowed in `[keys]`."""
    sections = {
        section: _table([field for field in all_fields() if field.section == section])
        for section in Settings.__struct_fields__
    }
    fields = [find_field(key) for key in profile_keys()]
    profile = {
        section: _table([field for field in fields if field.section == section])
        for section in dict.fromkeys(field.section for field in fields)
    }
    pressed = {"type": "string", "minLength": 1}
    keys = {"anyOf": [pressed, {"type": "array", "items": pressed, "minItems": 1}]}
    return {
        "$schema": DRAFT,
        "title": "Settings of fwtui",
        **_object(
            {
                **sections,
                "keys": _object(dict.fromkeys(actions, keys)),
                "profiles": {"type": "object", "additionalProperties": _object(profile)},
            }
        ),
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _table(fields: Iterable[Field]) -> dict[str, Any]:
    return _object({field.name: _setting(field) for field in fields})


def _setting(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": field.description}
    if field.default is not None:
        schema["default"] = field.default
    value = _value(field)
    words = sorted({NONE, field.unset})
    if field.optional and field.kind != "str":
        return schema | {"anyOf": [value, {"enum": words}]}
    return schema | value


def _value(field: Field) -> dict[str, Any]:
    if field.kind == "choice":
        return {"enum": list(field.choices)}
    if field.pattern:  # comma-separated numbers; a single one may be unquoted
        text = {"type": "string", "pattern": field.pattern}
        return {"anyOf": [text, {"type": "integer", "minimum": 0}]}
    value: dict[str, Any] = {"type": _TYPES[field.kind]}
    if field.minimum is not None:
        value["exclusiveMinimum" if field.exclusive_minimum else "minimum"] = field.minimum
    if field.maximum is not None:
        value["exclusiveMaximum" if field.exclusive_maximum else "maximum"] = field.maximum
    elif field.kind == "int":
        value["maximum"] = MAX_INT
    return value
