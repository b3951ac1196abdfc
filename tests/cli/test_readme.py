"""The README says what the program says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fwtui.errors import EXIT_CODE_HELP
from fwtui.tui.keys import KEYS, TITLES, shown

ROOT = Path(__file__).resolve().parents[2]


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


@pytest.mark.parametrize(
    ("name", "lines"), [("keys", list(key_lines())), ("exit codes", list(exit_code_lines()))]
)
def test_tables_in_the_readme_are_up_to_date(name: str, lines: list[str]) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name}: [^\n]*-->\n\n(.*?)\n\n<!-- /{name} -->", text, re.DOTALL)
    wanted = "\n".join(lines)
    assert found is not None and found[1] == wanted, f"put this there:\n{wanted}"


def test_the_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page}: {target}"


def test_ci_runs_the_line_of_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^python3 -m venv .*tests/check\.py$", text, re.MULTILINE)) == 1
