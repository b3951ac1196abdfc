"""The private members of Textual that fwtui relies on, each by its name.

A new version of Textual may rename or drop them without a word: then one line here says which.
"""

import ast
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple, TypeGuard

import pytest
from textual._animator import Animator
from textual._compositor import ChopsUpdate, Compositor
from textual.app import App
from textual.binding import BindingsMap
from textual.css.stylesheet import Stylesheet
from textual.drivers.linux_driver import LinuxDriver
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from tests.project.requirements import ROOT


class Member(NamedTuple):
    """A member of a class of Textual, and its parameters if it is a method that is overridden."""

    owner: type
    name: str
    parameters: tuple[str, ...] | None = None


# What fwtui overrides, sets or calls.
OVERRIDDEN = (
    Member(App, "_display", ("self", "screen", "renderable")),
    Member(App, "_handle_exception", ("self", "error")),
    Member(Compositor, "_get_renders", ("self", "crop")),
    Member(Input, "_on_paste", ("self", "event")),
    Member(MessagePump, "_dispatch_message", ("self", "message")),
)
SET = (
    Member(LinuxDriver, "_file"),
    Member(Screen, "_compositor"),
    Member(Screen, "_bindings"),
    Member(Widget, "_border_title"),
    Member(Widget, "_border_subtitle"),
)
# Public members of private classes.
OF_PRIVATE_CLASSES = (
    Member(ChopsUpdate, "chops"),
    Member(ChopsUpdate, "spans"),
    Member(ChopsUpdate, "chop_ends"),
    Member(ChopsUpdate, "render_segments", ("self", "console")),
    Member(Compositor, "size"),
    Member(Compositor, "visible_widgets"),
    Member(BindingsMap, "key_to_bindings"),
)
# What the tests alone use.
OF_TESTS = (
    Member(Animator, "_animations"),
    Member(App, "_notifications"),
    Member(Compositor, "_render_chops"),
    Member(MessagePump, "_message_queue"),
    Member(MessagePump, "_next_callbacks"),
    Member(Screen, "_callbacks"),
    Member(Screen, "_on_timer_update"),
    Member(Stylesheet, "_parse_rules"),
    Member(Stylesheet, "_variables"),
    Member(Widget, "_layout_required"),
    Member(Widget, "_recompose_required"),
    Member(Widget, "_scroll_required"),
)
RELIED_ON = {member.name for member in (*OVERRIDDEN, *SET)}


@pytest.mark.parametrize(
    "member", [*OVERRIDDEN, *SET, *OF_PRIVATE_CLASSES, *OF_TESTS], ids=lambda member: member.name
)
def test_textual_still_has_what_is_relied_on(member: Member) -> None:
    where = f"{member.owner.__qualname__}.{member.name}"
    assert _has(member.owner, member.name), f"Textual has no {where} any more"
    if member.parameters is not None:
        found = tuple(inspect.signature(getattr(member.owner, member.name)).parameters)
        assert found == member.parameters, f"Textual's {where} has other parameters"


def test_nothing_else_private_is_used() -> None:
    used = {name: place for file in _sources() for name, place in _used(file)}
    own = {name for file in (ROOT / "fwtui").rglob("*.py") for name in _defined(_parsed(file))}
    foreign = {name: place for name, place in used.items() if name not in own | {"_exit"}}
    assert foreign.keys() <= RELIED_ON, foreign


def test_nothing_else_private_is_overridden() -> None:
    for name, place in _overridden():
        assert name in RELIED_ON, f"{place} hides Textual's {name}"


def _has(owner: type, name: str) -> bool:
    """Whether the class has a member, or gives its objects one, or its bases do."""
    return hasattr(owner, name) or any(
        name in _members(base) for base in owner.__mro__ if base is not object
    )


def _sources() -> list[Path]:
    """The modules that know Textual."""
    return sorted((ROOT / "fwtui" / "tui").rglob("*.py"))


def _parsed(file: Path) -> ast.AST:
    return ast.parse(file.read_text(encoding="utf-8"))


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _used(file: Path) -> Iterator[tuple[str, str]]:
    """The private names behind a dot."""
    for node in ast.walk(_parsed(file)):
        if isinstance(node, ast.Attribute) and _is_private(node.attr):
            yield node.attr, f"{file}:{node.lineno}"


def _defined(tree: ast.AST) -> Iterator[str]:
    """The names of functions, classes and variables, and of what objects are given."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.Attribute(value=ast.Name("self"), ctx=ast.Store()):
                yield node.attr


def _members(kind: type) -> frozenset[str]:
    """What the class statement defines, and what its methods give to `self`."""
    try:
        (statement,) = ast.parse(dedent(inspect.getsource(kind))).body
    except (OSError, TypeError):  # not written in Python
        return frozenset()
    assert isinstance(statement, ast.ClassDef)
    given = (
        node.attr
        for node in ast.walk(statement)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if isinstance(node.value, ast.Name) and node.value.id == "self"
    )
    body = (name for one in statement.body for name in _declared(one))
    return frozenset((*given, *body))


def _declared(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name
        case ast.Assign() | ast.AnnAssign():
            yield from (node.id for node in ast.walk(statement) if _is_stored(node))


def _is_stored(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _ours() -> Iterator[type]:
    """The classes of the modules that know Textual."""
    for file in _sources():
        module = import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
        for kind in vars(module).values():
            if inspect.isclass(kind) and kind.__module__ == module.__name__:
                yield kind


def _overridden() -> Iterator[tuple[str, str]]:
    """The private names that classes of ours and of Textual above them both define."""
    textuals: dict[type, frozenset[str]] = {}
    for kind in _ours():
        own = {name for name in _members(kind) if _is_private(name)}
        for base in kind.__mro__ if own else ():
            if base.__module__.startswith("textual"):
                if base not in textuals:
                    textuals[base] = _members(base)
                for name in own & textuals[base]:
                    yield name, f"{kind.__module__}.{kind.__name__}"
