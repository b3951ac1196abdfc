"""A workspace whose modules are imported when it is first used, after the first frame."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from fwtui.tui.controller import BatchWorkspace


def lazy_workspace(make: "Callable[[], BatchWorkspace]") -> "BatchWorkspace":
    """A workspace that `make` creates in a thread when one of its methods is first called.

    The batch and what it needs are a hundred modules; the first frame needs none of them.
    """
    return cast("BatchWorkspace", _LazyWorkspace(make))


class _LazyWorkspace:
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
            # The command line disabled the collector during imports.
            gc.freeze()
            gc.enable()
