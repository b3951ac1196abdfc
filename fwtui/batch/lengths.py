"""How long files are, found out by a child of its own, since native libraries stay out of here."""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from fwtui.core.paths import path_to_text

COMMAND = (sys.executable, "-P", "-m", "fwtui.audio.lengths")
# A file on a share that hangs must not keep the others from being measured.
PATIENCE = 10.0


class LengthMeter:
    """Measures files one after the other. Its child starts with the first and ends with `close`."""

    def __init__(self, command: tuple[str, ...] = COMMAND, patience: float = PATIENCE) -> None:
        self._command = command
        self.patience = patience
        self._child: Process | None = None
        self._known: dict[Path, float | None] = {}
        self._turn = asyncio.Lock()

    async def measure(self, paths: Iterable[Path]) -> AsyncIterator[tuple[Path, float | None]]:
        """Each file with its seconds, None where they cannot be found out."""
        for path in paths:
            if path not in self._known:
                async with self._turn:  # one that was cancelled may not have let go of the child
                    self._known[path] = await self._ask(path)
            yield path, self._known[path]

    async def _ask(self, path: Path) -> float | None:
        try:
            child = await self._started()
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(json.dumps(path_to_text(path)).encode() + b"\n")
            answer = await asyncio.wait_for(child.stdout.readline(), self.patience)
            seconds = json.loads(answer) if answer else None
        except (TimeoutError, OSError, ValueError):
            await self.close()
            return None
        except asyncio.CancelledError:
            # The answer would be taken for that of the next file.
            await self.close()
            raise
        if not answer:
            await self.close()
        return float(seconds) if isinstance(seconds, int | float) else None

    async def _started(self) -> Process:
        if self._child is None:
            self._child = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
            )
        return self._child

    async def close(self) -> None:
        """End the child; measuring again starts another one."""
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.close()
            await child.wait()
            with contextlib.suppress(OSError):  # of what it had not read
                await child.stdin.wait_closed()
            # A child that had ended by itself is not waited for, but its pipe must not outlive the
            # event loop.
            await child.stdout.read()
