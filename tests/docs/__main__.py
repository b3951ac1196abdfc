"""Writes the reference and the manual page: `python -m tests.docs`."""

from tests.docs.pages import PAGES, ROOT, text_of

for name in PAGES:
    file = ROOT / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text_of(name), encoding="utf-8")
