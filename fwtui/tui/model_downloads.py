"""Downloads of models in progress; they outlive the dialog that started them, not the program."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace
from textual.app import App

from fwtui.config.overrides import from_overrides
from fwtui.core.commands import ChangeSettings, Start
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.job import Job
from fwtui.core.settings import ModelSettings, Settings
from fwtui.errors import ExitCode, ModelAbsentError, ModelError
from fwtui.models.cache import hub_cache, locate
from fwtui.models.client import TransferRate, request_replies
from fwtui.models.protocol import (
    Checking,
    Done,
    Download,
    Planned,
    RequestFailed,
    TransferProgress,
    Waiting,
)
from fwtui.models.speaker_models import SPEAKERS, check_speakers, download_requests
from fwtui.tui.controller import BatchController
from fwtui.tui.formatting import clean
from fwtui.tui.glyphs import Glyphs


@dataclass
class ModelDownload:
    """One download: bytes downloaded, of `total` (0: not known yet); whom it waits for."""

    name: str
    repo: str
    done: int = 0
    total: int = 0
    checking: bool = False
    waiting: str = ""
    rate: TransferRate = field(default_factory=TransferRate)


class ModelDownloads:
    """The downloads in progress by repository. All methods run in the event loop."""

    def __init__(self, app: App[ExitCode]) -> None:
        self.active: dict[str, ModelDownload] = {}
        self._app = app
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._then: dict[str, Callable[[], object]] = {}

    def begin(
        self, name: str, settings: ModelSettings, then: Callable[[], object] | None = None
    ) -> ModelDownload:
        """Start or continue a download; `then` is called when it is complete.

        One in progress is not disturbed. Raises ModelError if there is no such model.
        """
        requests = download_requests(name, str(hub_cache(settings.model_dir)))
        repo = name if len(requests) > 1 else requests[0].repo
        if then is not None:
            self._then[repo] = then
        if repo not in self.active:
            self.active[repo] = ModelDownload(name, repo)
            self._tasks[repo] = asyncio.create_task(self._run(self.active[repo], requests))
        return self.active[repo]

    async def _run(self, download: ModelDownload, requests: tuple[Download, ...]) -> None:
        failure: Failure | None = None
        try:
            for request in requests:
                failure = failure or await self._fetch(download, request)
        except ModelError as error:
            failure = Failure(FailureKind.MODEL_MISSING, error.title, error.hint)
        finally:
            del self.active[download.repo]
        then = self._then.pop(download.repo, None)
        self._report(download, failure)
        if then is not None and failure is None:
            then()

    async def _fetch(self, download: ModelDownload, request: Download) -> Failure | None:
        """Download one of its models; returns why that failed. Raises ModelError."""
        failure = None
        async with request_replies(request) as replies:
            async for reply in replies:
                match reply:
                    case Planned(total=total, here=here):
                        download.done, download.total = here, total
                    case TransferProgress(done=done, total=total):
                        download.done, download.total, download.checking = done, total, False
                        download.rate.add(time.monotonic(), done)
                        download.waiting = ""
                    case Checking():
                        download.checking, download.waiting = True, ""
                    case Waiting(text=text):
                        download.waiting = text
                    case RequestFailed(failure=why):
                        failure = why
                    case Done():
                        pass
        return failure

    def _report(self, download: ModelDownload, failure: Failure | None) -> None:
        if not self._app.is_running:
            return
        if failure is None:
            self._app.notify(f"Model {clean(download.name)} downloaded", markup=False)
            return
        from fwtui.tui.screens.dialog import error_dialog

        self._app.push_screen(error_dialog("Download failed", failure))

    async def pause(self, repo: str) -> bool:
        """Stop a download and keep the part downloaded; False if there was none.

        Its `then` is called when it has been continued and is complete.
        """
        task = self._tasks.pop(repo, None)
        if task is None or task.done():
            return False
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return True

    async def close(self) -> None:
        """Pause all."""
        await asyncio.gather(*(self.pause(repo) for repo in list(self.active)))


async def offer_download(
    app: App[ExitCode],
    controller: BatchController,
    downloads: ModelDownloads,
    glyphs: Glyphs,
    failure: Failure,
) -> None:
    """Offer to download the model that a batch failed to start without, and start it then."""
    from fwtui.tui.screens.dialog import ConfirmDialog, error_dialog
    from fwtui.tui.screens.missing_model import MissingModelDialog

    model = controller.model
    missing = await asyncio.to_thread(missing_model, model.settings, list(model.jobs.values()))
    if missing is None and await asyncio.to_thread(lacks_speakers, model.settings):
        question = f"{failure.title}. Download them, and start the batch then?"
        title = "Models for speakers"
        if await app.push_screen_wait(ConfirmDialog(title, question, "Download", "Not now")):
            name = model.settings.speakers.diarize_model or SPEAKERS
            downloads.begin(name, model.settings.model, lambda: controller.send(Start()))
        return
    if missing is None:
        app.push_screen(error_dialog("The batch cannot continue", failure))
        return
    needs = await controller.workspace.model_needs(model.settings, [missing.model])
    dialog = MissingModelDialog(missing.model, needs[missing.model], glyphs)
    choice = await app.push_screen_wait(dialog)
    if choice == "download":
        _download(app, controller, downloads, glyphs, missing)
    elif choice == "other":
        await _choose_other(app, controller, downloads, glyphs)


def _download(
    app: App[ExitCode],
    controller: BatchController,
    downloads: ModelDownloads,
    glyphs: Glyphs,
    missing: ModelSettings,
) -> None:
    """Download a model, show that, and start the batch when it is ready."""
    from fwtui.tui.screens.models import ModelsDialog

    downloads.begin(missing.model, missing, lambda: controller.send(Start()))
    used, needs = controller.model.settings, controller.workspace.model_needs
    settings = replace(used, model=missing)
    app.push_screen(ModelsDialog(settings, downloads, glyphs, needs))


async def _choose_other(
    app: App[ExitCode], controller: BatchController, downloads: ModelDownloads, glyphs: Glyphs
) -> None:
    """Let the user choose another model for the batch; start it, or download that one first."""
    from fwtui.tui.screens.models import ModelsDialog

    settings, needs = controller.model.settings, controller.workspace.model_needs
    name = await app.push_screen_wait(ModelsDialog(settings, downloads, glyphs, needs))
    if name is None:
        return
    settings = replace(settings, model=replace(settings.model, model=name))
    controller.send(ChangeSettings(settings))
    if await asyncio.to_thread(missing_model, settings, ()) is None:
        controller.send(Start())
    else:
        _download(app, controller, downloads, glyphs, settings.model)


def lacks_speakers(settings: Settings) -> bool:
    """Whether the models for speakers are missing and can be downloaded."""
    try:
        check_speakers(settings)
    except ModelAbsentError:
        return True
    except ModelError:
        return False
    return False


def missing_model(settings: Settings, jobs: Iterable[Job]) -> ModelSettings | None:
    """The first model of the batch or one of its files that is missing and can be downloaded."""
    own = [
        from_overrides(job.settings).model for job in jobs if job.settings and not job.is_finished
    ]
    for model in dict.fromkeys((settings.model, *own)):
        try:
            locate(model)
        except ModelAbsentError:
            return model
        except ModelError:
            continue
    return None
