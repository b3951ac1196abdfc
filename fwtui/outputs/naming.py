"""Names of outputs: what a file's are called by the settings, and what if that is in use. Pure."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

from msgspec.structs import replace

from fwtui.core.job import Job
from fwtui.core.paths import StrPath, path_to_text, text_to_path
from fwtui.core.settings import Settings
from fwtui.core.templates import (
    DEFAULT_TEMPLATE,
    UNKNOWN_LANGUAGE,
    NameParts,
    fields_of,
    model_name,
    render,
    safe_component,
    split_name,
    usable_template,
)

# The first choice for the names of outputs, and the one used if the first is in use.
Names = tuple[str, str]


def plain_names(path: StrPath) -> Names:
    """The names without a template: the stem, else the stem with the extension."""
    name = os.path.basename(path)  # noqa: PTH119  100,000 of them
    return safe_component(split_name(name)[0]), safe_component(name)


def unused_stem(names: Names, is_taken: Callable[[str], bool], numbers: dict[str, int]) -> str:
    """The first of `names` that is not in use, else the first one with a number.

    `is_taken` gets case-folded names, since some file systems ignore case; `numbers` remembers
    between calls where the search for a name's next number begins.
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
    """The name for the `number`th file with this name."""
    return f"{name} ({number})"


@dataclass(frozen=True)
class Naming:
    """Names of outputs by these settings; `date` is the day on which the session began."""

    settings: Settings
    date: str

    @property
    def template(self) -> str:
        """The template in use."""
        return usable_template(self.settings.output.output_name)

    @property
    def awaits_language(self) -> bool:
        """Whether the name depends on a language that is not known yet."""
        fields = fields_of(self.template)
        return "language" in fields and self.settings.decoding.language is None

    def names(
        self, path: StrPath, root: str = "", language: str | None = None, *, fetched: bool = False
    ) -> Names:
        """The first and the second choice; the latter has the extension in its stem.

        `fetched`: the file is a temporary download; outputs are not written beside it.
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
        """Whether outputs have the names of their files, in one folder."""
        return self.template == DEFAULT_TEMPLATE and self.settings.output.output_layout == "flat"

    def _folder(self, folder: str, relpath: str, fetched: bool) -> str:
        match self.settings.output.output_layout:
            case "tree" if relpath and "relpath" not in fields_of(self.template):
                return f"{relpath}/"
            case "source" if not fetched:
                return f"{PurePath(folder).as_posix().rstrip('/')}/"
            case _:
                return ""

    def names_of(self, job: Job, language: str | None = None) -> Names:
        """The names of a job's outputs, before others use them."""
        first, second = self.names(job.file, job.root, language, fetched=job.source is not None)
        return first + _of_track(job), second + _of_track(job)


def is_one_of(stem: str, names: Names) -> bool:
    """Whether a stem (as `path_to_text`) is one of these names, numbered or not."""
    name = str(text_to_path(stem)) if stem.startswith("\0") else stem
    if name in names:
        return True
    begin, _, number = name.removesuffix(")").rpartition(" (")
    return number.isdecimal() and name == numbered(names[0], int(number)) and begin == names[0]


def _of_track(job: Job) -> str:
    """What the names of a file with a job for each audio track end with."""
    if not job.track:
        return ""
    tracks = job.media.tracks if job.media is not None else ()
    language = next((track.language for track in tracks if track.number == job.track), "")
    return f".track{job.track}" + (f".{language}" if language else "")


def with_number_of(stem: str, names: Names, file: PurePath) -> str:
    """The name of a recording with the number of its transcripts, if they have one.

    `stem` (as `path_to_text`) is one of `names`. A template without the recording's name gives
    the recording no number.
    """
    name = str(text_to_path(stem)) if stem.startswith("\0") else stem
    named_after = safe_component(file.stem) in PurePath(names[0]).name
    if name in names or not named_after or not is_one_of(stem, names):
        return file.name
    number = name.removesuffix(")").rpartition(" (")[2]
    return f"{numbered(file.stem, int(number))}{file.suffix}"


@lru_cache(maxsize=1024)
def _relative(folder: str, root: str) -> str:
    """`folder` below `root` (as `path_to_text`), with `/`; empty if it is not below."""
    try:
        relative = PurePath(folder).relative_to(text_to_path(root))
    except ValueError:
        return ""
    return "" if relative == PurePath() else relative.as_posix()


def roots_of(files: Sequence[str], found: Sequence[str], given: Iterable[str]) -> list[str]:
    """The root of each file, as `path_to_text`: the deepest `given`, else where it was `found`."""
    texts = {root: path_to_text(root) for root in set(found)}
    roots = [texts[root] for root in found]
    deepest = sorted((text_to_path(root) for root in given), key=lambda one: -len(one.parts))
    for number, path in enumerate(files if deepest else ()):
        for root in deepest:
            if PurePath(path).is_relative_to(root):
                roots[number] = path_to_text(root)
                break
    return roots
