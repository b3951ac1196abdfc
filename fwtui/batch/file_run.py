"""The state of one file while it is transcribed, over all its attempts."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from fwtui.batch.estimate import Speed
from fwtui.batch.retry import Rung, ladder
from fwtui.core.events import MemoryReading
from fwtui.core.job import JobId
from fwtui.core.session import FilePlan, WindowResult
from fwtui.core.settings import Settings
from fwtui.core.voices import SpeakerTask

SKIPPED_BY_USER = "skipped by you"


@dataclass
class FileRun:
    """What is known of a file between its first attempt and its end.

    `settings`: the user's, frozen when the file began; `rungs`: the ladder made from them.
    `seek`: place of the window in the model, None before the first; `resume_seek`: that of the
    first window, if this attempt resumes. `position`: seconds done; `worked`: seconds that the
    model worked for it; `timed`: those of the audio that it worked on. `alone`: with no other file
    in the engine; `careful`: an engine died with it; `changed`: what has become of the media file
    since it was read. `is_transcribed`: all its windows are journaled. `speakers`: how its speakers
    are told apart; `no_speakers`: why that is given up.
    """

    job: JobId
    settings: Settings
    rungs: tuple[Rung, ...]
    rung: int
    started_at: datetime
    scratch: Path | None = None
    plan: FilePlan | None = None
    seek: int | None = None
    resume_seek: int = 0
    position: float = 0.0
    speed: Speed = field(default_factory=Speed)
    worked: float = 0.0
    timed: float = 0.0
    memory_before: MemoryReading | None = None
    memory_after: MemoryReading | None = None  # before the engine's cleanup
    deaths: dict[int | None, int] = field(default_factory=dict)  # of engines, by `seek`
    stalls: int = 0
    changes: int = 0  # of its scratch file, by others
    progress: int = 0  # windows since the last failure
    transcribed: bool = False
    skipped: int = 0
    changed: str = ""
    skip_window: bool = False
    alone: bool = False
    careful: bool = False
    cancelled: bool = False
    is_transcribed: bool = False
    heard: float = 0.0  # seconds listened to for its speakers
    speakers: SpeakerTask | None = None
    no_speakers: str = ""

    @property
    def current(self) -> Rung:
        """The rung in force."""
        return self.rungs[self.rung]

    @property
    def has_started(self) -> bool:
        """Whether this attempt has reached its first window."""
        return self.seek is not None

    def set_device(self, device: str) -> None:
        """Make the ladder for the device that the engine runs on; until then it was for any."""
        rungs = ladder(self.settings, device)
        if self.rung < len(rungs) and rungs[self.rung] == self.current:
            self.rungs = rungs

    def count_window(self, result: WindowResult) -> None:
        """Count a finished window."""
        if result.skipped:
            self.skipped += 1
            return
        self.progress += 1
        self.transcribed = self.transcribed or not result.silent

    def count_death(self) -> int:
        """Count an engine death at this window; returns how many there were here."""
        self.deaths[self.seek] = self.deaths.get(self.seek, 0) + 1
        return self.deaths[self.seek]
