"""All models as a list for people: those that have a name, what the cache has, own folders."""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from fwtui.core.languages import LANGUAGES
from fwtui.core.paths import expand_home, path_to_text
from fwtui.core.settings import ModelSettings
from fwtui.errors import ModelError
from fwtui.models.cache import (
    Cached,
    all_cached,
    cached,
    converted,
    hub_cache,
    is_folder_name,
    missing_files,
    repo_folder,
)
from fwtui.models.catalogue import CONVERTER, MODELS, known, repo_of, short_name


class Presence(StrEnum):
    """Whether a model is on this machine."""

    HERE = "here"
    PARTLY = "partly"
    ABSENT = "absent"
    FOLDER = "folder"


class Entry(msgspec.Struct, frozen=True):
    """A model. `name` is what settings call it; `size` in bytes, on disk or as published.

    `size` and `languages` are 0 where they are not known; `partial` bytes of a download are here;
    `folder` as `path_to_text`, empty when it is not here; `in_use` by the settings.
    """

    name: str
    presence: Presence
    repo: str = ""
    size: int = 0
    languages: int = 0
    partial: int = 0
    folder: str = ""
    aliases: tuple[str, ...] = ()
    in_use: bool = False


def shelf(settings: ModelSettings, environ: Mapping[str, str] = os.environ) -> tuple[Entry, ...]:
    """The named models, then others of the cache, then folders; blocks on the disk."""
    cache = hub_cache(settings.model_dir, environ)
    there = {one.repo: one for one in all_cached(cache)}
    used = known(settings.model)
    own = used.repo if used is not None else settings.model
    entries = [_of_cache(model.repo, there.pop(model.repo, None), own) for model in MODELS]
    entries += [_of_cache(one.repo, one, own) for one in there.values()]
    folders = {folder.absolute() for folder in converted(cache)}
    mine = expand_home(settings.model)
    if mine.is_dir() and not missing_files(mine):
        folders.add(mine.absolute())
    entries += [_of_folder(folder, own) for folder in sorted(folders)]
    return tuple(entries)


def entry(name: str, settings: ModelSettings, environ: Mapping[str, str] = os.environ) -> Entry:
    """The model of that name, id or folder. Raises ModelError."""
    folder = expand_home(name)
    if folder.is_dir():
        if lacks := missing_files(folder):
            raise ModelError(
                f"{folder} is not a CTranslate2 Whisper model: {', '.join(lacks)} missing",
                f"convert the model: {CONVERTER.format(model='MODEL')}",
            )
        return _of_folder(folder.absolute(), settings.model)
    if is_folder_name(name):
        raise ModelError(f"The model folder {folder} is not there", "check the name")
    repo = repo_of(name)
    used = known(settings.model)
    own = used.repo if used is not None else settings.model
    return _of_cache(repo, cached(repo, hub_cache(settings.model_dir, environ)), own)


def _of_cache(repo: str, found: Cached | None, own: str) -> Entry:
    model = known(repo)
    name = short_name(repo)
    published = model.megabytes << 20 if model is not None else 0
    spoken = model.languages if model is not None else 0
    aliases = model.aliases if model is not None else ()
    if found is not None and found.folder is not None:
        return Entry(
            name,
            Presence.HERE,
            repo,
            found.size,
            spoken or len(spoken_in(found.folder)),
            folder=path_to_text(found.folder),
            aliases=aliases,
            in_use=repo == own,
        )
    begun = (found.size + found.partial) if found is not None else 0
    presence = Presence.PARTLY if begun else Presence.ABSENT
    return Entry(
        name, presence, repo, published, spoken, begun, aliases=aliases, in_use=repo == own
    )


def _of_folder(folder: Path, own: str) -> Entry:
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    same = expand_home(own).absolute() == folder
    text = path_to_text(folder)
    spoken = len(spoken_in(folder))
    return Entry(text, Presence.FOLDER, "", size, spoken, folder=text, in_use=same)


def spoken_in(folder: Path) -> tuple[str, ...]:
    """The codes of the languages that a model in a folder was made for, by its vocabulary."""
    try:
        words = _vocabulary(folder)
    except (OSError, ValueError):
        return ()
    if "" not in words:  # only multilingual vocabularies have the empty entry
        return ("en",)
    return tuple(code for code in LANGUAGES if f"<|{code}|>" in words)


def _vocabulary(folder: Path) -> frozenset[str]:
    """Raises OSError, or ValueError for what is none."""
    as_json = folder / "vocabulary.json"
    if as_json.is_file():
        return frozenset(msgspec.json.decode(as_json.read_bytes(), type=list[str]))
    return frozenset((folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n"))


def cache_bytes(entries: tuple[Entry, ...]) -> int:
    """What all models of the cache take on the disk."""
    return sum(
        one.size if one.presence is Presence.HERE else one.partial
        for one in entries
        if one.presence is not Presence.FOLDER
    )


def place_of(one: Entry, settings: ModelSettings, environ: Mapping[str, str] = os.environ) -> Path:
    """Where a model is, or will be."""
    if one.folder:
        return Path(one.folder)
    return repo_folder(one.repo, hub_cache(settings.model_dir, environ))
