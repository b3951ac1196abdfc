"""What is said about one setting, and about a value that is not allowed."""

from collections.abc import Iterator

from textual.content import Content

from fwtui.config.fields import Field, value_of
from fwtui.errors import FwtuiError
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.settings_draft import Draft, shown_value, unit_of
from fwtui.tui.text import clean

LABEL = 10

Part = tuple[str, str]


def about(field: Field, draft: Draft, glyphs: Glyphs, *, narrow: bool) -> Content:
    """Name, help, range, default and unit; in few lines where there is little room."""
    lines = list(_lines(field, draft, narrow=narrow))
    if narrow:
        dot = f" {glyphs.dot} "
        facts = dot.join(f"{name} {value}" for name, value in lines)
        return Content.assemble((field.description, ""), ("\n" + facts, "$ink-dim"))
    parts: list[Part] = [(f"{field.name}\n\n", "bold $primary"), (f"{field.description}\n\n", "")]
    for name, value in lines:
        parts += [(f"{name:<{LABEL}}", "$ink-dim"), (value + "\n", "")]
    if field.choices:
        parts.append(("\nChoices\n", "$ink-dim"))
        for choice in field.choices:
            here = choice == draft.value(field)
            mark = glyphs.bullet if here else " "
            parts.append((f"  {mark} {choice}\n", "$accent" if here else ""))
    return Content.assemble(*parts).rstrip()


def _lines(field: Field, draft: Draft, *, narrow: bool) -> Iterator[Part]:
    yield "Default", shown_value(field.default, field.unset)
    if draft.is_changed(field):
        yield "Batch has", shown_value(value_of(draft.base, field), field.unset)
    if narrow or field.kind != "choice":
        yield "Allowed", field.allowed
    if unit := unit_of(field):
        yield "Unit", unit
    if not narrow:
        yield "In TOML", f"[{field.section}] {field.name}"


def trouble(error: FwtuiError, glyphs: Glyphs) -> Content:
    """What is wrong and what would be right. Options lose the dashes of the command line."""
    words = clean(error.title).replace("--", "")
    hint = clean(error.hint).replace("--", "")
    return Content.assemble(
        (f"{glyphs.failed} {words}", "bold $error"), (f"\n{hint}" if hint else "", "$error")
    )
