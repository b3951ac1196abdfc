"""A workspace that is imported when it is first asked for something: the screen starts quicker."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from fwtui.tui.controller import BatchWorkspace


def late(make: "Callable[[], BatchWorkspace]") -> "BatchWorkspace":
    """A workspace that `make` makes in a thread, once, when one of its methods is called.

    The batch and what it needs are a hundred modules; the first frame needs none of them.
    """
    return cast("BatchWorkspace", _Late(make))


class _Late:
    def __init__(self, make: "Callable[[], BatchWorkspace]") -> None:
        self._make = make
        self._made: BatchWorkspace | None = None
        self._lock = asyncio.Lock()

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: object) -> object:
            async with self._lock:
                if self._made is None:
                    self._made = await self._import()
            return await getattr(self._made, method)(*arguments)

        return call

    async def _import(self) -> "BatchWorkspace":
        try:
            return await asyncio.to_thread(self._make)
        finally:
            # The command line switches the collector off while modules are imported.
            gc.freeze()
            gc.enable()
