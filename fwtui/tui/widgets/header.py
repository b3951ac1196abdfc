"""Two lines at the top: what the batch does, how far it is, when it will be done."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import product

from textual.strip import Strip

from fwtui.config.profiles import Profile, profile_of
from fwtui.core.events import Phase
from fwtui.core.job import Processing
from fwtui.core.text import percent, plural
from fwtui.tui.formatting import (
    clean,
    ends_at,
    fit_right,
    model_name,
    time_span,
    width,
)
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import with_keys
from fwtui.tui.model import BatchModel
from fwtui.tui.widgets.paint import LinesPanel, Piece, parts_bar

ROOMY = 100  # columns from which on states without a file are shown, too


class Header(LinesPanel):
    """The totals of the model; `now` is the clock, `profiles` are the user's own."""

    def __init__(
        self,
        model: BatchModel,
        glyphs: Glyphs,
        now: Callable[[], datetime],
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(glyphs, id=id)
        self.model = model
        self.now = now
        self.profiles: tuple[Profile, ...] = ()

    def draw(self) -> list[Strip]:
        cells = self.size.width
        return [self.ends(left, right, cells) for left, right in (self._first(), self._second())]

    def phase(self) -> Piece:
        """Glyph and word for what the batch does."""
        model, glyphs = self.model, self.glyphs
        match model.phase:
            case Phase.RUNNING:
                word = "loading model" if model.loading else "running"
                return f"{glyphs.running} {word}", "primary"
            case Phase.PAUSING:
                return f"{glyphs.paused} pausing", "warn"
            case Phase.PAUSED:
                return f"{glyphs.paused} paused", "warn"
            case Phase.STOPPING:
                return f"{glyphs.cancelled} stopping", "warn"
            case Phase.WATCHING:
                return f"{glyphs.pending} watching", "primary"
            case Phase.IDLE:
                counts = model.counts
                if model.adding.adding:
                    return f"{glyphs.pending} adding", "primary" if counts.total else "dim"
                if not counts.total:
                    return f"{glyphs.pending} empty", "dim"
                if counts.unfinished:
                    return f"{glyphs.pending} ready", "accent"
                # Some may be cancelled or skipped.
                whole = counts.completed == counts.total
                sign = glyphs.failed if counts.failed else glyphs.completed
                return f"{sign} {'all done' if whole else 'finished'}", self._ending_ink()

    def _first(self) -> list[list[Piece]]:
        """The engine and what the batch does; the longest texts that there is room for."""
        right: list[Piece] = [("  ", "plain"), self.phase()]
        if self.model.adding.adding and self.model.phase is not Phase.IDLE:
            right.append((f" {self.glyphs.dot} adding", "dim"))
        lines: list[list[list[Piece]]] = [
            [self._engine_pieces(short=short), [*right, *self._totals(words=words), (" ", "plain")]]
            for words, short in product((True, False), (False, True))
        ]
        return next((line for line in lines if self._fits(line)), lines[-1])

    def _fits(self, line: Iterable[Iterable[Piece]]) -> bool:
        return sum(width(text) for side in line for text, _ in side) <= self.size.width

    def _totals(self, *, words: bool) -> list[Piece]:
        """Files by state: with `words`, or with the states' glyphs."""
        counts, glyphs = self.model.counts, self.glyphs
        if not counts.total:
            return []
        roomy = self.size.width >= ROOMY
        gap = " " * (3 if roomy else 2)
        return [
            (
                f"{gap}{count:,} {name}" if words else f"{gap}{glyph} {count:,}",
                ink if count else "dim",
            )
            for count, name, glyph, ink, always in (
                (counts.completed, "done", glyphs.completed, "good", True),
                (counts.to_check, "to check", glyphs.check, "warn", False),
                (counts.failed, "failed", glyphs.failed, "bad", roomy),
                (counts.cancelled, "cancelled", glyphs.cancelled, "warn", False),
                (counts.skipped, "skipped", glyphs.skipped, "dim", False),
                (counts.unfinished, "left", glyphs.pending, "plain", True),
            )
            if count or always
        ]

    def _engine_pieces(self, *, short: bool) -> list[Piece]:
        attached: list[Piece] = [(" attached", "accent")] if self.model.attached else []
        return [(" fwtui ", "key"), *attached, (f"  {self._engine(short=short)}", "plain")]

    def _engine(self, *, short: bool) -> str:
        """Model, compute type (not in `short`), device and profile."""
        model = self.model
        info, wanted = model.engine, model.settings.model
        name = model_name(info.model if info else wanted.model)
        if info is not None and model_name(wanted.model) != name:
            name += f" (next: {model_name(wanted.model)})"
        compute = info.compute_type if info else wanted.compute_type
        device = info.device if info else wanted.device
        if len(model.engines) > 1:
            device = f"{device} {self.glyphs.times}{len(model.engines)}"
        profile = profile_of(model.settings, self.profiles)
        parts = [name, *([] if short else [clean(compute)]), clean(device)]
        return f" {self.glyphs.dot} ".join([*parts, clean(profile.name)] if profile else parts)

    def _ending_ink(self) -> str:
        counts = self.model.counts
        if counts.failed:
            return "bad"
        return "warn" if counts.to_check or counts.cancelled else "good"

    def _second(self) -> list[list[Piece]]:
        shares = self.model.shares
        text = self._ending()
        done = fit_right(percent(shares.finished), 5) if self.model.counts.total else ""
        cells = self.size.width - 2 - width(done) - width(text)
        return [
            [(" ", "plain"), *parts_bar(shares, cells, self.glyphs), (done, "strong")],
            [(text, "dim"), (" ", "plain")],
        ]

    def _ending(self) -> str:
        model = self.model
        dot = self.glyphs.dot
        if model.adding.then_starts:
            return "  starts after scanning"
        eta = model.batch.eta if model.batch is not None else None
        if model.phase is Phase.IDLE and model.finished is not None:
            again = f" {dot} {{start}} to start" if model.counts.unfinished else ""
            text = f"  {self._verdict()} {time_span(model.finished.seconds)}{again}"
            return with_keys(self, text)
        if model.phase is Phase.RUNNING and eta is not None:
            ends = ends_at(self.now(), eta)
            return f"  {time_span(eta)} left {dot} done at {ends}" if ends else ""
        if model.phase is Phase.WATCHING:
            return f"  waiting for files in {plural(len(model.folders), 'folder')}"
        if model.phase is Phase.IDLE and (model.counts.unfinished or model.folders):
            where = " on this machine" if self.size.width >= ROOMY and not model.attached else ""
            expected = f"about {time_span(eta)}{where} {dot} " if eta is not None else ""
            return with_keys(self, f"  {expected}{{start}} to start")
        running = any(isinstance(model.jobs[i].state, Processing) for i in model.running)
        estimating = running and model.phase is Phase.RUNNING
        return f"  estimating{self.glyphs.ellipsis}" if estimating else ""

    def _verdict(self) -> str:
        finished = self.model.finished
        return "stopped after" if finished is not None and finished.stopped else "finished in"
