"""Screens and dialogs."""

# On a narrower screen, panes stand one above the other.
NARROW_WIDTH = 100
