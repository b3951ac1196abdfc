"""Downloads of models under way; they outlive the dialog that began them, not the program."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.settings import ModelSettings
from fwtui.errors import ModelError
from fwtui.models.cache import hub_cache
from fwtui.models.catalogue import repo_of
from fwtui.models.client import TransferRate, request_replies
from fwtui.models.protocol import Checking, Done, Download, DownloadProgress, Planned, RequestFailed


@dataclass
class Load:
    """One download: bytes that are here, of all (0: not known yet)."""

    name: str
    repo: str
    done: int = 0
    total: int = 0
    checking: bool = False
    pace: TransferRate = field(default_factory=TransferRate)


Ended = Callable[[Load, Failure | None], None]


class Downloads:
    """All methods run in the event loop. `on_end` hears how each ended, unless it was paused."""

    def __init__(self, on_end: Ended) -> None:
        self.loads: dict[str, Load] = {}
        self._on_end = on_end
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._then: dict[str, Callable[[], object]] = {}

    def begin(
        self, name: str, settings: ModelSettings, then: Callable[[], object] | None = None
    ) -> Load:
        """Download, or go on; `then` is called when it is here. Raises ModelError: no such model.

        One that is under way already goes on as it is.
        """
        repo = repo_of(name)
        if then is not None:
            self._then[repo] = then
        if repo not in self.loads:
            self.loads[repo] = Load(name, repo)
            cache = str(hub_cache(settings.model_dir))
            self._tasks[repo] = asyncio.create_task(self._run(self.loads[repo], cache))
        return self.loads[repo]

    async def _run(self, load: Load, cache: str) -> None:
        failure: Failure | None = None
        try:
            async with request_replies(Download(load.repo, cache)) as replies:
                async for reply in replies:
                    match reply:
                        case Planned(total=total, here=here):
                            load.done, load.total = here, total
                        case DownloadProgress(done=done, total=total):
                            load.done, load.total, load.checking = done, total, False
                            load.pace.add(time.monotonic(), done)
                        case Checking():
                            load.checking = True
                        case RequestFailed(failure=why):
                            failure = why
                        case Done():
                            pass
        except ModelError as error:
            failure = Failure(FailureKind.MODEL_MISSING, error.title, error.hint)
        finally:
            del self.loads[load.repo]
        then = self._then.pop(load.repo, None)
        self._on_end(load, failure)
        if then is not None and failure is None:
            then()

    async def pause(self, repo: str) -> bool:
        """End a download and keep what has arrived; whether there was one.

        What was to be done then is done when it went on and is here.
        """
        task = self._tasks.pop(repo, None)
        if task is None or task.done():
            return False
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return True

    async def close(self) -> None:
        """Pause all."""
        await asyncio.gather(*(self.pause(repo) for repo in list(self.loads)))
