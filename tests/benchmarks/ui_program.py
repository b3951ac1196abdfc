"""What `ui_speed` measures, started by it: the application on a scripted batch, or an empty one."""

import asyncio
import gc
import sys
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

gc.disable()

from textual.app import App, ComposeResult  # noqa: E402
from textual.widgets import Static  # noqa: E402

if TYPE_CHECKING:
    from fwtui.tui.controller import BatchWorkspace
    from tests.tui.fakes import ScriptedLink, ScriptedWorkspace

ROWS = "rows"


class Empty(App[None]):
    """Nothing but a text that a key changes, and time if `a_second` is given."""

    def __init__(self, a_second: float = 0) -> None:
        super().__init__()
        self.a_second = a_second

    def compose(self) -> ComposeResult:
        yield Static("an empty app", id="words")

    def on_mount(self) -> None:
        gc.freeze()
        gc.enable()
        if self.a_second:  # a while after the first frame, so that it can be told from these
            self.set_timer(1, lambda: self.set_interval(1 / self.a_second, self.on_key))

    def on_key(self) -> None:
        self.query_one("#words", Static).update(f"an empty app {time.perf_counter_ns()}")


def scripted(rows: int) -> "ScriptedWorkspace":
    """Made after the first frame, with all that a batch needs, as the program's own is."""
    from fwtui.core.job import Job, MediaInfo
    from tests.tui.fakes import ScriptedLink, ScriptedWorkspace

    info = MediaInfo(600.0)
    jobs = (Job(id=n, path=f"/data/part-{n:07}.mp3", media=info) for n in range(1, rows + 1))
    return ScriptedWorkspace(ScriptedLink(jobs))


async def log(link: "ScriptedLink") -> None:
    """As many lines as there can be, and the longest gap of the loop meanwhile."""
    from fwtui.core.events import Level, LogLine

    now = datetime.now(UTC)
    loop = asyncio.get_running_loop()
    gaps: list[float] = []
    count, began = 0, loop.time()
    last = began
    line = LogLine(now, Level.INFO, "[File: part-0000001.mp3] Starting - Memory: 1264 MB")
    while loop.time() - began < 3:
        for _ in range(2000):
            link.emit(line)
        count += 2000
        await asyncio.sleep(0)
        gaps.append(loop.time() - last)
        last = loop.time()
    told = f"<{count / 3:,.0f} lines a second, gap {max(gaps) * 1000:.0f} ms, lines a second"
    link.emit(LogLine(now, Level.INFO, told))


def fwtui(kind: str, rows: int) -> None:
    from fwtui.cli.screen import SWITCH_SECONDS
    from fwtui.core.job import Job, MediaInfo, Processing
    from fwtui.core.settings import Settings
    from fwtui.tui.app import FwtuiApp
    from fwtui.tui.controller import lazy_workspace

    sys.setswitchinterval(SWITCH_SECONDS)
    now = datetime.now(UTC)
    info = MediaInfo(600.0)
    settings = Settings()
    link: ScriptedLink

    def workspace() -> "BatchWorkspace":
        nonlocal link
        made = scripted(rows)
        link = made.link
        return made

    app = FwtuiApp(lazy_workspace(workspace), settings)

    def running() -> None:
        from fwtui.core.events import JobChanged

        for number in (1, 2):
            state = Processing(now, preparing=False)
            job = Job(id=number, path=f"/data/part-{number:07}.mp3", media=info, state=state)
            link.emit(JobChanged(job))

    def progress(a_second: int) -> None:
        """From a thread, as the engine's reader sends it."""
        from fwtui.core.events import JobProgress

        running()
        count, began = 0, time.perf_counter()
        while True:
            count += 1
            # the speed and the time left look different each time, the bar and the percent often
            speed, left = 9.0 + count // 2 % 10 / 10, 60.0 + count // 2 % 600
            link.emit(JobProgress(1 + count % 2, count / 7 % 600, 600.0, speed, left))
            ahead = count / a_second - (time.perf_counter() - began)
            if ahead > 0.001:
                time.sleep(ahead)

    async def start() -> None:
        while not app.is_running or not hasattr(app, "main") or not app.controller.model.jobs:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        if kind == "log":
            await log(link)
        elif kind != ROWS:
            rate = 20 if kind == "running" else 10_000
            threading.Thread(target=progress, args=(rate,), daemon=True).start()

    async def go() -> None:
        task = asyncio.create_task(start())
        await app.run_async()
        task.cancel()

    asyncio.run(go())


if __name__ == "__main__":
    if sys.argv[1] == "empty":
        Empty(*map(float, sys.argv[2:])).run()
    else:
        fwtui(sys.argv[1], int(sys.argv[2]))
