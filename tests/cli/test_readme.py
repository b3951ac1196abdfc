"""The README says what the program says."""

import re

from tests.cli.readme_tables import README, with_tables


def test_tables_in_the_readme_are_up_to_date() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count("<!-- /") == 2
    assert with_tables(text) == text, "to mend it: python -m tests.cli.readme_tables"


def test_the_links_lead_somewhere() -> None:
    for page in (README, *(README.parent / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert "://" in target or (page.parent / target).exists(), f"{page}: {target}"


def test_ci_runs_the_line_of_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(re.findall(r"^python3 -m venv .*tests/check\.py$", text, re.MULTILINE)) == 1
