"""The messages that the program's errors can have, read from its source."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import fwtui
import fwtui.errors

PACKAGE = Path(fwtui.__file__).parent
GAP = "…"
# The argument that is the title: errors have it first, a `Failure` after its kind.
_TITLE_AT = {"Failure": 1, "UnreadableError": 0} | {
    name: 0 for name, value in vars(fwtui.errors).items() if isinstance(value, type)
}

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Message:
    """What happened and what to do, with a gap for each name or number; and who says it."""

    title: str
    hint: str
    module: str

    @property
    def package(self) -> str:
        """The package of the module: `audio`, `sessions`, ..."""
        return self.module.split(".")[0]


def messages() -> list[Message]:
    """All of them, each once, in the order of their titles."""
    found = {
        (message.title, message.package): message
        for path in sorted(PACKAGE.rglob("*.py"))
        for message in _of_module(path)
    }
    return sorted(found.values(), key=lambda each: each.title.lstrip(f"'{GAP} ").lower())


def _of_module(path: Path) -> Iterator[Message]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    outer = _texts(tree.body)
    places = [one for one in ast.walk(tree) if isinstance(one, _FUNCTIONS)]
    for place in (*places, *(one for one in tree.body if isinstance(one, ast.Assign))):
        known = outer | _texts(ast.walk(place))
        for call in ast.walk(place):
            if isinstance(call, ast.Call):
                yield from _of_call(call, known, module)


def _of_call(call: ast.Call, known: dict[str, list[str]], module: str) -> Iterator[Message]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    at = _TITLE_AT.get(name)
    if at is None:
        return
    given = [*call.args, None, None, None]
    hints = list(_said(given[at + 1], known)) or [""]
    for title in _said(given[at], known):
        if any(letter.isalpha() for letter in title):
            yield Message(title, next(filter(None, hints), ""), module)


def _texts(statements: Iterator[ast.AST] | list[ast.stmt]) -> dict[str, list[str]]:
    """The texts that names are given in these statements."""
    found: dict[str, list[str]] = {}
    for one in statements:
        for target, value in _assigned(one):
            found.setdefault(target, []).extend(_said(value, {}))
    return found


def _assigned(statement: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if not isinstance(statement, ast.Assign):
        return
    for target in statement.targets:
        match target, statement.value:
            case ast.Name(id=name), value:
                yield name, value
            case ast.Tuple(elts=names), ast.Tuple(elts=values):
                for one, value in zip(names, values, strict=True):
                    if isinstance(one, ast.Name):
                        yield one.id, value
            case _:
                pass


def _said(value: ast.expr | None, known: dict[str, list[str]]) -> Iterator[str]:
    """The texts that an expression can be; what is only known at run time is a gap."""
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(_part(part, known) for part in parts)
        case ast.IfExp(body=one, orelse=other):
            yield from _said(one, known)
            yield from _said(other, known)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            for first in _said(left, known):
                for second in _said(right, known) or [GAP]:
                    yield first + second
        case ast.BoolOp(values=values):
            for each in values:
                yield from _said(each, known)
        case ast.Name(id=name):
            yield from known.get(name, [])
        case _:
            return


def _part(part: ast.expr, known: dict[str, list[str]]) -> str:
    match part:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue(value=ast.Name(id=name)) if name.isupper() and known.get(name):
            return known[name][0]
        case _:
            return GAP
