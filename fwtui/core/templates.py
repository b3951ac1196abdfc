"""Output names from templates such as `{date}/{stem}.{language}`; `/` separates folders. Pure.

The text of a template must be valid in file names on every system. The values of its fields may be
any name that the file system of the recordings allows, but never lead out of the folder.
"""

import os
import re
from collections.abc import Iterator
from functools import cache
from string import Formatter

import msgspec

from fwtui.core.paths import path_to_text, text_to_path

FIELDS = ("stem", "ext", "relpath", "language", "model", "date")
DEFAULT_TEMPLATE = "{stem}"
UNKNOWN_LANGUAGE = "und"  # ISO 639-2: undetermined
# File systems allow 255 bytes; this leaves room for a number and a suffix.
_MOST_BYTES = 240
_WIDEST = 4  # maximum bytes of a character

_ILLEGAL = re.compile(r'[<>:"\\|?*\x00-\x1f\x7f]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_UNSAFE = re.compile(r"[^\w.+-]")


class NameParts(msgspec.Struct, frozen=True):
    """The values of the fields of a template.

    `relpath` is the subfolder of the searched folder that the file was in, with `/`; empty if there
    was none. `ext` has no dot.
    """

    stem: str
    ext: str = ""
    relpath: str = ""
    language: str = UNKNOWN_LANGUAGE
    model: str = ""
    date: str = ""


def check_template(template: str) -> None:
    """Raise ValueError, with a text for the user, if the template is not valid."""
    if template.startswith("/"):
        raise ValueError("it begins with /: set the folder with output_dir and output_layout")
    for component in template.split("/"):
        pieces = _pieces(component)
        literal = "".join(text for text, _ in pieces)
        fields = [field for _, field in pieces if field is not None]
        if not component:
            raise ValueError("a name is missing between two /, or after the last one")
        if found := _ILLEGAL.search(literal):
            raise ValueError(f"{found[0]!a} is not allowed in file names on every system")
        if not fields and (component.strip(" .") != component or _DEVICE.fullmatch(component)):
            raise ValueError(f"{component!a} is not a valid name on every system")
        if "relpath" in fields and component != "{relpath}":
            raise ValueError("{relpath} must be a separate folder, as in {relpath}/{stem}")
    if template.endswith("{relpath}"):
        raise ValueError("a name must follow {relpath}, as in {relpath}/{stem}")
    if "stem" not in fields_of(template):
        raise ValueError("without {stem} all transcripts would have the same name")


@cache
def fields_of(template: str) -> frozenset[str]:
    """The fields in a template. Raises ValueError as `check_template`."""
    return frozenset(field for _, field in _pieces(template) if field is not None)


@cache
def usable_template(template: str) -> str:
    """The template, or the default if it is not valid: sessions may come from elsewhere."""
    try:
        check_template(template)
    except ValueError:
        return DEFAULT_TEMPLATE
    return template


@cache
def _pieces(text: str) -> tuple[tuple[str, str | None], ...]:
    """Literal texts, each with the field that follows it."""
    return tuple(_parsed(text))


def _parsed(text: str) -> Iterator[tuple[str, str | None]]:
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(
            f"its braces do not match ({error}); write {{{{ for a literal brace"
        ) from None
    for literal, field, form, conversion in parsed:
        if field is not None and (field not in FIELDS or form or conversion):
            wrong = field + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            known = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise ValueError(f"unknown field {{{wrong}}}; available: {known}")
        yield literal, field


def render(template: str, parts: NameParts) -> str:
    """The name, with `/` between folders; never empty, and never outside its folder."""
    components: list[str] = []
    for component in template.split("/"):
        if component == "{relpath}":
            components += parts.relpath.split("/") if parts.relpath else []
        else:
            components.append("".join(_filled(component, parts)))
    return "/".join(safe_component(component) for component in components)


def split_name(name: str) -> tuple[str, str]:
    """The stem and the suffix of a file name, as in `pathlib`."""
    at = name.rfind(".")
    return (name[:at], name[at:]) if 0 < at < len(name) - 1 else (name, "")


def default_stem(path: str) -> str:
    """The output name of a file by the default template; both as `path_to_text`."""
    if path.startswith("\0"):
        return path_to_text(default_stem(str(text_to_path(path))))
    stem = split_name(path[path.rfind(os.sep) + 1 :])[0]
    return stem if len(stem) * _WIDEST <= _MOST_BYTES else safe_component(stem)


def _filled(component: str, parts: NameParts) -> Iterator[str]:
    for literal, field in _pieces(component):
        yield literal
        if field is not None:
            value: str = getattr(parts, field)
            # The name of the file is kept as its file system allows it.
            yield value if field in {"stem", "ext"} else _UNSAFE.sub("_", value)


def safe_component(component: str) -> str:
    """A component that is a valid name in a folder, and short enough."""
    component = component.replace("/", "_").replace("\0", "_")
    if component in {"", ".", ".."}:
        return "_"
    if len(component) * _WIDEST <= _MOST_BYTES:
        return component
    raw = os.fsencode(component)
    if len(raw) <= _MOST_BYTES:
        return component
    return os.fsdecode(raw[:_MOST_BYTES].decode("utf-8", "ignore").encode()) or "_"


@cache
def model_name(model: str) -> str:
    """The value of `{model}`: the last part of a folder or of a Hugging Face id."""
    return re.split(r"[/\\]", model.rstrip("/\\"))[-1] or "model"
