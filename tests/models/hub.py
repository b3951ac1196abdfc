"""A real HTTP server that plays Hugging Face's hub, with the routes its library uses.

Large files are on another host than the rest, as on the hub: `localhost` and `127.0.0.1` differ.
"""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fwtui import demo

COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = 100_000  # bytes: what is larger is in LFS, on the other host
HUGE = 500_000  # bytes: what is larger is what can be held up and spoiled
TOKEN = "hf_of_a_test"


@dataclass(frozen=True)
class Seen:
    """A request that came."""

    method: str
    path: str
    range: str
    token: str


@dataclass
class FakeHub:
    """`hold` bytes of a huge file are sent, then nothing until `go_on`; `held` says so.

    `cut` bytes are sent of it once, then the line is dropped; `spoil` changes what is sent.
    Requests whose path has `silent` in it are never answered; the first of those with a path in
    `busy` are answered by its status and headers. `more` bytes follow a huge file, as far as they
    are read. `says` changes what the list of files says.
    """

    models: Mapping[str, Mapping[str, bytes]]
    hold: int | None = None
    cut: int | None = None
    spoil: bool = False
    private: bool = False
    silent: str | None = None
    busy: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    more: int = 0
    sent: int = 0
    says: Callable[[dict[str, Any]], object] = lambda _: None
    seen: list[Seen] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def gets(self, ending: str) -> list[Seen]:
        return [one for one in self.seen if one.method == "GET" and one.path.endswith(ending)]


def digests(data: bytes) -> tuple[str, str]:
    """Git's id of a file, and its SHA-256 if it is a large one."""
    git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
    return git, hashlib.sha256(data).hexdigest() if len(data) > LARGE else ""


def etag(data: bytes) -> str:
    git, sha = digests(data)
    return sha or git


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        hub, path = self.hub, urlsplit(self.path).path
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        hub.seen.append(Seen(self.command, path, self.headers.get("Range", ""), token))
        if hub.silent is not None and hub.silent in path:
            hub.held.set()
            hub.go_on.wait()
            self.close_connection = True
            return
        for part, answers in hub.busy.items():
            if part in path and answers:
                status, headers = answers.pop(0)
                self._send(status, b"{}", headers, body)
                return
        if hub.private and token != TOKEN and not path.startswith("/cdn/"):
            self._send(401, b"{}", {"X-Error-Code": "RepoNotFound"}, body)
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/[^/]+)?", path):
            self._model(found[1], body)
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/[^/]+", path):
            self._tree(found[1], body)
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            self._file(found[1], found[2], body)
        elif found := re.fullmatch(r"/cdn/([^/]+/[^/]+)/(.+)", path):
            self._large(hub.models[found[1]][found[2]])
        else:
            self._send(404, b"{}", {}, body)

    def _model(self, repo: str, body: bool) -> None:
        files = self.hub.models.get(repo)
        if files is None:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body)
            return
        siblings = []
        for name, data in files.items():
            git, sha = digests(data)
            lfs = {"sha256": sha, "size": len(data), "pointerSize": 100} if sha else None
            siblings.append({"rfilename": name, "size": len(data), "blobId": git, "lfs": lfs})
        found: dict[str, Any] = {
            "id": repo,
            "modelId": repo,
            "sha": COMMIT,
            "siblings": siblings,
            "tags": [],
        }
        found |= {"private": False, "downloads": 0}
        self.hub.says(found)
        self._send(200, json.dumps(found).encode(), {}, body)

    def _tree(self, repo: str, body: bool) -> None:
        entries = []
        for name, data in self.hub.models[repo].items():
            git, sha = digests(data)
            entry = {"type": "file", "path": name, "size": len(data), "oid": git}
            if sha:
                entry["lfs"] = {"oid": sha, "size": len(data), "pointerSize": 100}
            entries.append(entry)
        self._send(200, json.dumps(entries).encode(), {}, body)

    def _file(self, repo: str, name: str, body: bool) -> None:
        data = self.hub.models.get(repo, {}).get(name)
        if data is None:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, body)
            return
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{etag(data)}"'}
        if len(data) > LARGE:
            headers |= {
                "X-Linked-ETag": f'"{etag(data)}"',
                "X-Linked-Size": str(len(data)),
                "Location": f"http://localhost:{self.hub.port}/cdn/{repo}/{name}",
            }
            self._send(302, b"", headers, body)
        else:
            self._send(200, data, headers, body)

    def _large(self, data: bytes) -> None:
        hub = self.hub
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        begin = int(found[1]) if found else 0
        rest = data[begin:]
        huge = len(data) > HUGE
        if hub.spoil and huge:
            rest = rest[:-1] + bytes([rest[-1] ^ 1])
        self.send_response(206 if found else 200)
        if found:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        if hub.more and huge:
            self.send_header("Connection", "close")  # and no length
            self.close_connection = True
        else:
            self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if hub.cut is not None and huge:
            cut, hub.cut = hub.cut, None
            self.wfile.write(rest[:cut])
            self.close_connection = True
            return
        if hub.hold is not None and huge and not hub.go_on.is_set():
            self.wfile.write(rest[: hub.hold])
            hub.held.set()
            hub.go_on.wait()
            rest = rest[hub.hold :]
        try:
            self.wfile.write(rest)
            while hub.more and huge and hub.sent < hub.more:
                hub.sent += self.wfile.write(bytes(1 << 16))
        except OSError:  # who asked has gone
            self.close_connection = True

    def _send(self, status: int, data: bytes, headers: Mapping[str, str], body: bool) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)


def demo_files() -> dict[str, bytes]:
    """The embedded model, and a file that nobody needs."""
    files = {path.name: path.read_bytes() for path in demo.model_dir().iterdir() if path.is_file()}
    return {**files, "README.md": b"# A model\n", "pytorch_model.bin": b"\0" * (LARGE + 1)}


@contextmanager
def fake_hub(models: Mapping[str, Mapping[str, bytes]] | None = None) -> Iterator[FakeHub]:
    """A hub with these models; one with the embedded model as Systran/faster-whisper-tiny."""
    hub = FakeHub(models or {"Systran/faster-whisper-tiny": demo_files()})
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Proxy(BaseHTTPRequestHandler):
    """A proxy that refuses everything, or says nothing."""

    status: int | None
    over: threading.Event

    def log_message(self, *_: object) -> None:
        pass

    def do_CONNECT(self) -> None:
        if self.status is None:
            self.over.wait()
            self.close_connection = True
            return
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_CONNECT()


@contextmanager
def fake_proxy(status: int | None) -> Iterator[str]:
    """The address of a proxy that answers everything by this status; None: not at all."""
    over = threading.Event()
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), type("Proxy", (_Proxy,), {"status": status, "over": over})
    )
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def environment(hub: FakeHub, home: Path) -> dict[str, str]:
    """Variables that lead the hub's library there, with a cache of its own."""
    return {
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(home),
        "HF_TOKEN": TOKEN,
        "NO_PROXY": "127.0.0.1,localhost",
        "HF_HUB_OFFLINE": "",
        "TRANSFORMERS_OFFLINE": "",
    }
