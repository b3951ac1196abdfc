"""Checks before the work: whether a batch, or a file with its own settings, can succeed at all."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

from fwtui.config.validate import validated, warnings
from fwtui.core.failure import Failure
from fwtui.core.paths import expand_home
from fwtui.core.settings import ModelSettings, OutputSettings, Settings
from fwtui.disk.files import is_folder
from fwtui.engine.classify import classify_exception
from fwtui.errors import FwtuiError, ModelAbsentError, UsageError
from fwtui.models.capabilities import check_model, unsupported_compute_type
from fwtui.models.speaker_models import check_speakers

# Compute types that need a GPU, and those that CTranslate2 supports on any CPU.
_GPU_TYPES = frozenset({"float16", "bfloat16", "int8_float16", "int8_bfloat16"})
_CPU_TYPES = ("float32", "int8", "int8_float32")
# ENOENT in a folder that is there: one in which nothing can be made, such as /proc.
REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.ENOENT})
"""Errors of an output folder that end a batch which has not written anything yet."""
REFUSED_AT_ONCE = REFUSED | {errno.EROFS}
"""Those that end a command before it makes a session; a session waits for a read-only drive."""


def check_start(
    settings: Settings,
    count_gpus: Callable[[], int],
    refused: Collection[int] = REFUSED_AT_ONCE,
) -> tuple[str, ...]:
    """Check all that can be known before a batch starts; returns warnings.

    `refused`: the errors of the output folder that end it; the others are waited for. Blocks on the
    disk. Raises FwtuiError that names the setting.
    """
    found = check_settings(settings)
    _check_compute_type(settings.model, count_gpus)
    if refused and settings.output.output_layout != "source":
        _check_output_dir(settings.output, refused)
    return found


def check_settings(settings: Settings) -> tuple[str, ...]:
    """Check settings against each other and their model; returns warnings. Raises FwtuiError."""
    found = (*warnings(validated(settings)), *check_model(settings))
    with contextlib.suppress(ModelAbsentError):
        check_speakers(settings)
    return found


def settings_failure(settings: Settings) -> Failure | None:
    """Why nothing can be transcribed with these settings; None if it can."""
    try:
        check_settings(settings)
    except FwtuiError as error:
        return classify_exception(error)
    return None


def check_writable(folder: Path) -> None:
    """Check that the system lets files be made in a folder, or in the one it will be made in.

    Before the work: a transcript that cannot be written is known before it is made. Raises OSError.
    """
    existing = next((one for one in (folder, *folder.parents) if is_folder(one)), None)
    if existing is not None and not os.access(existing, os.W_OK | os.X_OK):
        number = errno.EROFS if _is_read_only(existing) else errno.EACCES
        raise OSError(number, os.strerror(number))


def _is_read_only(folder: Path) -> bool:
    if not hasattr(os, "statvfs"):
        return False
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def _check_compute_type(model: ModelSettings, count_gpus: Callable[[], int]) -> None:
    """Check what is known without CTranslate2; the engine knows the rest when it loads."""
    if model.compute_type not in _GPU_TYPES or model.device == "cuda":
        return
    if model.device == "cpu" or not count_gpus():
        raise unsupported_compute_type(model.compute_type, _CPU_TYPES, on_gpu=False)


def _check_output_dir(output: OutputSettings, refused: Collection[int]) -> None:
    """Check that files can be made in the folder, or in the one that it will be made in."""
    folder = expand_home(output.output_dir).absolute()
    existing = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    try:
        tempfile.TemporaryFile(dir=existing).close()
    except OSError as error:
        if error.errno in refused:
            raise UsageError(
                f"cannot write transcripts to {folder}: {error.strerror}",
                "change its permissions, or choose another folder with --output_dir",
                setting="output.output_dir",
            ) from error
