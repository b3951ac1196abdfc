"""The parent's side of the child process that downloads models from Hugging Face."""

import asyncio
import contextlib
import logging
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from typing import IO

import msgspec

from fwtui.core.child_process import CHILD_FOLDER, child_environment
from fwtui.core.failure import Failure, FailureKind
from fwtui.errors import ModelError
from fwtui.models.protocol import (
    AnyReply,
    AnyRequest,
    Done,
    PlanDownload,
    Planned,
    Remove,
    RequestFailed,
    Waiting,
)

COMMAND = (sys.executable, "-P", "-m", "fwtui.models.hub")
# Plain transfers can be resumed inside a file; those of the Xet library cannot.
ENVIRONMENT = {
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
_RATE_SECONDS = 5.0
_MOST_LINE = 1 << 20  # bytes of a reply
_MOST_STDERR = 2000

logger = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def request_replies(
    request: AnyRequest, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[AsyncIterator[AnyReply]]:
    """The replies of a child to a request, up to `Done` or `RequestFailed`.

    Leaving the context ends the child, which pauses a download. Raises ModelError.
    """
    with tempfile.TemporaryFile() as stderr:
        try:
            child = await asyncio.create_subprocess_exec(
                *COMMAND,
                stdin=PIPE,
                stdout=PIPE,
                stderr=stderr,
                cwd=CHILD_FOLDER,
                env={**child_environment(environ), **ENVIRONMENT},
            )
        except OSError as error:
            raise ModelError(
                f"Cannot start the download process: {error.strerror}",
                "check free memory and the process limit (ulimit -u)",
            ) from error
        try:
            yield _replies(child, request, stderr)
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()


async def _replies(
    child: Process, request: AnyRequest, stderr: IO[bytes]
) -> AsyncIterator[AnyReply]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(msgspec.json.encode(request) + b"\n")
    decoder: msgspec.json.Decoder[AnyReply] = msgspec.json.Decoder(AnyReply)
    last: AnyReply | None = None
    while line := await child.stdout.readline():
        last = decoder.decode(line)
        yield last
    if not isinstance(last, Done | RequestFailed):
        yield RequestFailed(_died(request.repo, await child.wait(), stderr))


async def remote_size(
    repo: str,
    cache: str,
    environ: Mapping[str, str] = os.environ,
    waiting: Callable[[str], object] = lambda _: None,
) -> Planned:
    """What a download would transfer; `waiting` is told whom it waits for. Raises ModelError."""
    async with request_replies(PlanDownload(repo, cache), environ) as replies:
        async for reply in replies:
            if isinstance(reply, Planned):
                return reply
            if isinstance(reply, Waiting):
                waiting(reply.text)
            if isinstance(reply, RequestFailed):
                raise failed(reply.failure)
    raise AssertionError  # the last reply is a RequestFailed, or a Done after a Planned


async def remove(repo: str, cache: str, environ: Mapping[str, str] = os.environ) -> int:
    """Delete a model from the cache; returns the bytes freed. Raises ModelError."""
    async with request_replies(Remove(repo, cache), environ) as replies:
        async for reply in replies:
            if isinstance(reply, Done):
                return reply.freed
            if isinstance(reply, RequestFailed):
                raise failed(reply.failure)
    raise AssertionError  # the last reply is one of these


def failed(failure: Failure) -> ModelError:
    """The error for a failure, whose detail is logged."""
    if failure.detail:
        logger.info("%s", failure.detail)
    return ModelError(failure.title, failure.hint)


def _died(repo: str, code: int, stderr: IO[bytes]) -> Failure:
    stderr.seek(max(0, stderr.seek(0, os.SEEK_END) - _MOST_STDERR))
    return Failure(
        FailureKind.MODEL_MISSING,
        f"Download of {repo} interrupted (exit code {code})",
        "the partial download is kept; press d (or run the same command) to continue",
        stderr.read().decode(errors="replace"),
    )


class TransferRate:
    """Bytes per second over the last few seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, now: float, done: int) -> None:
        """Record the bytes done at a time in seconds."""
        self._seen.append((now, done))
        while now - self._seen[0][0] > _RATE_SECONDS and len(self._seen) > 2:
            self._seen.popleft()

    @property
    def speed(self) -> float:
        """Bytes per second; 0 while unknown."""
        if len(self._seen) < 2:
            return 0.0
        (began, before), (now, done) = self._seen[0], self._seen[-1]
        return max(0.0, (done - before) / (now - began)) if now > began else 0.0

    def seconds_left(self, total: int) -> float | None:
        """Seconds until all bytes are done; None while unknown."""
        return (total - self._seen[-1][1]) / self.speed if self.speed else None
