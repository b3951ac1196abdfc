"""Output on stderr: lines that stay, and one live line that is drawn over."""

import os
import sys
from typing import TextIO, cast

from fwtui.core.text import printable
from fwtui.errors import EXIT_CODE_HELP, FwtuiError


class Console:
    """Writes to a stream, stderr by default, and ignores a stream that has gone away.

    A batch must not end because the terminal that showed it did.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = sys.stderr if stream is None else stream
        self.is_quiet = quiet
        self._live = ""
        self.is_live = not quiet and self._stream.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def width(self) -> int:
        """Columns of the terminal."""
        import shutil

        return shutil.get_terminal_size().columns

    @property
    def is_unicode(self) -> bool:
        """Whether block characters can be written."""
        return "utf" in (self._stream.encoding or "").lower()

    @property
    def times(self) -> str:
        """The sign after a factor."""
        return "×" if self.is_unicode else "x"

    def line(self, text: str) -> None:
        """Write a line, unless quiet."""
        if not self.is_quiet:
            self.always(text)

    def always(self, text: str) -> None:
        """Write a line, even when quiet."""
        live, erase = self._live, "\r\x1b[K" if self._live else ""
        self._write(f"{erase}{text}\n{live}")

    def live(self, text: str) -> None:
        """Draw the live line, which must fit the terminal; does nothing without a terminal."""
        if self.is_live and text != self._live:
            self._live = text
            self._write(f"\r{text}\x1b[K")

    def clear(self) -> None:
        """Remove the live line."""
        if self._live:
            self._live = ""
            self._write("\r\x1b[K")

    def ring(self, sequence: str) -> None:
        """Write the escape sequence of a bell or a notification, if there is a terminal."""
        if sequence and self._stream.isatty():
            self._write(sequence)

    def leave(self) -> None:
        """Write nothing more: nobody reads it."""
        self.is_live = False
        self._live = ""
        self._stream = open_devnull()

    def error(self, error: FwtuiError) -> None:
        """Write what happened and what to do, even when quiet."""
        self.always(f"fwtui: {printable(error.title)}")
        if error.hint:
            self.always(f"  {printable(error.hint)}")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self.is_live = False
            self._stream = open_devnull()


def fill_standard_streams() -> None:
    """Open standard streams that the caller closed (`2>&-`) on the null device.

    Otherwise the next file that is opened would be stdin, stdout or stderr of our children.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, open_devnull("r" if number == 0 else "w"))


def open_devnull(mode: str = "w") -> TextIO:
    """The null device as a text stream."""
    from pathlib import Path

    return cast("TextIO", Path(os.devnull).open(mode, encoding="utf-8"))


def exit_code_help() -> str:
    """The exit codes and their meanings, as a paragraph that click does not wrap."""
    lines = [f"  {code:d}  {meaning}" for code, meaning in EXIT_CODE_HELP.items()]
    return "\b\nExit codes:\n" + "\n".join(lines)
