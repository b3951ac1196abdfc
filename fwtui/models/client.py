"""The parent's side of the child that talks to the hub."""

import asyncio
import contextlib
import logging
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import IO

import msgspec

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
)

COMMAND = (sys.executable, "-P", "-m", "fwtui.models.hub")
# Plain transfers can go on in the middle of a file; those by Xet's library cannot.
ENVIRONMENT = {
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
_PACE_SECONDS = 5.0

logger = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def talk(
    request: AnyRequest, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[AsyncIterator[AnyReply]]:
    """What the child says until it is done or has failed.

    To leave the context ends the child: a download is paused by it. Raises ModelError.
    """
    with tempfile.TemporaryFile() as words:
        try:
            child = await asyncio.create_subprocess_exec(
                *COMMAND, stdin=PIPE, stdout=PIPE, stderr=words, env={**environ, **ENVIRONMENT}
            )
        except OSError as error:
            raise ModelError(
                f"The process for downloads could not be started: {error.strerror}",
                "check free memory and the limit on processes (ulimit -u)",
            ) from error
        try:
            yield _replies(child, request, words)
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()


async def _replies(
    child: Process, request: AnyRequest, words: IO[bytes]
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
        yield RequestFailed(_died(request.repo, await child.wait(), words))


async def remote_size(repo: str, cache: str, environ: Mapping[str, str] = os.environ) -> Planned:
    """What a download would bring. Raises ModelError."""
    async with talk(PlanDownload(repo, cache), environ) as replies:
        async for reply in replies:
            if isinstance(reply, Planned):
                return reply
            if isinstance(reply, RequestFailed):
                raise failed(reply.failure)
    raise AssertionError  # the last reply is always a RequestFailed, or a Done after a Planned


async def remove(repo: str, cache: str, environ: Mapping[str, str] = os.environ) -> int:
    """Delete a model from the cache; the bytes that became free. Raises ModelError."""
    async with talk(Remove(repo, cache), environ) as replies:
        async for reply in replies:
            if isinstance(reply, Done):
                return reply.freed
            if isinstance(reply, RequestFailed):
                raise failed(reply.failure)
    raise AssertionError  # the last reply is always one of these


def failed(failure: Failure) -> ModelError:
    """A failure as an error."""
    if failure.detail:
        logger.info("%s", failure.detail)
    return ModelError(failure.title, failure.hint)


def _died(repo: str, code: int, words: IO[bytes]) -> Failure:
    words.seek(0)
    return Failure(
        FailureKind.MODEL_MISSING,
        f"The talk with the hub about {repo} broke off (exit code {code})",
        "what has arrived is kept: the same command goes on",
        words.read().decode(errors="replace")[-2000:],
    )


class TransferRate:
    """Bytes a second over the last seconds, from what is done at which time (seconds)."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def add(self, now: float, done: int) -> None:
        """So many bytes are done."""
        self._seen.append((now, done))
        while now - self._seen[0][0] > _PACE_SECONDS and len(self._seen) > 2:
            self._seen.popleft()

    @property
    def speed(self) -> float:
        """0 before anything is known."""
        if len(self._seen) < 2:
            return 0.0
        (began, before), (now, done) = self._seen[0], self._seen[-1]
        return max(0.0, (done - before) / (now - began)) if now > began else 0.0

    def left(self, total: int) -> float | None:
        """Seconds until all is done."""
        return (total - self._seen[-1][1]) / self.speed if self.speed else None
