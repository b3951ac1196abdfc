"""The README and the pages behind it."""

import re
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
MOST_LINES = 120


def test_the_readme_can_be_read_in_two_minutes() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_the_links_lead_somewhere() -> None:
    for page in (README, *(README.parent / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page}: {target}"


def test_ci_runs_the_line_of_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(re.findall(r"^python3 -m venv .*tests/check\.py$", text, re.MULTILINE)) == 1
