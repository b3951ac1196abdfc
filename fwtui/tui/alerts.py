"""Toasts: memory limits, batches that will not fit, commands of the user that failed."""

from typing import Literal

from textual.screen import Screen

from fwtui.tui.model import Changes
from fwtui.tui.text import clean

SECONDS = 12.0


def tell_hook(screen: Screen[None], changes: Changes) -> None:
    """Say that a command of the user's failed."""
    if changes.hook is not None:
        text = clean(": ".join(part for part in (changes.hook.text, changes.hook.hint) if part))
        screen.notify(
            text, title="When it is done", severity="warning", timeout=SECONDS, markup=False
        )


def tell_memory(screen: Screen[None], changes: Changes, key: str) -> None:
    """Say what is new; `key` is the one that takes a proposal."""
    alert, forecast = changes.alert, changes.forecast
    if alert is not None and alert.text:
        text = clean(f"{alert.text}; {alert.hint}")
        severity: Literal["error", "warning"] = "error" if alert.hard else "warning"
        screen.notify(text, title="Memory", severity=severity, timeout=SECONDS, markup=False)
    if forecast is not None and not forecast.fits:
        from fwtui.memory.forecast import told

        text = clean(told(forecast, key))
        screen.notify(text, title="Memory", severity="warning", timeout=SECONDS, markup=False)
