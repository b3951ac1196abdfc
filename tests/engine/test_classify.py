"""From exceptions and exits to failures: tables of what was seen in the field."""

import ctypes
import errno
import signal

import pytest

from fwtui.core.failure import FailureKind
from fwtui.engine.classify import classify_exception, classify_exit, classify_text, describe_exit
from fwtui.errors import (
    BadMediaError,
    DiskFullError,
    MediaAccessError,
    ModelError,
    NoAudioError,
    StorageError,
    UsageError,
)

TEXTS = [
    ("mkl_malloc: failed to allocate memory", FailureKind.OUT_OF_MEMORY),
    ("could not create a memory object", FailureKind.OUT_OF_MEMORY),
    ("CUDA failed with error out of memory", FailureKind.OUT_OF_MEMORY),
    ("cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED", FailureKind.OUT_OF_MEMORY),
    ("terminate called: what():  std::bad_alloc", FailureKind.OUT_OF_MEMORY),
    ("RuntimeError: can't start new thread", FailureKind.OUT_OF_MEMORY),
    ("OpenBLAS blas_thread_init: pthread_create failed for thread 1", FailureKind.OUT_OF_MEMORY),
    (
        "[ONNXRuntimeError] : 6 : Failed to allocate memory for requested buffer",
        FailureKind.OUT_OF_MEMORY,
    ),
    ("cuBLAS failed with status CUBLAS_STATUS_NOT_SUPPORTED", FailureKind.CUDA_UNAVAILABLE),
    (
        "Library libcublas.so.12 is not found or cannot be loaded",
        FailureKind.LIBRARY_MISSING,
    ),
    (
        "Unable to load any of {libcudnn_ops.so.9.1.0, libcudnn_ops.so.9.1}",
        FailureKind.LIBRARY_MISSING,
    ),
    (
        "CUDA driver version is insufficient for CUDA runtime version",
        FailureKind.CUDA_UNAVAILABLE,
    ),
    (
        "This CTranslate2 package was not compiled with CUDA support",
        FailureKind.CUDA_UNAVAILABLE,
    ),
]


@pytest.mark.parametrize(("text", "kind"), TEXTS)
def test_native_messages(text: str, kind: FailureKind) -> None:
    failure = classify_text(text)
    assert failure is not None
    assert (failure.kind, failure.detail) == (kind, text)
    assert failure.title
    assert failure.hint
    assert classify_exception(RuntimeError(text)) == failure


@pytest.mark.parametrize(
    ("text", "title", "fix"),
    [
        (
            "Library libcublas.so.12 is not found or cannot be loaded",
            "The GPU library libcublas.so.12 is missing",
            "pip install 'fwtui[cuda]'",
        ),
        (
            "Could not load library cudnn_ops64_9.dll. cannot open shared object file",
            "The GPU library cudnn_ops64_9.dll is missing",
            "pip install 'fwtui[cuda]'",
        ),
        (
            "libcuda.so.1: cannot open shared object file: No such file or directory",
            "The GPU driver is missing (libcuda.so.1)",
            "driver",
        ),
        (
            "libgomp.so.1: cannot open shared object file",
            "The library libgomp.so.1 is missing",
            "your package manager",
        ),
    ],
)
def test_a_missing_library_is_named(text: str, title: str, fix: str) -> None:
    for error in (OSError(text), RuntimeError(text), ImportError(text)):
        failure = classify_exception(error)
        assert (failure.kind, failure.title) == (FailureKind.LIBRARY_MISSING, title)
        assert fix in failure.hint


def test_a_really_missing_library_is_named() -> None:
    with pytest.raises(OSError, match="libfwtui-cublas") as caught:
        ctypes.CDLL("libfwtui-cublas.so.12")
    assert classify_exception(caught.value).kind is FailureKind.LIBRARY_MISSING


def test_an_unknown_message_is_nothing_known() -> None:
    assert classify_text("something else") is None
    assert classify_exception(RuntimeError("odd\nlines")).title == "The engine failed: odd"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), FailureKind.OUT_OF_MEMORY),
        (BadMediaError("x"), FailureKind.BAD_MEDIA),
        (NoAudioError("x"), FailureKind.NO_AUDIO),
        (MediaAccessError("x", "", missing=True), FailureKind.FILE_MISSING),
        (MediaAccessError("x", "", missing=False), FailureKind.PERMISSION),
        (DiskFullError("x"), FailureKind.DISK_FULL),
        (StorageError("x"), FailureKind.INTERNAL),
        (ModelError("x"), FailureKind.MODEL_MISSING),
        (UsageError("x"), FailureKind.BAD_SETTINGS),
        (OSError(errno.ENOSPC, "No space left"), FailureKind.DISK_FULL),
        (OSError(errno.EACCES, "Permission denied"), FailureKind.PERMISSION),
        (OSError(errno.ENOENT, "No such file", "/a"), FailureKind.OUTPUT),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), FailureKind.OUT_OF_MEMORY),
        (OSError(errno.EIO, "Input/output error"), FailureKind.OUTPUT),
        (ZeroDivisionError("division"), FailureKind.INTERNAL),
    ],
)
def test_exceptions(error: Exception, kind: FailureKind) -> None:
    assert classify_exception(error).kind is kind


def test_the_file_is_named() -> None:
    failure = classify_exception(OSError(errno.EACCES, "Permission denied", "/a/b.mp3"))
    assert failure.title == "Cannot use /a/b.mp3: Permission denied"


@pytest.mark.parametrize(
    ("returncode", "tail", "kind"),
    [
        (-9, (), FailureKind.OUT_OF_MEMORY),
        (-11, (), FailureKind.ENGINE_DIED),
        (-6, ("Unable to load any of {libcudnn_ops.so.9}",), FailureKind.LIBRARY_MISSING),
        (-6, ("terminate called after throwing", "std::bad_alloc"), FailureKind.OUT_OF_MEMORY),
        (1, ("Traceback ...",), FailureKind.ENGINE_DIED),
        (0, (), FailureKind.ENGINE_DIED),
    ],
)
def test_exits(returncode: int, tail: tuple[str, ...], kind: FailureKind) -> None:
    failure = classify_exit(returncode, tail)
    assert failure.kind is kind
    assert failure.title


def test_exits_in_words() -> None:
    assert describe_exit(3) == "exit code 3"
    assert describe_exit(-int(signal.SIGTERM)) == f"signal {int(signal.SIGTERM)}, SIGTERM"
    assert describe_exit(-200) == "signal 200"
