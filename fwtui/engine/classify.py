"""Classifies exceptions and dead engines: one `Failure` for each. Pure; no native imports."""

import errno
import re
import signal
from collections.abc import Sequence

from msgspec.structs import replace

from fwtui.core.disk_errors import DiskArea, disk_failure
from fwtui.core.failure import Failure, FailureKind
from fwtui.errors import (
    BadMediaError,
    DiskFullError,
    FwtuiError,
    InputChangedError,
    MediaAccessError,
    MediaLostError,
    ModelError,
    NoAudioError,
    ScratchChangedError,
    StorageError,
    UsageError,
)

# Texts of CTranslate2, MKL, oneDNN, OpenBLAS, CUDA, onnxruntime and the loader when memory runs
# out. They are plain RuntimeErrors or the last lines of stderr, so only the text tells.
OUT_OF_MEMORY_TEXTS = (
    "out of memory",
    "failed to allocate memory",
    "could not create a memory object",
    "cannot allocate memory",
    "std::bad_alloc",
    "without exception set",  # what an extension module says that got no memory
    "bad allocation",
    "failed to allocate",
    "unable to allocate",
    "memoryerror",
    "memory allocation still failed",
    "failed to map segment from shared object",
    "cublas_status_alloc_failed",
    "can't start new thread",  # no memory for its stack
    "pthread_create failed",
)
LIBRARY_TEXTS = (
    "is not found or cannot be loaded",
    "unable to load any of",
    "cannot load symbol",
    "cannot open shared object file",
)
CUDA_TEXTS = (
    "cuda driver version is insufficient",
    "no cuda-capable device",
    "this ctranslate2 package was not compiled with cuda support",
    "invalid device ordinal",
    "cuda failed with error",
    "cublas failed with status",
)
_LIBRARY = re.compile(r"\blib[\w+-]+\.so[.\d]*\d|\b[\w-]+\.dll\b")
_OF_GPU = re.compile(r"cu(blas|dnn|da|rand|fft|sparse|solver)|nv(rtc|jitlink)", re.IGNORECASE)
# Out of memory unless the kernel's counters deny it.
KILLED = "The engine was killed (signal 9), probably because memory ran out"
NOT_BY_KERNEL = Failure(
    FailureKind.ENGINE_DIED,
    "The engine was killed (signal 9), but not for lack of memory",
    "another program or a user ended it",
)
CUDA_LIBRARIES = "pip install 'fwtui[cuda]', or use --device cpu"
SMALLER = "choose a smaller model, best_of 1 or compute type int8, or free some memory"


def classify_text(text: str) -> Failure | None:
    """The failure that a native library's message means; None if the message is unknown."""
    lowered = text.lower()
    if any(known in lowered for known in OUT_OF_MEMORY_TEXTS):
        title = "Out of GPU memory" if "cuda" in lowered else "Out of memory"
        return Failure(FailureKind.OUT_OF_MEMORY, title, SMALLER, text)
    if any(known in lowered for known in LIBRARY_TEXTS):
        return _library_missing(text)
    if any(known in lowered for known in CUDA_TEXTS):
        return Failure(
            FailureKind.CUDA_UNAVAILABLE,
            "The GPU cannot be used",
            "check nvidia-smi and the driver, or use --device cpu",
            text,
        )
    return None


def _library_missing(text: str) -> Failure:
    kind = FailureKind.LIBRARY_MISSING
    found = _LIBRARY.search(text)
    if found is None:
        return Failure(kind, "A library is missing", CUDA_LIBRARIES, text)
    name = found[0]
    if name.startswith(("libcuda.", "nvcuda.")):
        hint = "install the NVIDIA driver, or use --device cpu"
        return Failure(kind, f"The GPU driver is missing ({name})", hint, text)
    if _OF_GPU.search(name):
        return Failure(kind, f"The GPU library {name} is missing", CUDA_LIBRARIES, text)
    package = "install it with your package manager"
    return Failure(kind, f"The library {name} is missing", package, text)


def classify_exception(
    error: BaseException, area: DiskArea = DiskArea.SCRATCH, place: str = ""
) -> Failure:
    """The failure that an exception in the engine means.

    An error of a disk is one of the `area`, whose folder or file is `place` (as `path_to_text`).
    """
    if isinstance(error, MemoryError):
        return Failure(FailureKind.OUT_OF_MEMORY, "Out of memory", SMALLER, repr(error))
    if isinstance(error, FwtuiError):
        return _from_fwtui_error(error, area, place)
    if isinstance(error, OSError) and error.errno is not None:  # those of the loader have none
        return _classify_os_error(error, area, place)
    known = classify_text(str(error))
    if known is not None:
        return known
    return Failure(
        FailureKind.INTERNAL,
        f"The engine failed: {_first_line(error)}",
        "details are in the log; please report it",
        f"{type(error).__name__}: {error}",
    )


def _from_fwtui_error(error: FwtuiError, area: DiskArea, place: str) -> Failure:
    cause = error.__cause__
    if isinstance(error, ModelError) and isinstance(cause, OSError):
        return replace(disk_failure(area, cause, place), title=error.title)
    if isinstance(error, StorageError) and isinstance(cause, OSError):
        found = disk_failure(area, cause, error.place or place)
        return replace(found, title=error.title, hint=error.hint, needed=error.needed)
    place = error.place if isinstance(error, StorageError | MediaLostError) else ""
    needed = error.needed if isinstance(error, StorageError) else 0
    detail = str(cause or "")
    return Failure(_kind_of(error), error.title, error.hint, detail, place, needed)


def _kind_of(error: FwtuiError) -> FailureKind:
    match error:
        case ScratchChangedError():
            return FailureKind.SCRATCH_CHANGED
        case NoAudioError():
            return FailureKind.NO_AUDIO
        case BadMediaError():
            return FailureKind.BAD_MEDIA
        case InputChangedError():
            return FailureKind.INPUT_CHANGED
        case MediaLostError():
            return FailureKind.INPUT_LOST
        case MediaAccessError(missing=True):
            return FailureKind.FILE_MISSING
        case MediaAccessError():
            return FailureKind.PERMISSION
        case DiskFullError():
            return FailureKind.DISK_FULL
        case ModelError():
            return FailureKind.MODEL_MISSING
        case UsageError():
            return FailureKind.BAD_SETTINGS
        case _:
            return FailureKind.INTERNAL


def _classify_os_error(error: OSError, area: DiskArea, place: str) -> Failure:
    if error.errno == errno.ENOMEM:
        return Failure(FailureKind.OUT_OF_MEMORY, "Out of memory", SMALLER, repr(error))
    return disk_failure(area, error, place, "use")


def classify_exit(returncode: int, stderr_tail: Sequence[str]) -> Failure:
    """Why the engine ended without being asked to.

    `returncode` as from `subprocess` (negative: signal number); `stderr_tail`: its last lines.
    """
    detail = "\n".join(stderr_tail)
    if returncode == -getattr(signal, "SIGKILL", 9):
        return Failure(
            FailureKind.OUT_OF_MEMORY,
            KILLED,
            SMALLER,
            detail,
        )
    known = classify_text(detail)
    if known is not None:
        return known
    return Failure(
        FailureKind.ENGINE_DIED,
        f"The engine crashed ({describe_exit(returncode)})",
        "its last messages are in the log",
        detail,
    )


def describe_exit(returncode: int) -> str:
    """A return code for people: `signal 11, SIGSEGV`, or `exit code 3`."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return f"signal {-returncode}, {signal.Signals(-returncode).name}"
    except ValueError:
        return f"signal {-returncode}"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
