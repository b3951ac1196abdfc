"""The driver for Unix terminals: survives a terminal that is gone. Imported where it is used."""

from io import TextIOBase, TextIOWrapper
from typing import IO, cast

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver


class SafeStream(TextIOBase):
    """The terminal's stream with writes that never fail: a terminal that is gone needs no frames.

    With the stream itself, the thread that writes would die at the first error, and the event
    loop would wait for it for ever.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self.gone = False

    def write(self, text: str) -> int:
        if not self.gone:
            try:
                return self._stream.write(text)
            except UnicodeEncodeError:
                return self._stream.write(text.encode("ascii", "replace").decode())
            except (OSError, ValueError):
                self.gone = True
        return len(text)

    def flush(self) -> None:
        if not self.gone:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self.gone = True

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()


class TerminalDriver(LinuxDriver):
    """Writes through a `SafeStream`; can stop reading once the terminal hung up.

    While another program has the terminal, nothing is written; the screen is painted anew after it.
    """

    def __init__(
        self,
        app: App[object],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._file = cast(TextIOWrapper, SafeStream(cast(IO[str], self._file)))
        self._lent = False

    def write(self, data: str) -> None:
        if not self._lent:
            super().write(data)

    def suspend_application_mode(self) -> None:
        super().suspend_application_mode()
        self._lent = True

    def resume_application_mode(self) -> None:
        self._lent = False
        super().resume_application_mode()

    def hang_up(self) -> None:
        """End the input thread, which would otherwise spin on reads of nothing."""
        self.exit_event.set()
