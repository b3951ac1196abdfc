"""How the outputs of a batch are called: the template and the layout of its settings. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath

from msgspec.structs import replace

from fwtui.batch.queue import Names, numbered
from fwtui.core.job import Job
from fwtui.core.naming import (
    UNKNOWN_LANGUAGE,
    NameParts,
    fields_of,
    model_name,
    render,
    usable_template,
)
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.settings import Settings


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

    def names(self, path: Path, root: str = "", language: str | None = None) -> Names:
        """The first and the second choice: the latter has the extension in its stem."""
        template, decoding = self.template, self.settings.decoding
        parts = NameParts(
            stem=path.stem,
            ext=path.suffix.removeprefix("."),
            relpath=_relative(path.parent, root) if root else "",
            language=language or decoding.language or UNKNOWN_LANGUAGE,
            model=model_name(self.settings.model.model),
            date=self.date,
        )
        before = self._folder(path, parts.relpath)
        second = replace(parts, stem=path.name)
        return before + render(template, parts), before + render(template, second)

    def _folder(self, path: Path, relpath: str) -> str:
        match self.settings.output.output_layout:
            case "tree" if relpath and "relpath" not in fields_of(self.template):
                return f"{relpath}/"
            case "source":
                return f"{path.parent.as_posix().rstrip('/')}/"
            case _:
                return ""

    def names_of(self, job: Job, language: str | None = None) -> Names:
        """The names that a job's outputs would like."""
        return self.names(job.file, job.root, language)


def is_one_of(stem: str, names: Names) -> bool:
    """Whether a stem (as `path_to_text`) is one of these names, or numbered for one."""
    name = str(text_to_path(stem)) if stem.startswith("\0") else stem
    if name in names:
        return True
    begin, _, number = name.removesuffix(")").rpartition(" (")
    return number.isdecimal() and name == numbered(names[0], int(number)) and begin == names[0]


@lru_cache(maxsize=1024)
def _relative(folder: Path, root: str) -> str:
    """`folder` below `root` (as `path_to_text`), with `/`; empty if it is not below."""
    try:
        relative = folder.relative_to(text_to_path(root))
    except ValueError:
        return ""
    return "" if relative == PurePath() else relative.as_posix()


def roots_of(
    files: Iterable[Path], found: Mapping[Path, Path], said: Sequence[str]
) -> Mapping[Path, str]:
    """The root of each file that has one: the deepest `said`, else the one it was `found` in."""
    roots = {path: path_to_text(root) for path, root in found.items()}
    deepest = sorted((text_to_path(root) for root in said), key=lambda one: -len(one.parts))
    for path in files if deepest else ():
        for root in deepest:
            if path.is_relative_to(root):
                roots[path] = path_to_text(root)
                break
    return roots
