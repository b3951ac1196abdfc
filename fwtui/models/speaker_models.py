"""The models that tell speakers apart: which there are, and where they are on this machine.

Two each time: one that hears how many speak, and one that hears what a voice sounds like
(embedding), which has a threshold of its own. Nothing is loaded here.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

import msgspec

from fwtui.core.paths import expand_home
from fwtui.disk.files import is_folder
from fwtui.errors import ModelAbsentError, ModelError
from fwtui.models.cache import hub_cache, is_folder_name, is_offline, repo_folder

SPEAKERS = "speakers"
"""The name of the models that are used without `diarize_model`."""


class OnnxModel(msgspec.Struct, frozen=True):
    """A published model: its repository on Hugging Face, the file in it, and its size in MB.

    `threshold`: cosine distance up to which two voices are one speaker's; 0: it has none.
    """

    name: str
    repo: str
    file: str
    megabytes: int
    license: str
    threshold: float = 0.0


# The threshold is chosen by tests/benchmarks/speakers.py, on what docs/speakers.md says.
DEFAULT_THRESHOLD = 0.42
SEGMENTATION = OnnxModel(
    "segmentation-3.0",
    "onnx-community/pyannote-segmentation-3.0",
    "onnx/model.onnx",
    6,
    "MIT",
)
_VOICES = "csukuangfj/speaker-embedding-models"
EMBEDDINGS = (
    OnnxModel(
        "campplus",
        _VOICES,
        "3dspeaker_speech_campplus_sv_zh_en_16k-common_advanced.onnx",
        28,
        "Apache-2.0",
        DEFAULT_THRESHOLD,
    ),
    OnnxModel(
        "resnet34",
        _VOICES,
        "wespeaker_en_voxceleb_resnet34_LM.onnx",
        26,
        "CC-BY-4.0",
        0.55,
    ),
)
EMBEDDING_NAMES = tuple(one.name for one in EMBEDDINGS)


class SpeakerFiles(msgspec.Struct, frozen=True):
    """Both models on this machine (paths), and the threshold for voices."""

    segmentation: str
    embedding: str
    threshold: float

    def identity(self) -> str:
        """Hex digest of both files. Raises OSError."""
        found = hashlib.blake2b(digest_size=8)
        for path in (self.segmentation, self.embedding):
            with Path(path).open("rb") as file:
                found.update(hashlib.file_digest(file, "blake2b").digest())
        return found.hexdigest()


def embedding_of(name: str) -> OnnxModel:
    """The model of voices of that name (empty: the default). Raises ModelError."""
    for one in EMBEDDINGS:
        if name in {one.name, *((SPEAKERS, "") if one is EMBEDDINGS[0] else ())}:
            return one
    close = get_close_matches(name, EMBEDDING_NAMES, n=1)
    raise ModelError(
        f"No model for speakers is called {name}",
        f"did you mean {close[0]}?"
        if close
        else f"use a folder with both models, or one of: {', '.join(EMBEDDING_NAMES)}",
        setting="speakers.diarize_model",
    )


def locate_speakers(
    model: str, model_dir: str | None = None, environ: Mapping[str, str] = os.environ
) -> SpeakerFiles:
    """Both models for `diarize_model` (empty: the default); never downloads them.

    Raises:
        ModelAbsentError: they are not downloaded, but can be.
        ModelError: the folder is missing or has other files, or no model has this name.

    """
    if model and (is_folder_name(model) or is_folder(expand_home(model))):
        return _in_folder(expand_home(model))
    embedding = embedding_of(model)
    cache = hub_cache(model_dir, environ)
    found = [downloaded(one, cache) for one in (SEGMENTATION, embedding)]
    segmentation, voices = found
    if segmentation is not None and voices is not None:
        return SpeakerFiles(str(segmentation), str(voices), embedding.threshold)
    name = model or SPEAKERS
    lacks = sum(
        one.megabytes
        for one, path in zip((SEGMENTATION, embedding), found, strict=True)
        if path is None
    )
    hint = f"download them: fwtui models download {name}"
    if is_offline(environ):
        raise ModelError(
            "The models for speakers are not downloaded, and HF_HUB_OFFLINE forbids downloading "
            "them",
            f"download them once: fwtui models download {name}",
        )
    raise ModelAbsentError(f"The models for speakers ({lacks} MB) are not downloaded", hint)


def downloaded(model: OnnxModel, cache: Path) -> Path | None:
    """The file of a model in the cache, if it is there: of `main`, otherwise the newest."""
    home = repo_folder(model.repo, cache)
    try:
        commit = (home / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        commit = ""
    found = [folder / model.file for folder in (home / "snapshots").glob("*")]
    found = [path for path in found if path.is_file()]
    found.sort(key=lambda path: (commit in path.parts, path.stat().st_mtime), reverse=True)
    return found[0] if found else None


def _in_folder(folder: Path) -> SpeakerFiles:
    """Both models in a folder of the user. Raises ModelError."""
    if not is_folder(folder):
        raise ModelError(
            f"Folder {folder} not found", "check diarize_model", setting="speakers.diarize_model"
        )
    files = sorted(_onnx_files(folder))
    segmentation = [path for path in files if "segmentation" in path.name.lower()]
    voices = [path for path in files if path not in segmentation]
    if len(segmentation) != 1 or len(voices) != 1:
        raise ModelError(
            f"{folder} must have two models in it: one .onnx file with segmentation in its name, "
            "and one other",
            "put both there, or leave out diarize_model",
            setting="speakers.diarize_model",
        )
    (voice,) = voices
    return SpeakerFiles(str(segmentation[0]), str(voice), threshold_for(voice.name))


def _onnx_files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix.lower() == ".onnx")


def threshold_for(name: str) -> float:
    """The threshold for a file of the user, by its name; that of the default if unknown."""
    return next(
        (one.threshold for one in EMBEDDINGS if one.name in name.lower()), DEFAULT_THRESHOLD
    )
