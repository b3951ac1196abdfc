"""The README's tables of keys and exit codes; `python -m tests.cli.readme_tables` writes them."""

import re
from collections.abc import Iterator
from pathlib import Path

from fwtui.errors import EXIT_CODE_HELP
from fwtui.tui.keys import KEYS, TITLES, shown

README = Path(__file__).resolve().parents[2] / "README.md"


def with_tables(text: str) -> str:
    """The README's text with both tables as they must be."""
    for name, lines in (("keys", key_lines()), ("exit codes", exit_code_lines())):
        table = "\n".join(lines)
        found = re.search(rf"<!-- {name}: [^\n]*-->\n(.*?)<!-- /{name} -->", text, re.DOTALL)
        assert found is not None
        text = f"{text[: found.start(1)]}\n{table}\n\n{text[found.end(1) :]}"
    return text


def key_lines() -> Iterator[str]:
    """The keys as a table."""
    yield "| key | does |"
    yield "|---|---|"
    for where, title in TITLES.items():
        yield f"| **{title}** | |"
        for key in KEYS:
            if key.where == where:
                names = " ".join(f"`{shown(name)}`" for name in key.keys)
                yield f"| {names} | {key.tooltip} |"


def exit_code_lines() -> Iterator[str]:
    """The exit codes as a table."""
    yield "| code | means |"
    yield "|---|---|"
    for code, meaning in EXIT_CODE_HELP.items():
        yield f"| {code:d} | {meaning} |"


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
