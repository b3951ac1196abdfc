"""How the outputs of a batch are called: the template and the layout of its settings. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

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
        return (
            self._name(path, root, language, path.stem),
            self._name(path, root, language, path.name),
        )

    def _name(self, path: Path, root: str, language: str | None, stem: str) -> str:
        template, decoding = self.template, self.settings.decoding
        relpath = relative_folder(path, root)
        name = render(
            template,
            NameParts(
                stem=stem,
                ext=path.suffix.removeprefix("."),
                relpath=relpath,
                language=language or decoding.language or UNKNOWN_LANGUAGE,
                model=model_name(self.settings.model.model),
                date=self.date,
            ),
        )
        match self.settings.output.output_layout:
            case "tree" if relpath and "relpath" not in fields_of(template):
                return f"{relpath}/{name}"
            case "source":
                return f"{path.parent.as_posix().rstrip('/')}/{name}"
            case _:
                return name

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


def relative_folder(path: Path, root: str) -> str:
    """The folder of a file below `root` (as `path_to_text`), with `/`; empty if it is not below."""
    if not root:
        return ""
    try:
        relative = path.parent.relative_to(text_to_path(root))
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
