"""The application's part in models: it owns the downloads, and offers what a batch lacks."""

import asyncio
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from textual import work
from textual.app import App

from fwtui.config.overrides import full
from fwtui.core.commands import Start
from fwtui.core.failure import Failure
from fwtui.core.job import Job
from fwtui.core.settings import ModelSettings, Settings
from fwtui.errors import ExitCode, ModelAbsentError, ModelError
from fwtui.tui.controller import Host
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.text import clean

if TYPE_CHECKING:
    from fwtui.tui.downloads import Downloads, Load


class Fetching(App[ExitCode]):
    """For the application."""

    glyphs: Glyphs
    host: Host

    @cached_property
    def downloads(self) -> "Downloads":
        """Of models; made when it is asked for, so that a start does not pay for it."""
        from fwtui.tui.downloads import Downloads

        return Downloads(self._ended)

    async def end_downloads(self) -> None:
        """What is here of them is kept."""
        if "downloads" in vars(self):
            await self.downloads.close()

    def _ended(self, load: "Load", failure: Failure | None) -> None:
        if not self.is_running:
            return
        if failure is None:
            self.notify(f"The model {clean(load.name)} is here", markup=False)
            return
        from fwtui.tui.screens.dialog import Tell

        words = clean(failure.title) + (f"\n\n{clean(failure.hint)}" if failure.hint else "")
        self.push_screen(Tell("The download has stopped", words, bad=True))

    @work(group="offer", exit_on_error=False)
    async def offer_model(self, failure: Failure) -> None:
        """A batch cannot begin without a model: offer to download it, and begin then."""
        from fwtui.models.catalogue import described
        from fwtui.tui.screens.dialog import Ask, Tell

        model = self.host.model
        lacking = await asyncio.to_thread(absent, model.settings, list(model.jobs.values()))
        if lacking is None:
            words = clean(failure.title) + (f"\n\n{clean(failure.hint)}" if failure.hint else "")
            self.push_screen(Tell("The batch cannot go on", words, bad=True))
            return
        question = (
            f"The model {clean(described(lacking.model))} is not on this machine.\n\n"
            "Download it now? The batch starts when it is here."
        )
        ask = Ask("A model is missing", question, "Download", "Not now")
        if await self.push_screen_wait(ask):
            from fwtui.tui.screens.models import Models

            self.downloads.begin(lacking.model, lacking, lambda: self.host.send(Start()))
            self.push_screen(Models(model.settings.model, self.downloads, self.glyphs))


def absent(settings: Settings, jobs: Iterable[Job]) -> ModelSettings | None:
    """The first model that the batch, or one of its files, lacks and that can be downloaded."""
    from fwtui.models.cache import locate

    own = [full(job.settings).model for job in jobs if job.settings and not job.is_finished]
    for model in dict.fromkeys((settings.model, *own)):
        try:
            locate(model)
        except ModelAbsentError:
            return model
        except ModelError:
            continue
    return None
