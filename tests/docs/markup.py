"""Text as Markdown shows it."""

import re
from collections.abc import Iterable, Iterator

_SPECIAL = re.compile(r"[\\*<>|\[\]`]")
_CODE = re.compile(r"(`[^`]+`|(?<![\w-])--[a-z_]+)")


def escaped(text: str) -> str:
    """Text that means nothing to Markdown."""
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", text)


def plain(text: str) -> str:
    """The same in one line, for a cell of a table."""
    return escaped(" ".join(text.split()))


def code(text: str) -> str:
    """Text in the type of code; a vertical bar would end a cell."""
    inner = text.replace("|", "\\|")
    return f"`` {inner} ``" if "`" in inner else f"`{inner}`"


def prose(text: str) -> str:
    """Plain text, with what is quoted or looks like an option in the type of code."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(
        code(part.strip("`")) if number % 2 else escaped(part) for number, part in enumerate(parts)
    )


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a table; the cells are Markdown."""
    titles = list(headings)
    yield f"| {' | '.join(titles)} |"
    yield "|" + "---|" * len(titles)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def generated(source: str) -> str:
    """The comment at the top of a page that nobody should edit."""
    return f"<!-- from {source}, by: python -m tests.docs -->"
