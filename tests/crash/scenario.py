"""A batch that is killed and resumed until it is done, compared with one that was left alone."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from fwtui import demo
from fwtui.core.events import SegmentsFound
from fwtui.errors import ExitCode
from tests.crash.launcher import TRACE
from tests.crash.life import How, Kill, Life, Lived
from tests.crash.screen import Screen
from tests.crash.witness import Repeat, Told, read_trace

EXACT = (
    *("--temperature_increment_on_fallback", "None", "--beam_size", "1"),
    *("--language", "en", "--threads", "1", "--device", "cpu"),
    *("--on_hangup", "stop"),
)
# Lives beyond the kills: one to the end, one that finds nothing left to do, one that begins anew.
SPARE_LIVES = 3


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a batch came through its kills.

    `kills` that met it alive; `calls` died in; `bytes` compared; `interrupted` windows.
    """

    planned: tuple[Kill, ...]
    kills: tuple[Kill, ...] = ()
    calls: tuple[str, ...] = ()
    lives: int = 0
    bytes: int = 0
    repeats: tuple[Repeat, ...] = ()
    interrupted: int = 0
    problems: tuple[str, ...] = ()


class Bench(msgspec.Struct, frozen=True):
    """What the runs of one batch share, and how the one without a kill went.

    `calls` of the storage seam, `events` told, `windows` with segments. `on_screen`: the lives that
    are killed, and those that resume, are on a terminal.
    """

    model: Path
    media: tuple[Path, ...]
    expected: Mapping[str, bytes]
    calls: tuple[str, ...]
    events: int
    windows: int
    on_screen: bool = False

    @classmethod
    def make(cls, folder: Path, clips: Sequence[Path]) -> "Bench":
        """Copy model and clips, so that nobody changes them meanwhile; do the batch once."""
        model = folder / "model"
        shutil.copytree(demo.model_dir(), model, copy_function=shutil.copyfile)
        (folder / "media").mkdir()
        media = tuple(Path(shutil.copyfile(c, folder / "media" / c.name)) for c in clips)
        batch = Batch(folder / "whole", model, media)
        lived = batch.live(None)
        assert (lived.code, lived.problems) == (ExitCode.DONE, ()), (lived, batch.told)
        trace = read_trace(batch.trace)
        assert trace.calls
        assert trace.interrupted == 0
        return cls(
            model,
            media,
            batch.outputs(),
            trace.calls,
            len(lived.events),
            sum(isinstance(event, SegmentsFound) for event in lived.events),
        )

    def play(self, folder: Path, kills: Sequence[Kill]) -> Outcome:
        """One kill a life, then a life to the end; the folder is left only if it went wrong."""
        batch = Batch(folder, self.model, self.media, on_screen=self.on_screen)
        struck: list[Kill] = []
        calls: list[str] = []
        for life in range(len(kills) + SPARE_LIVES):
            kill = kills[life] if life < len(kills) else None
            lived = batch.live(kill)
            if lived.struck and kill is not None:
                struck.append(kill)
                if kill.how is How.CALL:
                    calls.append(read_trace(batch.trace).calls[-1])
            # After a kill there is always another start: it clears away what is left over.
            if not (lived.struck or batch.has_session()) and batch.outputs():
                break
        else:
            batch.problems.append("no end of it")
        trace = read_trace(batch.trace)
        batch.problems += self._differences(batch)
        batch.problems += [
            f"{repeat.windows} windows of file {repeat.job} done again"
            for repeat in trace.repeats
            if repeat.windows > 1
        ]
        if not batch.problems:
            shutil.rmtree(folder)
        return Outcome(
            planned=tuple(kills),
            kills=tuple(struck),
            calls=tuple(calls),
            lives=life + 1,
            bytes=sum(map(len, self.expected.values())),
            repeats=trace.repeats,
            interrupted=trace.interrupted,
            problems=tuple(batch.problems),
        )

    def _differences(self, batch: "Batch") -> list[str]:
        outputs = batch.outputs()
        names = sorted(outputs.keys() | self.expected.keys())
        found = [
            f"{name} is {'different' if name in outputs else 'missing'}"
            if name in self.expected
            else f"{name} is too much"
            for name in names
            if outputs.get(name) != self.expected.get(name)
        ]
        return found + [f"left over: {path}" for path in batch.leftovers()]


class Batch:
    """One batch in folders of its own, over all its lives."""

    def __init__(
        self, folder: Path, model: Path, media: Sequence[Path], *, on_screen: bool = False
    ) -> None:
        folder.mkdir(parents=True)
        self.on_screen = on_screen
        self.folder = folder
        self.out = folder / "out"
        self.trace = folder / "trace"
        self.told = Told()
        self.problems: list[str] = []
        self._options = ("--model", model, *EXACT, "-o", self.out)
        self._media = media
        self._lives = 0

    @property
    def _environment(self) -> dict[str, str]:
        own = {f"FWTUI_{name}_DIR": name.lower() for name in ("STATE", "CACHE", "CONFIG")}
        # Sessions of the earlier program are looked for in the temporary folder.
        return {key: str(self.folder / name) for key, name in {**own, "TMPDIR": "tmp"}.items()}

    def live(self, kill: Kill | None) -> Lived:
        """One life: resumes if there is anything of an earlier one, else begins."""
        (self.folder / "tmp").mkdir(exist_ok=True)
        self._lives += 1
        resuming = self.has_session() or bool(self.outputs())
        said = self.folder / f"stderr-{self._lives}"
        environment = {**self._environment, TRACE: str(self.trace)}
        if self.on_screen:
            begin = () if resuming else self._media
            screen = Screen(said, begins=not resuming)
            life = Life((*begin, *self._options), environment, said, kill, screen)
        else:
            paths = ("--resume",) if resuming else self._media
            life = Life(("run", "--json", *paths, *self._options), environment, said, kill)
        lived = life.run()
        for event in lived.events:
            self.problems += self.told.hear(event)
        self.problems += lived.problems
        if not self.has_session() and self.told.added and not self.outputs():
            self.problems.append("the session is lost")
        # A session that only had to be cleared away is "nothing to resume".
        nothing_to_do = lived.code == ExitCode.USAGE and resuming and not self.has_session()
        if not (lived.struck or lived.code == ExitCode.DONE or nothing_to_do):
            words = "see " + str(said) if self.on_screen else said.read_text(errors="replace")
            self.problems.append(f"exit code {lived.code}: {words}")
        return lived

    def has_session(self) -> bool:
        return any((self.folder / "state" / "sessions").glob("*.json"))

    def outputs(self) -> dict[str, bytes]:
        """Name and content of everything in the output folder."""
        if not self.out.exists():
            return {}
        return {path.name: path.read_bytes() for path in self.out.iterdir()}

    def leftovers(self) -> list[Path]:
        """Scratch and session files; unfinished writes of a session wait for the sweep."""
        scratch, sessions = self.folder / "cache" / "scratch", self.folder / "state" / "sessions"
        there = [path for folder in (scratch, sessions) for path in folder.glob("*")]
        return [path for path in there if not path.match("sessions/.fwtui-*.tmp")]
