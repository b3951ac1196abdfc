"""A batch of this process that other processes can attach to."""

import asyncio
import os
import socket
from datetime import datetime

from fwtui import __version__
from fwtui.batch.exit_code import exit_code
from fwtui.batch.hooks import Hooks
from fwtui.batch.remote.endpoints import listen
from fwtui.batch.remote.protocol import PROTOCOL, Welcome, Where
from fwtui.batch.remote.recorder import Recorder
from fwtui.batch.remote.result import BatchResult, keep_result
from fwtui.batch.remote.server import BatchServer
from fwtui.batch.state import now
from fwtui.batch.watching import WatchingBatch
from fwtui.config.locations import Locations
from fwtui.core.commands import Quit, Stop
from fwtui.core.events import Level, Phase, Recap
from fwtui.engine.client import COMMAND
from fwtui.errors import FwtuiError
from fwtui.sessions.store import SessionStore

# How long somebody who leaves the screen waits for commands that run after a file or the batch.
LEAVE_SECONDS = 5.0


class SharedBatch(WatchingBatch):
    """A runner with a socket. In the background it ends itself when there is nothing more to do."""

    def __init__(
        self,
        store: SessionStore,
        locations: Locations,
        where: Where = "run",
        engine: tuple[str, ...] = COMMAND,
    ) -> None:
        super().__init__(store, locations, engine)
        self._where: Where = where
        self._locations = locations
        self._since = datetime.now().replace(microsecond=0)
        self._recorder = Recorder()
        self.subscribe(self._recorder.hear)
        log = os.fspath(locations.session_log(self.session_id))
        self._hooks = Hooks(self.ledger, self.session_id, log)
        self.ledger.listen(self._hooks.hear)
        self._server = BatchServer(self)

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self.ledger.store.session_id

    async def run(self) -> None:
        """See `WatchingBatch`. At its end it writes what became of the batch."""
        await self._open()
        try:
            await super().run()
            await self._hooks.finish(LEAVE_SECONDS if self._where == "screen" else None)
        finally:
            await self._server.close()

    @property
    def is_background(self) -> bool:
        """Whether no terminal belongs to it."""
        return self._where == "background"

    def go_to_background(self) -> None:
        """Nobody sits in front of it: work the queue off, then end.

        As long as somebody is attached it stays, for what they may want to do next.
        """
        self._where = "background"

    def end(self) -> None:
        """Stop at once; without a screen, the process comes to its end by that."""
        self.send(Quit() if self.is_background else Stop())

    @property
    def welcome(self) -> Welcome:
        """What is said to whoever attaches."""
        return Welcome(
            protocol=PROTOCOL,
            version=__version__,
            session_id=self.session_id,
            host=socket.gethostname(),
            pid=os.getpid(),
            since=self._since,
            where=self._where,
            log=os.fspath(self._locations.session_log(self.session_id)),
        )

    @property
    def recap(self) -> Recap:
        """The past, as far as it is kept."""
        return self._recorder.recap

    async def _open(self) -> None:
        """Nobody needs the socket for the work itself: without it the batch goes on."""
        try:
            listening = await asyncio.to_thread(
                listen, self._locations.live, self.session_id, self._since
            )
        except FwtuiError as error:
            self.ledger.log(Level.WARNING, f"Nobody can attach to this batch: {error.title}")
            return
        await self._server.open(listening)

    async def _go_on(self) -> None:
        await super()._go_on()
        if self.is_background and self._is_at_rest and not self._server.clients:
            self.send(Quit())

    def _is_idle(self) -> bool:
        return super()._is_idle() and not self.is_background  # it notices by a reading that it ends

    @property
    def _wants_readings(self) -> bool:
        alone = self.is_background and not self._server.clients
        return super()._wants_readings and not (alone and self.phase is Phase.IDLE)

    @property
    def _is_at_rest(self) -> bool:
        """Nothing is done, looked up, or asked for. (Messages come once a second at least.)"""
        busy = self.incoming.is_busy or not self._inbox.empty()
        return self.phase is Phase.IDLE and not busy and not self._quitting

    def _close(self) -> None:
        self._keep_result()  # as long as it holds its session it counts as running
        super()._close()

    def _keep_result(self) -> None:
        jobs = tuple(self.ledger.queue)
        if not jobs:
            return
        tally, finished = self.ledger.tally, self._recorder.finished
        failure = finished.failure if finished else None
        result = BatchResult(
            session_id=self.session_id,
            ended_at=now(),
            exit_code=exit_code(jobs, failure),
            completed=tally.completed,
            failed=tally.failed,
            unfinished=tally.pending,
            total=tally.total,
            output_dir=self.ledger.settings.output.output_dir,
            log=os.fspath(self._locations.session_log(self.session_id)),
            report=(finished.report if finished else None) or "",
            failure=failure,
        )
        try:
            keep_result(result, self._locations.last_batch)
        except FwtuiError as error:
            text = f"What became of the batch is not kept: {error.title}"
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self.ledger.log, Level.WARNING, text)
