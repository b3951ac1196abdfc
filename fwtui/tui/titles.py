"""Titles of panes: text from outside as content that is never read as markup."""

from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget


def set_titles(widget: Widget, title: Content, subtitle: Content) -> None:
    """Set both, but draw only when they differ from what is there.

    Textual's own setters paint the whole widget; only its edge looks different.
    """
    if _differs(widget._border_title, title):
        widget._border_title = title
        _paint_edge(widget, 0)
    if _differs(widget._border_subtitle, subtitle):
        widget._border_subtitle = subtitle
        _paint_edge(widget, widget.outer_size.height - 1)


def plain(text: str) -> Content:
    """Content without any markup."""
    return Content(text)


def _differs(before: Content | None, after: Content) -> bool:
    """Whether it looks different; `==` of contents is about their text only."""
    return before is None or not before.is_same(after)


def _paint_edge(widget: Widget, y: int) -> None:
    from_content = -widget.content_offset
    edge = Region(0, y, widget.outer_size.width, 1)
    if edge and y >= 0:
        widget.refresh(edge.translate(from_content))
    else:  # it has no place yet
        widget.refresh()
