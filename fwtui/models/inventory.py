"""The list of models: the catalogue, others in the cache, and local folders."""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec

from fwtui.core.paths import expand_home, path_to_text
from fwtui.core.settings import ModelSettings
from fwtui.disk.files import is_folder
from fwtui.errors import ModelError
from fwtui.models.cache import (
    Cached,
    all_cached,
    cached,
    hub_cache,
    is_folder_name,
    missing_files,
    model_folders,
    repo_folder,
)
from fwtui.models.capabilities import supported_languages
from fwtui.models.catalogue import CONVERTER, MODELS, find_in_catalogue, repo_of, short_name


class Presence(StrEnum):
    """Whether a model is on this machine: downloaded, partly, not at all, or a local folder."""

    HERE = "here"
    PARTLY = "partly"
    ABSENT = "absent"
    FOLDER = "folder"


class ModelEntry(msgspec.Struct, frozen=True):
    """A model. `name` is its name in settings; `size` in bytes, on disk or as published.

    `size` and `languages` are 0 if unknown. `partial`: bytes of a partial download. `folder` (as
    `path_to_text`) is empty if the model is not downloaded. `in_use`: the settings name it.
    `kind` is `whisper`, or `speakers` for what tells speakers apart.
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
    kind: str = "whisper"


def list_models(
    settings: ModelSettings, environ: Mapping[str, str] = os.environ
) -> tuple[ModelEntry, ...]:
    """The models of the catalogue, others in the cache, then folders; blocks on the disk."""
    cache = hub_cache(settings.model_dir, environ)
    in_cache = {one.repo: one for one in all_cached(cache)}
    used = find_in_catalogue(settings.model)
    own = used.repo if used is not None else settings.model
    entries = [_of_cache(model.repo, in_cache.pop(model.repo, None), own) for model in MODELS]
    entries += [_of_cache(one.repo, one, own) for one in in_cache.values()]
    folders = {folder.absolute() for folder in model_folders(cache)}
    chosen = expand_home(settings.model)
    if is_folder(chosen) and not missing_files(chosen):
        folders.add(chosen.absolute())
    entries += [_of_folder(folder, own) for folder in sorted(folders)]
    return tuple(entries)


def find_model(
    name: str, settings: ModelSettings, environ: Mapping[str, str] = os.environ
) -> ModelEntry:
    """The model of that name, id or folder. Raises ModelError."""
    folder = expand_home(name)
    if is_folder(folder):
        if lacks := missing_files(folder):
            raise ModelError(
                f"{folder} is not a CTranslate2 Whisper model: {', '.join(lacks)} missing",
                f"convert the model: {CONVERTER.format(model='MODEL')}",
            )
        return _of_folder(folder.absolute(), settings.model)
    if is_folder_name(name):
        raise ModelError(f"Model folder {folder} not found", "check the name")
    repo = repo_of(name)
    used = find_in_catalogue(settings.model)
    own = used.repo if used is not None else settings.model
    return _of_cache(repo, cached(repo, hub_cache(settings.model_dir, environ)), own)


def _of_cache(repo: str, found: Cached | None, own: str) -> ModelEntry:
    model = find_in_catalogue(repo)
    name = short_name(repo)
    published = model.megabytes << 20 if model is not None else 0
    spoken = model.languages if model is not None else 0
    aliases = model.aliases if model is not None else ()
    if found is not None and found.folder is not None:
        return ModelEntry(
            name,
            Presence.HERE,
            repo,
            found.size,
            spoken or len(supported_languages(found.folder)),
            folder=path_to_text(found.folder),
            aliases=aliases,
            in_use=repo == own,
        )
    partial = (found.size + found.partial) if found is not None else 0
    presence = Presence.PARTLY if partial else Presence.ABSENT
    return ModelEntry(
        name, presence, repo, published, spoken, partial, aliases=aliases, in_use=repo == own
    )


def _of_folder(folder: Path, own: str) -> ModelEntry:
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    same = expand_home(own).absolute() == folder
    text = path_to_text(folder)
    spoken = len(supported_languages(folder))
    return ModelEntry(text, Presence.FOLDER, "", size, spoken, folder=text, in_use=same)


def cache_bytes(entries: tuple[ModelEntry, ...]) -> int:
    """Bytes on disk of all models in the cache."""
    return sum(
        one.size if one.presence is Presence.HERE else one.partial
        for one in entries
        if one.presence is not Presence.FOLDER
    )


def model_folder(
    one: ModelEntry, settings: ModelSettings, environ: Mapping[str, str] = os.environ
) -> Path:
    """The folder of a model, downloaded or not."""
    if one.folder:
        return Path(one.folder)
    return repo_folder(one.repo, hub_cache(settings.model_dir, environ))
