"""Textual's Unix driver, made to survive a terminal that goes away. Not imported on Windows."""

from io import TextIOBase, TextIOWrapper
from typing import IO, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


class Forgiving(TextIOBase):
    """A terminal's stream whose writes never fail: a terminal that is gone needs no frames.

    Without it the thread that writes dies at the first error, and the event loop then waits for
    it for ever.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.gone = False

    def write(self, text: str) -> int:
        """Write, or let it go."""
        if not self.gone:
            try:
                return self._stream.write(text)
            except UnicodeEncodeError:
                return self._stream.write(text.encode("ascii", "replace").decode())
            except (OSError, ValueError):
                self.gone = True
        return len(text)

    def flush(self) -> None:
        """Flush, or let it go."""
        if not self.gone:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self.gone = True

    def fileno(self) -> int:
        """The stream's."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """The stream's."""
        return self._stream.isatty()


class TerminalDriver(LinuxDriver):
    """Writes through `Forgiving`; stops reading when told that the terminal hung up."""

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file = cast(TextIOWrapper, Forgiving(cast(IO[str], self._file)))

    def hang_up(self) -> None:
        """End the input thread, which would read nothing at full speed."""
        self.exit_event.set()
