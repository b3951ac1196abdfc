"""Names of outputs from a template such as `{date}/{stem}.{language}`. Pure; `/` parts folders.

The template's own text must be a name on every system. What is filled in may be any name that
the file system of the recordings allows, but never leads out of the folder.
"""

import os
import re
from collections.abc import Iterator
from functools import cache
from string import Formatter

import msgspec

from fwtui.core.paths import path_to_text, text_to_path

FIELDS = ("stem", "ext", "relpath", "language", "model", "date")
DEFAULT = "{stem}"
UNKNOWN_LANGUAGE = "und"  # ISO 639-2: undetermined
# File systems take 255 bytes; there must be room for a number and an extension.
_MOST_BYTES = 240
_WIDEST = 4  # bytes of a character

_ILLEGAL = re.compile(r'[<>:"\\|?*\x00-\x1f\x7f]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_UNSAFE = re.compile(r"[^\w.+-]")


class NameParts(msgspec.Struct, frozen=True):
    """What the fields of a template stand for.

    `relpath` is the folder of the file below the one that it was found in, with `/`; empty if it
    was right in it. `ext` has no dot.
    """

    stem: str
    ext: str = ""
    relpath: str = ""
    language: str = UNKNOWN_LANGUAGE
    model: str = ""
    date: str = ""


def check_template(template: str) -> None:
    """Raise ValueError, with a sentence for people, if this cannot name outputs."""
    if template.startswith("/"):
        raise ValueError("it begins with /: the folder is said by output_dir and output_layout")
    for component in template.split("/"):
        pieces = _pieces(component)
        literal = "".join(text for text, _ in pieces)
        fields = [field for _, field in pieces if field is not None]
        if not component:
            raise ValueError("there is no name between two /, or after the last one")
        if found := _ILLEGAL.search(literal):
            raise ValueError(f"{found[0]!a} cannot be in a file's name everywhere")
        if not fields and (component.strip(" .") != component or _DEVICE.fullmatch(component)):
            raise ValueError(f"{component!a} cannot be a name everywhere")
        if "relpath" in fields and component != "{relpath}":
            raise ValueError("{relpath} has to be a folder of its own, as in {relpath}/{stem}")
    if template.endswith("{relpath}"):
        raise ValueError("{relpath} is a folder: a name must follow, as in {relpath}/{stem}")
    if "stem" not in fields_of(template):
        raise ValueError("without {stem} all files would have the same name")


@cache
def fields_of(template: str) -> frozenset[str]:
    """The fields in a template. Raises ValueError as `check_template`."""
    return frozenset(field for _, field in _pieces(template) if field is not None)


@cache
def usable_template(template: str) -> str:
    """The template, or the default if it cannot be used: sessions come from outside."""
    try:
        check_template(template)
    except ValueError:
        return DEFAULT
    return template


@cache
def _pieces(text: str) -> tuple[tuple[str, str | None], ...]:
    """Literal text, and the field behind it."""
    return tuple(_parsed(text))


def _parsed(text: str) -> Iterator[tuple[str, str | None]]:
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"its braces do not match ({error}); a brace itself is {{{{") from None
    for literal, field, form, conversion in parsed:
        if field is not None and (field not in FIELDS or form or conversion):
            wrong = field + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            known = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise ValueError(f"there is no field {{{wrong}}}; there are {known}")
        yield literal, field


def render(template: str, parts: NameParts) -> str:
    """The name, with `/` between folders; never empty, and never out of the folder it is for."""
    components: list[str] = []
    for component in template.split("/"):
        if component == "{relpath}":
            components += parts.relpath.split("/") if parts.relpath else []
        else:
            components.append("".join(_filled(component, parts)))
    return "/".join(harmless(component) for component in components)


def split_name(name: str) -> tuple[str, str]:
    """The stem and the suffix of a file's name, as `pathlib` has them."""
    at = name.rfind(".")
    return (name[:at], name[at:]) if 0 < at < len(name) - 1 else (name, "")


def plain_stem(path: str) -> str:
    """The name of a file's outputs by the default template; both as `path_to_text`."""
    if path.startswith("\0"):
        return path_to_text(plain_stem(str(text_to_path(path))))
    stem = split_name(path[path.rfind(os.sep) + 1 :])[0]
    return stem if len(stem) * _WIDEST <= _MOST_BYTES else harmless(stem)


def _filled(component: str, parts: NameParts) -> Iterator[str]:
    for literal, field in _pieces(component):
        yield literal
        if field is not None:
            value: str = getattr(parts, field)
            # The file's own name is kept, whatever its file system allows.
            yield value if field in {"stem", "ext"} else _UNSAFE.sub("_", value)


def harmless(component: str) -> str:
    """As a name in a folder, and short enough."""
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
    """What `{model}` stands for: the last part of a folder or of a Hugging Face id."""
    return re.split(r"[/\\]", model.rstrip("/\\"))[-1] or "model"
