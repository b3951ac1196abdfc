"""Writes the reference, the manual page and the README's tables: `python -m tests.docs`."""

from tests.cli.readme_tables import README, with_tables
from tests.docs.pages import PAGES, ROOT, text_of

for name in PAGES:
    file = ROOT / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text_of(name), encoding="utf-8")
README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")
