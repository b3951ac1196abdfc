r"""Paths of another machine mapped to this one, by their first folders. Pure except for `missing`.

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

MOST_CHECKED = 200  # files whose existence is checked: a share can be slow
_MODEL_FOLDER = "faster-whisper-"


def parse_map(text: str) -> tuple[str, str]:
    """The two folders of `OLD=NEW`; the new one is made absolute. Raises UsageError."""
    old, equals, new = text.rpartition("=")
    if not (equals and old and new):
        raise UsageError(f"{text!r} is not OLD=NEW", r"for example: --map 'D:\Audio=/mnt/audio'")
    return old, path_to_text(os.path.abspath(expand_home(new)))  # noqa: PTH100  keeps links


def remapped(path: str, maps: Mapping[str, str]) -> str:
    """The path, with the longest prefix that is in `maps` replaced."""
    parts = pure(path).parts
    best, found = 0, path
    for old, new in maps.items():
        beginning = pure(old).parts
        if len(beginning) > best and _same(parts[: len(beginning)], beginning, pure(path)):
            best = len(beginning)
            found = path_to_text(text_to_path(new).joinpath(*parts[best:]))
    return found


def _same(some: tuple[str, ...], others: tuple[str, ...], path: PurePath) -> bool:
    if isinstance(path, PureWindowsPath):  # case-insensitive
        return [part.casefold() for part in some] == [part.casefold() for part in others]
    return some == others


def remap_job(job: Job, maps: Mapping[str, str]) -> Job:
    """The job with the paths of its file and outputs on this machine."""
    state = job.state
    if isinstance(state, Completed):
        state = replace(state, outputs=tuple(remapped(path, maps) for path in state.outputs))
    # An absolute stem (outputs beside the file) is chosen again before the file is transcribed.
    root = remapped(job.root, maps) if job.root else ""
    return replace(job.with_path(remapped(job.path, maps)), state=state, root=root)


def remap_settings(settings: Settings, maps: Mapping[str, str]) -> Settings:
    """The settings with folders of this machine.

    A model folder of the earlier program that is not mapped becomes the name of its model.
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
    """The session with paths of this machine."""
    jobs = tuple(remap_job(job, maps) for job in session.jobs)
    return replace(session, jobs=jobs, settings=remap_settings(session.settings, maps))


def is_foreign(path: str) -> bool:
    """Whether a path is written as on another kind of system, so that it cannot exist here."""
    return isinstance(pure(path), PureWindowsPath) != (os.name == "nt") and (
        isinstance(pure(path), PureWindowsPath) or path.startswith("/")
    )


def missing(session: Session) -> tuple[str, ...]:
    """Folders of another machine that have to be mapped: of inputs and of outputs.

    Inputs count if all files that are not done are missing. Blocks on the disk.
    """
    waiting = [j for j in session.jobs if isinstance(j.state, Pending | Processing | Failed)]
    paths = [job.path for job in waiting if job.source is None]
    lost = bool(paths) and all(is_foreign(path) for path in paths)
    if paths and not lost:
        lost = not any(os.path.lexists(text_to_path(path)) for path in paths[:MOST_CHECKED])
    folders = [common_folder(paths)] if lost else []
    output = session.settings.output.output_dir
    if is_foreign(output) and (not folders or remapped(output, {folders[0]: "/"}) == output):
        folders.append(output)
    return tuple(folder for folder in folders if folder)


def common_folder(paths: Iterable[str]) -> str:
    """The deepest folder that contains all paths, as it is written there; empty if none."""
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
