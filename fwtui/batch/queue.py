"""The queue of a batch in memory: which job is next, and names that outputs do not share. Pure."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

from msgspec.structs import replace

from fwtui.core.events import DurableChange, JobChanged, JobsAdded, JobsRemoved
from fwtui.core.job import Completed, Job, JobId, Pending
from fwtui.core.paths import StrPath, path_to_text, text_to_path
from fwtui.core.settings import Settings
from fwtui.core.templates import (
    DEFAULT,
    UNKNOWN_LANGUAGE,
    NameParts,
    fields_of,
    harmless,
    model_name,
    render,
    split_name,
    usable_template,
)
from fwtui.core.view import BatchView

# Jobs behind a link that wait no longer, until they are forgotten.
MOST_PASSED = 1000

# The name that outputs would like, and the one that they take if that is taken.
Names = tuple[str, str]


class Queue:
    """The jobs of `view`, found by path, link and name of outputs; and which of them is next.

    What happens all the time costs the same for any length. A new job holds its path and its
    name from when it is made; it is in the queue when the change that adds it is applied.
    """

    def __init__(self, view: BatchView | None = None) -> None:
        self.view = view or BatchView()
        # The waiting ones, and some that were; None: to be found again.
        self._waiting: deque[JobId] | None = None
        self._links: list[JobId] | None = None  # those to be downloaded; None: as above
        self._fetched: set[JobId] = set()
        self._numbers: dict[str, int] = {}
        self._done_stems: dict[str, str] = {}
        self._next_id = max(self.view.jobs, default=0) + 1
        self._paths: dict[str, JobId] = {}
        self._stems: dict[str, JobId] = {}  # case-folded
        self._reserved: set[str] = set()  # case-folded stems that none of the jobs may have
        for job in self:
            self._hold(job)

    def __len__(self) -> int:
        return len(self.view.jobs)

    def __iter__(self) -> Iterator[Job]:
        return iter(self.view.jobs.values())

    def __contains__(self, job: JobId) -> bool:
        return job in self.view.jobs

    def __getitem__(self, job: JobId) -> Job:
        return self.view.jobs[job]

    def get(self, job: JobId) -> Job | None:
        """The job, or None if it is not in the queue."""
        return self.view.jobs.get(job)

    @property
    def next_id(self) -> JobId:
        """The id of the next job that is made."""
        return self._next_id

    @property
    def order(self) -> tuple[JobId, ...]:
        """Ids in order."""
        return self.view.order

    def has_path(self, path: StrPath) -> bool:
        """Whether the file is in the queue."""
        return path_to_text(path) in self._paths

    def at(self, path: str) -> Job | None:
        """The job of a file, by its `path_to_text`."""
        job = self._paths.get(path)
        return None if job is None else self.get(job)

    def has_link(self, url: str) -> bool:
        """Whether the link is in the queue."""
        return any(job.source == url for job in self)

    def make(
        self, path: StrPath, names: Names | None = None, root: str = "", source: str | None = None
    ) -> Job:
        """A new job for the file, with outputs that clash with none; to be added, or released.

        `names` are those that it would like, `root` is where it was found. A file that was done
        and removed gets its old name again; nobody else does.
        """
        text = path_to_text(path)
        stem = self._done_stems.pop(text, None)
        if stem is None:
            stem = self._unused(names or plain_names(path))
        job = Job(self._next_id, text, root=sys.intern(root), source=source).with_stem(stem)
        self._next_id += 1
        self._hold(job)
        return job

    def remake(self, job: Job, names: Names | None = None) -> Job | None:
        """A job that was removed, to be added again; None if its file is in the queue again.

        Its outputs get another name if the old one is taken by now.
        """
        if job.id in self.view.jobs or job.path in self._paths:
            return None
        is_its_own = self._done_stems.pop(job.path, None) is not None
        if not is_its_own and self._is_taken(job.stem.casefold()):
            job = job.with_stem(self._unused(names or plain_names(job.file)))
        self._hold(job)
        return job

    def release(self, jobs: Iterable[Job]) -> None:
        """Give the paths and names of jobs free that are not in the queue (any more)."""
        for job in jobs:
            self._give_up(job)
            if isinstance(job.state, Completed):  # its outputs must not be written over
                self._done_stems[job.path] = job.stem
                self._reserved.add(job.stem.casefold())
            else:
                self._reserved.discard(job.stem.casefold())

    def _hold(self, job: Job) -> None:
        stem = job.stem.casefold()
        self._paths[job.path] = job.id
        self._stems[stem] = job.id
        if self._reserved:
            self._reserved.discard(stem)

    def _give_up(self, job: Job) -> None:
        stem = job.stem.casefold()
        if self._paths.get(job.path) == job.id:
            del self._paths[job.path]
        if self._stems.get(stem) == job.id:
            del self._stems[stem]

    def free_name(self, job: Job) -> None:
        """Others may have the name of the job's outputs."""
        stem = job.stem.casefold()
        if self._stems.get(stem) == job.id:
            del self._stems[stem]
        self._reserved.discard(stem)

    def apply(self, change: DurableChange) -> None:
        """Apply a change of the batch, to `view` as well."""
        match change:
            case JobChanged(job=job):
                before = self.view.put(job)
                if before is not None:
                    self._follow(before, job)
            case JobsRemoved(ids=ids):
                removed = self.view.remove(ids)
                self.release(removed)
                self._forget_links(removed)
            case JobsAdded(jobs=jobs):
                self.view.add(jobs)
                self._forget_links(jobs)
                if self._waiting is not None:
                    self._waiting.extend(job.id for job in jobs)
            case _:
                self.view.apply(change)
                self._waiting = self._links = None  # the order may be another

    def _follow(self, before: Job, job: Job) -> None:
        if (before.path, before.custom_stem) != (job.path, job.custom_stem):
            self._give_up(before)
            self._hold(job)
        self._forget_links([job])
        if isinstance(job.state, Pending) and not isinstance(before.state, Pending):
            self._waiting = None  # its place among the others is not known

    def _forget_links(self, changed: Iterable[Job]) -> None:
        if any(job.source is not None for job in changed):
            self._links = None

    def _unused(self, names: Names) -> str:
        return path_to_text(unused_stem(names, self._is_taken, self._numbers))

    def _is_taken(self, stem: str) -> bool:
        return stem in self._reserved or stem in self._stems

    def avoid(self, stems: Iterable[str]) -> None:
        """Give these names (case-folded) to no job from now on: others use them."""
        self._reserved.update(stems)

    def renamed(self, job: Job, names: Names | None = None) -> Job:
        """The job with outputs of another name, which nobody else gets; to be `put`."""
        stem = self._unused(names or plain_names(job.file))
        self._reserved.add(stem.casefold())
        return job.with_stem(stem)

    def set_fetched(self, job: JobId, there: bool = True) -> None:
        """The file behind the job's link is there, or not any more."""
        (self._fetched.add if there else self._fetched.discard)(job)
        self._links = None

    def next_link(self) -> Job | None:
        """The first waiting job whose file has to be downloaded."""
        if self._links is None:
            waiting = (job for job in self if isinstance(job.state, Pending))
            self._links = [job.id for job in waiting if not self._has_file(job)]
        return self[self._links[0]] if self._links else None

    def _has_file(self, job: Job) -> bool:
        return job.source is None or job.id in self._fetched

    def next_pending(self) -> Job | None:
        """The first waiting job whose file is there."""
        if self._waiting is None:
            self._waiting = deque(job.id for job in self if isinstance(job.state, Pending))
        while self._waiting and self._pending(self._waiting[0]) is None:
            self._waiting.popleft()
        passed = 0
        for job_id in self._waiting:
            job = self._pending(job_id)
            if job is None:
                passed += 1
            elif self._has_file(job):
                break
        else:
            job = None
        if passed > MOST_PASSED:
            self._waiting = None
        return job

    def _pending(self, job_id: JobId) -> Job | None:
        job = self.get(job_id)
        return job if job is not None and isinstance(job.state, Pending) else None


def moved(order: Sequence[JobId], chosen: set[JobId], offset: int) -> list[JobId]:
    """The order after moving the chosen ones `offset` places (negative: up), up to the ends."""
    if offset > 0:
        return moved(order[::-1], chosen, -offset)[::-1]
    places = [place for place, job in enumerate(order) if job in chosen]
    # Nobody overtakes another chosen one: the first ones pile up at the end of the way.
    moving = {max(place + offset, rank): order[place] for rank, place in enumerate(places)}
    others = (job for job in order if job not in chosen)
    return [moving[place] if place in moving else next(others) for place in range(len(order))]


def put_back(now: Sequence[JobId], before: Sequence[JobId], back: set[JobId]) -> list[JobId]:
    """`now` with the jobs `back` in it where they were in `before`: each after its neighbour.

    Their neighbour is the nearest job in front of them that is still there.
    """
    after: dict[JobId | None, list[JobId]] = {}
    others = set(now) - back
    neighbour: JobId | None = None
    for job in before:
        if job in back:
            after.setdefault(neighbour, []).append(job)
        elif job in others:
            neighbour = job
    order = after.get(None, [])[:]
    for job in now:
        if job not in back:
            order += [job, *after.get(job, ())]
    return order


def plain_names(path: StrPath) -> Names:
    """The names that outputs have without a template: the stem, else with the extension."""
    name = os.path.basename(path)  # noqa: PTH119  100,000 of them
    return harmless(split_name(name)[0]), harmless(name)


def unused_stem(names: Names, is_taken: Callable[[str], bool], numbers: dict[str, int]) -> str:
    """A name for the outputs: the first of `names`, else the second, else numbered.

    `is_taken` is asked for case-folded names, since some file systems do not tell cases apart;
    `numbers` remembers between calls where the search for a name's next number begins.
    """
    for candidate in names:
        if not is_taken(path_to_text(candidate).casefold()):
            return candidate
    wanted = names[0]
    number = numbers.get(wanted, 2)
    while is_taken(path_to_text(numbered(wanted, number)).casefold()):
        number += 1
    numbers[wanted] = number + 1
    return numbered(wanted, number)


def numbered(name: str, number: int) -> str:
    """The name of the `number`th file that wants it."""
    return f"{name} ({number})"


@dataclass(frozen=True)
class Naming:
    """Names by these settings; `date` is the day on which the session began."""

    settings: Settings
    date: str

    @property
    def template(self) -> str:
        """The template in use."""
        return usable_template(self.settings.output.output_name)

    @property
    def awaits_language(self) -> bool:
        """Whether the whole name is known only when the language is."""
        fields = fields_of(self.template)
        return "language" in fields and self.settings.decoding.language is None

    def names(
        self, path: StrPath, root: str = "", language: str | None = None, *, fetched: bool = False
    ) -> Names:
        """The first and the second choice: the latter has the extension in its stem.

        `fetched`: the file is a download, and gone soon; nothing is put beside it.
        """
        if self._is_plain:
            return plain_names(path)
        template, decoding = self.template, self.settings.decoding
        folder, name = os.path.split(path)
        stem, ext = split_name(name)
        parts = NameParts(
            stem=stem,
            ext=ext.removeprefix("."),
            relpath=_relative(folder, root) if root else "",
            language=language or decoding.language or UNKNOWN_LANGUAGE,
            model=model_name(self.settings.model.model),
            date=self.date,
        )
        before = self._folder(folder, parts.relpath, fetched)
        second = replace(parts, stem=name)
        return before + render(template, parts), before + render(template, second)

    @property
    def _is_plain(self) -> bool:
        """Whether outputs are called as their files, in one folder."""
        return self.template == DEFAULT and self.settings.output.output_layout == "flat"

    def _folder(self, folder: str, relpath: str, fetched: bool) -> str:
        match self.settings.output.output_layout:
            case "tree" if relpath and "relpath" not in fields_of(self.template):
                return f"{relpath}/"
            case "source" if not fetched:
                return f"{PurePath(folder).as_posix().rstrip('/')}/"
            case _:
                return ""

    def names_of(self, job: Job, language: str | None = None) -> Names:
        """The names that a job's outputs would like."""
        return self.names(job.file, job.root, language, fetched=job.source is not None)


def is_one_of(stem: str, names: Names) -> bool:
    """Whether a stem (as `path_to_text`) is one of these names, or numbered for one."""
    name = str(text_to_path(stem)) if stem.startswith("\0") else stem
    if name in names:
        return True
    begin, _, number = name.removesuffix(")").rpartition(" (")
    return number.isdecimal() and name == numbered(names[0], int(number)) and begin == names[0]


@lru_cache(maxsize=1024)
def _relative(folder: str, root: str) -> str:
    """`folder` below `root` (as `path_to_text`), with `/`; empty if it is not below."""
    try:
        relative = PurePath(folder).relative_to(text_to_path(root))
    except ValueError:
        return ""
    return "" if relative == PurePath() else relative.as_posix()


def roots_of(files: Sequence[str], found: Sequence[str], said: Iterable[str]) -> list[str]:
    """The root of each file, as `path_to_text`: the deepest `said`, else where it was `found`."""
    texts = {root: path_to_text(root) for root in set(found)}
    roots = [texts[root] for root in found]
    deepest = sorted((text_to_path(root) for root in said), key=lambda one: -len(one.parts))
    for number, path in enumerate(files if deepest else ()):
        for root in deepest:
            if PurePath(path).is_relative_to(root):
                roots[number] = path_to_text(root)
                break
    return roots
