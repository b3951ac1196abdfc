"""Opening the screen from the command line: checks before it, and what follows after it."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from fwtui.batch.discovery import Finder, find_in_portions
from fwtui.cli.command_table import COMMANDS
from fwtui.cli.console import Console
from fwtui.cli.logfile import SessionLog, close_log, log_event, open_log
from fwtui.cli.process import TERMINAL_CLOSED, detach_terminal, stop_signals
from fwtui.config.locations import Locations
from fwtui.config.sources import make_layers, merge_layers
from fwtui.config.validate import validated
from fwtui.core.commands import AddPaths, AnyCommand, Quit, Start
from fwtui.core.events import Level, Phase
from fwtui.core.paths import is_link
from fwtui.core.settings import Settings
from fwtui.core.text import printable
from fwtui.errors import ExitCode, FwtuiError, UsageError

if TYPE_CHECKING:
    from fwtui.batch.batch import Batch
    from fwtui.batch.remote.endpoints import Endpoint
    from fwtui.tui.app import FwtuiApp
    from fwtui.tui.controller import BatchWorkspace
    from fwtui.tui.model import BatchModel

# How long a thread may compute while another one waits. By default the thread that writes frames
# would wait 5 ms for each half of a frame.
SWITCH_SECONDS = 0.0001


def open_screen(
    paths: tuple[str, ...], find: Finder, settings: Callable[[Locations], Settings] | None = None
) -> ExitCode:
    """Check the arguments, and open the screen with these files, folders and links in the queue.

    `find` searches the paths. `settings` makes those of new batches; without it they are the
    settings file's. Raises FwtuiError.
    """
    from fwtui.cli.request import check_links

    for path in paths:
        _check_exists(path)
    check_links(paths)
    locations = Locations.default()
    make = settings or _default_settings
    made = validated(make(locations))
    if not has_terminal():
        raise FwtuiError("the screen needs a terminal", "without one, use: fwtui run")
    return show(locations, made, paths, find)


def _default_settings(locations: Locations) -> Settings:
    return merge_layers(make_layers(locations.config_file))


def has_terminal() -> bool:
    """Whether there is a terminal for input and output."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def show(
    locations: Locations,
    settings: Settings,
    paths: tuple[str, ...] = (),
    find: Finder = find_in_portions,
    *,
    start: bool = False,
    attach: "Endpoint | None" = None,
) -> ExitCode:
    """Run the screen until it is closed. `start`: do not wait for the start key.

    `find` searches the paths. `attach`: show this batch of another process. A batch that outlives
    its terminal is finished before this returns.
    """
    first: list[AnyCommand] = [AddPaths(paths)] if paths else []
    if start:
        first.append(Start())
    # As in `__main__`, for callers that are commands; `lazy_workspace` enables it after the last
    # imports.
    gc.disable()
    sys.setswitchinterval(SWITCH_SECONDS)
    os.environ.setdefault("TEXTUAL_FPS", "120")
    session_log = SessionLog(locations)
    try:
        from fwtui.config.sources import load_keys, load_profiles
        from fwtui.tui.app import FwtuiApp
        from fwtui.tui.arrangement import ArrangementFile
        from fwtui.tui.controller import lazy_workspace
        from fwtui.tui.keymap import make_keymap

        def workspace() -> "BatchWorkspace":
            from fwtui.batch.workspace import Workspace

            return Workspace(locations, [log_event, session_log], "screen", find)

        keymap = make_keymap(load_keys(locations.config_file))
        profiles = load_profiles(locations.config_file)
        log_file = open_log(locations, settings.log)
        app = FwtuiApp(
            lazy_workspace(workspace),
            settings,
            first,
            keymap=keymap,
            profiles=profiles,
            log_file=log_file,
            attach=attach,
            arrangement_file=ArrangementFile(locations.arrangement),
        )
        asyncio.run(_show(app, locations))
    finally:
        gc.enable()
        session_log.close()
        close_log()
    if app.shutdown.in_background:
        return _hand_over(app.controller.model, locations)
    if app.return_value is not None:
        if not app.controller.model.attached:
            _summarise(app.controller.model, Console())
        return app.return_value
    return ExitCode.CANNOT_START if app.return_code else ExitCode.DONE


def _summarise(model: "BatchModel", console: Console) -> None:
    """Tell the shell how the batch was left."""
    from fwtui.cli.progress import counts_text, where

    counts = model.counts
    if not counts.total:
        return
    console.line(counts_text(counts))
    for line in where(counts, model.settings.output.output_dir):
        console.line(line)
    if counts.unfinished:
        console.line(f"to resume: fwtui run --resume {printable(model.session_id)}")


async def _show(app: "FwtuiApp", locations: Locations) -> None:
    await app.run_async()

    from fwtui.batch.batch import Batch

    task, batch = app.controller.released, app.controller.batch
    if task is not None and isinstance(batch, Batch):
        await _finish_without_terminal(batch, task, locations)
    elif app.controller.model.attached and app.controller.model.phase is not Phase.IDLE:
        name = printable(app.controller.model.session_id)
        Console().line(f"the batch is still running; to see it again: fwtui attach {name}")


async def _finish_without_terminal(
    batch: "Batch", task: "asyncio.Task[None]", locations: Locations
) -> None:
    detach_terminal(locations.session_log(batch.session_id))
    batch.state.log(Level.INFO, TERMINAL_CLOSED)
    with stop_signals(lambda: batch.send(Quit())):
        batch.go_to_background()
        await task


def _hand_over(model: "BatchModel", locations: Locations) -> ExitCode:
    """Continue the batch in a background process, as the user asked."""
    from fwtui.cli.background import start_background
    from fwtui.cli.request import Request

    own = Settings().with_user_settings_of(model.settings)
    request = Request(paths=(), settings=own, resume=model.session_id, retry=False, may_move=True)
    started = start_background(request, locations)
    name = printable(started.session_id)
    Console().line(f"the batch continues in the background; to see it: fwtui attach {name}")
    return ExitCode.DONE


def _check_exists(path: str) -> None:
    if is_link(path) or os.path.lexists(path):
        return
    import glob

    if glob.has_magic(path):
        return
    hint = f"options follow the command: fwtui {path} ..." if path in COMMANDS else ""
    raise UsageError(f"no file, folder or command is called {path!r}", hint or "see: fwtui --help")
