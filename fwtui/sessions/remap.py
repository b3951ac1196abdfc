r"""Paths of another machine as paths of this one, by their beginnings. Pure but for `missing`.

A mapping is from folders there to folders here: `{"D:\Audio": "/mnt/audio"}`.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import PurePath, PureWindowsPath

from msgspec.structs import replace

from fwtui.core.job import Completed, Failed, Job, Pending, Processing
from fwtui.core.paths import expand_home, path_to_text, text_to_path
from fwtui.core.session import Session
from fwtui.core.settings import Settings
from fwtui.errors import UsageError
from fwtui.sessions.legacy import pure

MOST_LOOKS = 200  # files that are looked for: a share can be slow
_MODEL_FOLDER = "faster-whisper-"


def parse_map(text: str) -> tuple[str, str]:
    """The two folders of `OLD=NEW`; the new one becomes absolute. Raises UsageError."""
    old, equals, new = text.rpartition("=")
    if not (equals and old and new):
        raise UsageError(f"{text!r} is not OLD=NEW", r"for example: --map 'D:\Audio=/mnt/audio'")
    return old, path_to_text(os.path.abspath(expand_home(new)))  # noqa: PTH100  keeps links


def remapped(path: str, maps: Mapping[str, str]) -> str:
    """The path with its longest beginning that is in `maps` replaced."""
    parts = pure(path).parts
    best, found = 0, path
    for old, new in maps.items():
        beginning = pure(old).parts
        if len(beginning) > best and _same(parts[: len(beginning)], beginning, pure(path)):
            best = len(beginning)
            found = path_to_text(text_to_path(new).joinpath(*parts[best:]))
    return found


def _same(some: tuple[str, ...], others: tuple[str, ...], path: PurePath) -> bool:
    if isinstance(path, PureWindowsPath):  # its case does not count
        return [part.casefold() for part in some] == [part.casefold() for part in others]
    return some == others


def remap_job(job: Job, maps: Mapping[str, str]) -> Job:
    """The job with its file, and the outputs it has, where they are here."""
    state = job.state
    if isinstance(state, Completed):
        state = replace(state, outputs=tuple(remapped(path, maps) for path in state.outputs))
    # A stem beside the file would be absolute, and is chosen anew when the file's turn comes.
    root = remapped(job.root, maps) if job.root else ""
    return replace(job.with_path(remapped(job.path, maps)), state=state, root=root)


def remap_settings(settings: Settings, maps: Mapping[str, str]) -> Settings:
    """The settings with their folders where they are here.

    The earlier program's model folder, if it is not here, becomes the name of its model.
    """
    model = remapped(settings.model.model, maps)
    if is_foreign(model) and (name := pure(model).name).startswith(_MODEL_FOLDER):
        model = name.removeprefix(_MODEL_FOLDER)
    output = remapped(settings.output.output_dir, maps)
    return replace(
        settings,
        model=replace(settings.model, model=model),
        output=replace(settings.output, output_dir=output),
    )


def remap_session(session: Session, maps: Mapping[str, str]) -> Session:
    """The session as it is here."""
    jobs = tuple(remap_job(job, maps) for job in session.jobs)
    return replace(session, jobs=jobs, settings=remap_settings(session.settings, maps))


def is_foreign(path: str) -> bool:
    """Whether a path is written as on another kind of system: then it cannot be here."""
    return isinstance(pure(path), PureWindowsPath) != (os.name == "nt") and (
        isinstance(pure(path), PureWindowsPath) or path.startswith("/")
    )


def missing(session: Session) -> tuple[str, ...]:
    """Folders of another machine that have to be mapped: of inputs and of outputs.

    Inputs count when all that are still to do are missing. Blocks on the disk.
    """
    waiting = [j for j in session.jobs if isinstance(j.state, Pending | Processing | Failed)]
    paths = [job.path for job in waiting if job.source is None]
    lost = bool(paths) and all(is_foreign(path) for path in paths)
    if paths and not lost:
        lost = not any(os.path.lexists(text_to_path(path)) for path in paths[:MOST_LOOKS])
    folders = [common_folder(paths)] if lost else []
    output = session.settings.output.output_dir
    if is_foreign(output) and (not folders or remapped(output, {folders[0]: "/"}) == output):
        folders.append(output)
    return tuple(folder for folder in folders if folder)


def common_folder(paths: Iterable[str]) -> str:
    """The longest folder that all paths are in, as it is written there; empty if there is none."""
    folders = [pure(path).parent for path in paths if path and not path.startswith("\0")]
    if not folders:
        return ""
    common = folders[0]
    for folder in folders[1:]:
        while not _same(folder.parts[: len(common.parts)], common.parts, common):
            if common == common.parent:
                return ""
            common = common.parent
    return str(common) if common.parts else ""
