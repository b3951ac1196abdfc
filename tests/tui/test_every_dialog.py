"""Every dialog is whole at every size: buttons with their labels, title, keys, the right edge."""

import asyncio
import pkgutil
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from textual.widget import Widget
from textual.widgets import Button

from fwtui.batch.model_needs import ModelNeeds
from fwtui.batch.remote.batch_status import BatchStatus
from fwtui.config.locations import Locations
from fwtui.config.profiles import PROFILES, Profile, custom_profile
from fwtui.config.save import save_profile
from fwtui.core.events import FoldersChanged
from fwtui.core.segment import Transcript
from fwtui.core.settings import Settings
from fwtui.errors import UsageError
from fwtui.outputs.batch_history import HistoryStore
from fwtui.report.bug_report import BugReportFile
from fwtui.tui import screens
from fwtui.tui.app import FwtuiApp
from fwtui.tui.formatting import width
from fwtui.tui.glyphs import UNICODE
from fwtui.tui.model import LiveTranscript
from fwtui.tui.screens.add import AddDialog
from fwtui.tui.screens.batch_report import ReportDialog
from fwtui.tui.screens.details import DetailsDialog, DetailsSource
from fwtui.tui.screens.dialog import (
    ConfirmDialog,
    Dialog,
    DialogBox,
    ListDialog,
    MessageDialog,
    error_dialog,
)
from fwtui.tui.screens.doctor import DoctorDialog
from fwtui.tui.screens.export import Exportable, ExportDialog
from fwtui.tui.screens.help import HelpDialog, help_dialog
from fwtui.tui.screens.history_browser import HistoryDialog
from fwtui.tui.screens.missing_model import MissingModelDialog
from fwtui.tui.screens.models import ModelNameDialog, ModelsDialog
from fwtui.tui.screens.quit import QuitDialog, ask_again, ask_change
from fwtui.tui.screens.report_bug import ReportBugDialog
from fwtui.tui.screens.resume import RemapDialog, ResumeDialog
from fwtui.tui.screens.running import RunningDialog
from fwtui.tui.screens.sessions import InspectDialog, SessionsDialog, ask_discard
from fwtui.tui.screens.settings import SettingsDialog
from fwtui.tui.screens.speaker_list import SpeakersDialog, SpeakersSource
from fwtui.tui.screens.watched import WatchedDialog, WatchForm
from tests.tui.driving import SECONDS, Driver, scripted
from tests.tui.fakes import ScriptedLink, gallery, job, stored
from tests.tui.test_doctor_screen import sample
from tests.tui.test_running import FAR, HERE, SEEN
from tests.tui.test_sessions import several
from tests.tui.test_speakers_screen import talk, transcript
from tests.tui.test_watched import STATUSES, TALKS

LONG = "the interview with everybody who was there, in both languages and in one take"
OWN = tuple(
    custom_profile(name, Settings()) for name in ("Interviews", "Fast and cheap", "会議", LONG)
)
Make = Callable[[FwtuiApp], Dialog[Any]]


def details(app: FwtuiApp, name: str = "talk.mp3", *, can_retry: bool = True) -> DetailsDialog:
    one = job(1, name, state=gallery()[0].state)

    async def read() -> Transcript:
        return Transcript("", ())

    return DetailsDialog(
        DetailsSource(
            current=lambda: (one, None),
            settings=Settings(),
            transcript=LiveTranscript(),
            read=read,
            can_retry=can_retry,
        ),
        UNICODE,
    )


def watched(app: FwtuiApp) -> WatchedDialog:
    return WatchedDialog(app.controller.model, app.controller.send, PROFILES, UNICODE)


def models(app: FwtuiApp) -> ModelsDialog:
    return ModelsDialog(Settings(), app.downloads, UNICODE, several().model_needs)


def history(_: FwtuiApp) -> HistoryDialog:
    store = HistoryStore(Locations.default().state)
    return HistoryDialog(store, UNICODE, lambda _: None, lambda _: False)


def speakers(_: FwtuiApp) -> SpeakersDialog:
    async def read() -> Transcript:
        return transcript(talk())

    source = SpeakersSource(talk, LiveTranscript(), read, lambda *_: None)
    return SpeakersDialog(source, UNICODE)


SESSION = stored()
OTHER = stored("20251201_080000", gallery())
REPORT = Exportable("the report", Path("fwtui-report"), ("md", "csv", "json"), lambda _: b"")
ERROR = UsageError("The folder is not there", "make it, or name another one")
BATCHES = (BatchStatus(HERE, SEEN), BatchStatus(FAR, problem="no answer"))
FORM_PROFILES: Sequence[Profile] = (*PROFILES, *OWN)

EXAMPLES: dict[type[Dialog[Any]], Sequence[Make]] = {
    AddDialog: (lambda _: AddDialog(UNICODE),),
    ConfirmDialog: (
        lambda app: ask_change(app.controller.model, SESSION),
        lambda _: ask_again(gallery()),
        lambda _: ask_discard([SESSION.session, OTHER.session]),
    ),
    DetailsDialog: (
        details,
        lambda app: details(app, f"{LONG}.mp3"),
        lambda app: details(app, can_retry=False),
    ),
    DoctorDialog: (lambda _: DoctorDialog(sample, UNICODE),),
    ExportDialog: (lambda _: ExportDialog(REPORT),),
    HelpDialog: (lambda _: help_dialog(UNICODE),),
    HistoryDialog: (history,),
    InspectDialog: (lambda _: InspectDialog(OTHER, several(), UNICODE),),
    MessageDialog: (lambda _: error_dialog("The batch cannot continue", ERROR),),
    MissingModelDialog: (lambda _: MissingModelDialog("large-v3", ModelNeeds(), UNICODE),),
    ModelNameDialog: (lambda _: ModelNameDialog(),),
    ModelsDialog: (models,),
    QuitDialog: (lambda app: QuitDialog(app.controller.model),),
    RemapDialog: (lambda _: RemapDialog(r"D:\Audio"),),
    ReportBugDialog: (
        lambda _: ReportBugDialog([BugReportFile("a.txt", "a")], UNICODE, Path("bug.zip")),
    ),
    ReportDialog: (lambda app: ReportDialog(app.controller.model, UNICODE),),
    ResumeDialog: (
        lambda _: ResumeDialog(several(), [SESSION], (), UNICODE),
        lambda _: ResumeDialog(several(), [SESSION, OTHER], ("One could not be read",), UNICODE),
    ),
    RunningDialog: (lambda _: RunningDialog(BATCHES, UNICODE),),
    SessionsDialog: (lambda _: SessionsDialog(several(), UNICODE, ""),),
    SettingsDialog: (lambda _: SettingsDialog(Settings(), UNICODE, use="Retry with these"),),
    SpeakersDialog: (speakers,),
    WatchedDialog: (watched,),
    WatchForm: (
        lambda _: WatchForm(None, FORM_PROFILES, UNICODE),
        lambda _: WatchForm(TALKS, FORM_PROFILES, UNICODE),
    ),
}


def all_dialogs() -> set[type]:
    """Every class of dialogs that there is."""
    for module in pkgutil.iter_modules(screens.__path__, f"{screens.__name__}."):
        import_module(module.name)

    def below(kind: type) -> Iterator[type]:
        subclasses: list[type] = kind.__subclasses__()
        for one in subclasses:
            yield one
            yield from below(one)

    return {one for one in below(Dialog) if one.__module__.startswith("fwtui.")} - {ListDialog}


def test_there_is_an_example_of_every_dialog() -> None:
    assert EXAMPLES.keys() == all_dialogs()


def faults(driver: Driver) -> Iterator[str]:
    """What is not whole on the screen."""
    screen = driver.app.screen
    strips = screen._compositor.render_strips()
    box = screen.query_one(DialogBox)
    if not box.region or box.region.bottom > len(strips):
        yield "it is not laid out"
        return

    def line(widget: Widget, at: int) -> str:
        x, y, cells, height = widget.region
        return "".join(part.text for part in strips[y + at % height].crop(x, x + cells))

    if str(box.border_title) not in line(box, 0):
        yield f"the title {box.border_title!r} is cut"
    if width(box.full_title) <= box.size.width and box.full_title not in line(box, 0):
        yield f"the title {box.full_title!r} is shortened"
    if str(box.border_subtitle or "") not in line(box, -1):
        yield f"the keys {box.border_subtitle!r} are cut"
    for button in screen.query(Button):
        if not button.is_on_screen:
            if button.has_focus or any("buttons" in one.classes for one in button.ancestors):
                yield f"{button.label!r} is out of sight"
        elif str(button.label) not in line(button, 0):
            yield f"{button.label!r} is cut"
    for row in screen.query(".buttons"):
        if row.max_scroll_x or row.max_scroll_y:
            yield "the buttons can be scrolled: the focus moves some out of sight"
    for widget in box.query("*"):
        if widget.is_on_screen and widget.region.right > box.region.right - 1:
            yield f"{widget!r} goes beyond the right edge"


async def look_at(driver: Driver, dialog: Dialog[Any]) -> None:
    """Open a dialog, and close it when all of it was seen."""
    await driver.app.push_screen(dialog)
    if isinstance(dialog, SettingsDialog):
        await driver.until(lambda: dialog.query(f"#profile-{len(FORM_PROFILES)}"))
    ends = time.monotonic() + SECONDS
    while found := list(faults(driver)):  # without `until`, whose settling takes half of the time
        assert time.monotonic() < ends, f"{dialog!r}: {found}\n{driver.text}"
        await asyncio.sleep(0.01)
    await dialog.dismiss(None)


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40)])
async def test_every_dialog_is_whole(size: tuple[int, int]) -> None:
    for profile in OWN:
        save_profile(Locations.default().config_file, profile)
    link = ScriptedLink([job(1)])
    async with scripted(link, size=size) as driver:
        link.emit(FoldersChanged(STATUSES))
        await driver.until(lambda: driver.app.controller.model.folders)
        for makes in EXAMPLES.values():
            for make in makes:
                await look_at(driver, make(driver.app))
