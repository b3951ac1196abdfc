"""One file's way through the engine, over all its attempts."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from fwtui.batch.estimate import Speed
from fwtui.batch.retry import Rung, ladder
from fwtui.core.events import MemoryReading
from fwtui.core.job import JobId
from fwtui.core.session import FilePlan
from fwtui.core.settings import Settings

NOT_STARTED = -1
SKIPPED = "skipped by you"


@dataclass
class FileRun:
    """What the runner remembers of a file between its first attempt and its end.

    `settings` are the user's, frozen when the file began; `rungs` the ladder made from them.
    `place` is the seek (frames) of the window in the model, `resume_seek` that of the first one
    of this attempt if it resumes; `position` is seconds done, `worked` the seconds that the model
    worked for it. `alone`: with no other file in the engine; `careful`: an engine died with it;
    `changed` is what has become of the file since it was read.
    """

    job: JobId
    settings: Settings
    rungs: tuple[Rung, ...]
    rung: int
    started_at: datetime
    scratch: Path | None = None
    plan: FilePlan | None = None
    place: int = NOT_STARTED
    resume_seek: int = 0
    position: float = 0.0
    speed: Speed = field(default_factory=Speed)
    worked: float = 0.0
    before: MemoryReading | None = None
    deaths: dict[int, int] = field(default_factory=dict)
    stalls: int = 0
    changed: str = ""
    skip_window: bool = False
    alone: bool = False
    careful: bool = False
    cancelled: bool = False

    @property
    def current(self) -> Rung:
        """The settings in force."""
        return self.rungs[self.rung]

    def set_device(self, device: str) -> None:
        """The engine runs on this device; until then the ladder was made for any."""
        rungs = ladder(self.settings, device)
        if self.rung < len(rungs) and rungs[self.rung] == self.current:
            self.rungs = rungs

    def died(self) -> int:
        """Note an engine death at this place; how many there were here."""
        self.deaths[self.place] = self.deaths.get(self.place, 0) + 1
        return self.deaths[self.place]
