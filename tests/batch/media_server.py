"""A web server with one recording, which can hold back the rest of it; and goes on inside it."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class MediaServer(ThreadingHTTPServer):
    """`hold_after` bytes the rest waits for `go_on`; `ranges` are the ranges asked for."""

    daemon_threads = True

    def __init__(self, media: Path, hold_after: int | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.data = media.read_bytes()
        self.hold_after = hold_after
        self.go_on = threading.Event()
        self.ranges: list[str | None] = []

    def handle_error(self, *_: object) -> None:
        """Who does not want the rest goes away."""

    def link(self, name: str) -> str:
        """A link to the recording, under this name; a name with `gone` in it leads to nothing."""
        return f"http://127.0.0.1:{self.server_port}/{name}"


class _Handler(BaseHTTPRequestHandler):
    server: MediaServer

    def do_HEAD(self) -> None:
        self._head()

    def do_GET(self) -> None:
        first = self._head()
        if first is None:
            return
        data, hold = self.server.data, self.server.hold_after
        if hold is not None and first < hold:
            self.wfile.write(data[first:hold])
            self.server.go_on.wait()
            first = hold
        self.wfile.write(data[first:])

    def _head(self) -> int | None:
        if "gone" in self.path:
            self.send_error(404)
            return None
        asked = self.headers.get("Range")
        if self.command == "GET":
            self.server.ranges.append(asked)
        found = re.fullmatch(r"bytes=(\d+)-\d*", asked or "")
        first, size = int(found[1]) if found else 0, len(self.server.data)
        self.send_response(206 if found else 200)
        if found:
            self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "audio/flac")
        self.send_header("Content-Length", str(size - first))
        self.end_headers()
        return first

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@contextmanager
def serving(media: Path, hold_after: int | None = None) -> Iterator[MediaServer]:
    """The server at work."""
    with MediaServer(media, hold_after) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()
