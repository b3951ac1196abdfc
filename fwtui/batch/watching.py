"""A batch that takes its files from watched folders: it does not end when its queue is empty."""

import contextlib

from fwtui.batch.batch import BatchRunner
from fwtui.batch.inbox import Message
from fwtui.batch.messages import Sampled, Settled
from fwtui.batch.watched_folders import Folders
from fwtui.config.locations import Locations
from fwtui.core.commands import AnyCommand, UnwatchFolder, WatchFolder
from fwtui.core.events import AT_REST, Level, Phase
from fwtui.core.watch import FolderStatus
from fwtui.engine.client import COMMAND
from fwtui.sessions.store import SessionStore
from fwtui.watch.news import Arrived, News, Noted, Renamed, Told

AGAIN_SECONDS = 5.0


class WatchingBatch(BatchRunner):
    """A runner with folders. What comes is worked on at once if the batch was started."""

    def __init__(
        self, store: SessionStore, locations: Locations, engine: tuple[str, ...] = COMMAND
    ) -> None:
        super().__init__(store, locations.scratch, engine, locations.history)
        self._folders = Folders(self.ledger, locations, self._news, self._inbox.put_nowait)
        self._paused_at_rest = False
        for folder in store.folders:  # before anything that the user asks for
            self.send(WatchFolder(folder))

    @property
    def watched(self) -> tuple[FolderStatus, ...]:
        """See `BatchRunner`."""
        return self._folders.statuses

    async def run(self) -> None:
        """See `BatchRunner`."""
        try:
            await super().run()
        finally:
            await self._folders.finish()

    def _news(self, news: News) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: a share hung at the end
            self._post(news)

    def _close(self) -> None:
        self._folders.close()
        super()._close()

    async def _handle(self, message: Message) -> None:
        match message:
            case Arrived():
                await self._arrived(message)
            case Renamed() | Told() | Noted() | Settled():
                await self._folders.hear(message)
            case _:
                await super()._handle(message)
                if isinstance(message, Sampled):
                    self._folders.tell()  # once a second, however much happens in them

    async def _arrived(self, news: Arrived) -> None:
        try:
            await self._folders.hear(news)
        except BaseException:
            # They are written down as taken: they must come into the queue, now or later.
            assert self._loop is not None
            self._loop.call_later(AGAIN_SECONDS, self._inbox.put_nowait, news)
            raise
        self._emit_progress()
        await self._upkeep.forecast(self.phase)

    async def _obey(self, command: AnyCommand) -> None:
        match command:
            case WatchFolder(folder=folder):
                await self._folders.watch(folder)
            case UnwatchFolder(path=path):
                await self._folders.unwatch(path)
            case _:
                await super()._obey(command)

    async def _go_on(self) -> None:
        await self._folders.follow_up()
        if self.phase is Phase.WATCHING:
            if self.ledger.tally.pending and not self._quitting:
                await self._start()
            elif not self._folders:
                self._set_phase(Phase.IDLE)  # the last folder was let go
                self._emit_finished(stopped=False, seconds=0.0, report=None, failure=None)
        await super()._go_on()

    async def _start(self) -> None:
        if self._paused_at_rest:
            self._paused_at_rest = False
            self.phase = Phase.IDLE  # there is nothing that rests
        nothing = not self.ledger.tally.pending and not self.incoming.is_busy
        if self.phase in AT_REST and self._folders and nothing:
            self._set_phase(Phase.WATCHING)
            return
        await super()._start()

    def _pause(self) -> None:
        if self.phase is Phase.WATCHING:
            self._paused_at_rest = True
            self._set_phase(Phase.PAUSED)
        else:
            super()._pause()

    def _stop(self) -> None:
        self._paused_at_rest = False
        super()._stop()

    def _rest(self, *, stopped: bool) -> Phase:
        if stopped or self._quitting or not self._folders:
            return Phase.IDLE
        where = "; ".join(str(one.folder.path) for one in self.watched)
        self.ledger.log(Level.DEBUG, f"Waiting for files in {where}")
        return Phase.WATCHING
