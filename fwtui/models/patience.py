"""How long a hub is waited for: who is waited for, what is said meanwhile, and when it ends."""

import contextlib
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from fwtui.core.text import clock
from fwtui.errors import ModelError
from fwtui.models.protocol import PATIENCE_SECONDS, Waiting

TOLD_SECONDS = 3.0  # of silence, before it is said whom it waits for
# Fewer bytes than these in that time are no sign of life.
_LEAST_BYTES = 1024
_MOST_ASKED = 60.0  # seconds that a hub may ask to wait, all together
_USUAL_WAIT = 5.0  # if it does not say how long
_BUSY = frozenset({429, 503})


class Patience:
    """Watches over the requests of one process. `check` is for a thread of its own.

    `seconds`: those without a sign of life after which it ends; None: for ever.
    """

    def __init__(self, url: str, seconds: float | None = PATIENCE_SECONDS) -> None:
        self.peer = peer_of(url)
        self._seconds = seconds
        self._since: float | None = None  # of the silence; None: it does not wait
        self._bytes = 0
        self._told = 0.0
        self._asked = 0.0

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """A request is on its way."""
        self._since, self._bytes, self._told = time.monotonic(), 0, 0.0
        try:
            yield
        finally:
            self._since = None

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """The silence is that of this machine."""
        before, self._since = self._since, None
        try:
            yield
        finally:
            self._since = before

    def heard(self, count: int) -> None:
        """Some bytes have come."""
        self._bytes += max(0, count)
        if self._bytes >= _LEAST_BYTES and self._since is not None:
            self._since, self._bytes, self._told = time.monotonic(), 0, 0.0

    def check(self) -> Waiting | ModelError | None:
        """What there is to say of a silence: whom it waits for, or that it has ended."""
        since = self._since
        if since is None or self._seconds is None:
            return None
        silent = time.monotonic() - since
        if silent >= self._seconds:
            return ModelError(
                f"{self.peer} does not answer: nothing has come for {self._seconds:g} s",
                "check network and proxy, or try again later; the partial download is kept",
            )
        if silent - self._told >= min(TOLD_SECONDS, self._seconds / 3):
            self._told = silent
            left = self._seconds - silent
            return Waiting(f"waiting for {self.peer}, for {left:.0f} s at most", silent)
        return None

    def wait_as_asked(self, seconds: float, report: Callable[[Waiting], None]) -> None:
        """Wait as the hub asks; raises ModelError if that is too long."""
        self._asked += seconds
        if self._asked > min(_MOST_ASKED, 2 * (self._seconds or _MOST_ASKED)):
            raise ModelError(
                f"{self.peer} asks to wait for {clock(seconds) or 'a long time'}",
                "try again after that; the partial download is kept",
            )
        report(Waiting(f"{self.peer} asks to wait for {seconds:.0f} s", seconds))
        time.sleep(seconds)


def asked_to_wait(error: BaseException) -> float | None:
    """The seconds that an answer asks to wait for; None if it does not."""
    response = getattr(error, "response", None)
    if getattr(response, "status_code", 0) not in _BUSY:
        return None
    value = str(response.headers.get("Retry-After") or "").strip()  # type: ignore[union-attr]
    if value.isdecimal():
        return max(0.1, float(value[:12]))
    try:
        return max(0.1, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return _USUAL_WAIT


def proxy_for(url: str) -> str:
    """The proxy that the system or the environment sets for a link, without its password."""
    parts = urlsplit(url)
    try:
        proxies = getproxies()
        if not parts.hostname or proxy_bypass(parts.hostname):
            return ""
        proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
        return urlsplit(proxy if "//" in proxy else f"//{proxy}").netloc.rpartition("@")[2]
    except (OSError, ValueError):
        return ""


def peer_of(url: str) -> str:
    """Whom a request waits for, for people: the host, and the proxy before it."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    proxy = proxy_for(url)
    return f"{host} (through the proxy {proxy})" if proxy else host
