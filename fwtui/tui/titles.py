"""Titles of panes: text from outside as content that is never read as markup."""

from textual.content import Content
from textual.widget import Widget


def set_titles(widget: Widget, title: Content, subtitle: Content) -> None:
    """Set both, but draw only when they differ from what is there."""
    if widget.border_title != title.markup:
        widget.border_title = title
    if widget.border_subtitle != subtitle.markup:
        widget.border_subtitle = subtitle


def plain(text: str) -> Content:
    """Content without any markup."""
    return Content(text)
