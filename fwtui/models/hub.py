"""The child process for requests to Hugging Face: `python -m fwtui.models.hub`.

One request on stdin, replies on stdout. It ends when its stdin does, which pauses a download.
huggingface_hub reads the endpoint (HF_ENDPOINT), the token and offline mode from the environment,
lists the files, follows redirects and transfers. Its own downloads start over after an interruption
and are not verified, so the files are written to where it expects them in the cache, and it does
the rest: links, references, locks.
"""

import contextlib
import hashlib
import os
import shutil
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import msgspec
from huggingface_hub import (
    HfApi,
    constants,
    get_hf_file_metadata,
    hf_hub_url,
    scan_cache_dir,
    snapshot_download,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import WeakFileLock, build_hf_headers

from fwtui.core.failure import Failure, FailureKind
from fwtui.core.text import printable
from fwtui.errors import DiskFullError, FwtuiError, ModelError
from fwtui.models.cache import FILES_NEEDED, PARTIAL, repo_folder
from fwtui.models.catalogue import CONVERTER, megabytes
from fwtui.models.protocol import (
    AnyReply,
    AnyRequest,
    Checking,
    Done,
    Download,
    PlanDownload,
    Planned,
    Remove,
    RequestFailed,
    TransferProgress,
)

WANTED = frozenset({*FILES_NEEDED, "preprocessor_config.json", "vocabulary.json", "vocabulary.txt"})
REPORT_SECONDS = 0.1
SPARE = 100 << 20  # bytes to leave free on the disk
LOCK_SECONDS = 0.2
# Bytes written and reported at once. With the library's 10 MB a slow connection would lose minutes
# at every pause, and the progress would stand still.
_PIECE = 1 << 16

Report = Callable[[AnyReply], None]


class RemoteFile(msgspec.Struct, frozen=True):
    """A file of a model. `digest` is SHA-256 in hex, or git's SHA-1 of small files."""

    name: str
    size: int
    digest: str


class Hub:
    """One model on Hugging Face and in the cache."""

    def __init__(self, request: AnyRequest, report: Report) -> None:
        self.repo = request.repo
        self.cache = Path(request.cache)
        self.home = repo_folder(request.repo, self.cache)
        self.report = report
        self.host = urlsplit(constants.ENDPOINT).netloc
        self.total = self.done = 0

    def plan(self) -> tuple[str, Sequence[RemoteFile]]:
        """The revision and its files; reports `Planned`."""
        info = HfApi().model_info(self.repo, files_metadata=True)
        files = [_remote(one) for one in info.siblings or () if one.rfilename in WANTED]
        names = {file.name for file in files}
        if "model.bin" not in names:
            raise ModelError(
                f"{self.repo} is not a CTranslate2 model: it has no model.bin",
                f"convert it and use the folder: {CONVERTER.format(model=self.repo)}",
            )
        if lacks := [name for name in FILES_NEEDED if name not in names]:
            raise ModelError(
                f"{self.repo} lacks {', '.join(lacks)}",
                "choose another model, or add the file to a copy of its folder",
            )
        self.total = sum(file.size for file in files)
        here = sum(min(file.size, self._here(file)) for file in files)
        self.report(Planned(self.repo, info.sha or "", self.host, self.total, here))
        return info.sha or "main", files

    def _here(self, file: RemoteFile) -> int:
        """Bytes of a file that are already in the cache."""
        blob = self.home / "blobs" / file.digest
        for path in (blob, _partial(blob)):
            if path.exists():
                return path.stat().st_size
        return 0

    def download(self) -> Path:
        """Download and verify all files, and link them into the snapshot; returns its folder."""
        revision, files = self.plan()
        missing = self.total - sum(min(file.size, self._here(file)) for file in files)
        self._check_free_space(missing)
        with self._reporting():
            for file in sorted(files, key=lambda file: file.size):
                self._download_file(file, revision)
        folder = snapshot_download(
            self.repo, cache_dir=self.cache, allow_patterns=[file.name for file in files]
        )
        return Path(folder)

    def _check_free_space(self, needed: int) -> None:
        self.cache.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.cache).free
        if needed and free < needed + SPARE:
            raise DiskFullError(
                f"{self.repo} needs {_amount(needed)} more, but {self.cache} has only "
                f"{_amount(free)} free",
                "free up space, or choose another folder with --model_dir or HF_HOME",
                place=str(self.cache),
                needed=needed + SPARE,
            )

    def _download_file(self, file: RemoteFile, revision: str) -> None:
        url = hf_hub_url(self.repo, file.name, revision=revision)
        found = get_hf_file_metadata(url)
        blob = self.home / "blobs" / (found.etag or file.digest)
        blob.parent.mkdir(parents=True, exist_ok=True)
        lock = self.cache / ".locks" / self.home.name / f"{blob.name}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock, timeout=LOCK_SECONDS):
            if not blob.exists():
                self._transfer(file, found.location, url, _partial(blob))
                _partial(blob).replace(blob)
            else:
                self._advance(file.size)

    def _transfer(self, file: RemoteFile, location: str, url: str, partial: Path) -> None:
        with partial.open("r+b" if partial.exists() else "w+b") as stream:
            begin = stream.seek(0, os.SEEK_END)
            if begin > file.size:
                begin = stream.truncate(stream.seek(0))
            self._advance(begin)
            if begin < file.size:
                headers = build_hf_headers()
                headers["Accept-Encoding"] = (
                    "identity"  # ranges refer to the bytes of the file itself
                )
                if urlsplit(location).netloc != urlsplit(url).netloc:
                    headers.pop("authorization", None)  # the token is for Hugging Face alone
                counted: Any = _Counted(stream, self._advance)
                http_get(
                    location,
                    counted,
                    resume_size=begin,
                    headers=headers,
                    expected_size=file.size,
                )
            stream.flush()
            os.fsync(stream.fileno())
            self.report(Checking(file.name))
            if digest(stream, file) != file.digest:
                partial.unlink()
                raise ModelError(
                    f"{file.name} of {self.repo} is damaged: its checksum is wrong",
                    "it was deleted: download it again; if that does not help, "
                    f"something between here and {self.host} modifies files",
                )

    def _advance(self, count: int) -> None:
        self.done += count

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        """Report the progress regularly, and once at the end."""
        over = threading.Event()

        def report() -> None:
            reported = -1
            while reported != self.done or not over.is_set():
                if reported != self.done:
                    reported = self.done
                    self.report(TransferProgress(reported, self.total))
                over.wait(REPORT_SECONDS)

        thread = threading.Thread(target=report, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def remove(self) -> int:
        """Delete the model; returns the bytes freed."""
        before = _used(self.cache)
        if self.home.is_dir():
            found = [one for one in scan_cache_dir(self.cache).repos if one.repo_id == self.repo]
            revisions = [each.commit_hash for one in found for each in one.revisions]
            if revisions:  # huggingface_hub keeps blobs that models share
                scan_cache_dir(self.cache).delete_revisions(*revisions).execute()
            shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.cache / ".locks" / self.home.name, ignore_errors=True)
        if self.home.exists():
            raise ModelError(f"Cannot delete {self.home}", "check its permissions")
        return before - _used(self.cache)


class _Counted:
    """A file that counts the bytes written and truncated."""

    def __init__(self, stream: IO[bytes], advance: Callable[[int], None]) -> None:
        self._stream = stream
        self._advance = advance

    def write(self, data: bytes) -> int:
        """Write and count."""
        self._stream.write(data)
        self._advance(len(data))
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        """Truncate, as when the server starts from the beginning, and discount the bytes."""
        size = self.tell() if size is None else size
        self._advance(size - self._stream.seek(0, os.SEEK_END))
        self._stream.seek(size)
        return self._stream.truncate(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Seek in the stream."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """The position in the stream."""
        return self._stream.tell()


def digest(stream: IO[bytes], file: RemoteFile) -> str:
    """The digest of a stream, of the kind that the file has."""
    if len(file.digest) == 40:
        found = hashlib.sha1(usedforsecurity=False)
        found.update(b"blob %d\0" % file.size)
    else:
        found = hashlib.sha256()
    stream.seek(0)
    while piece := stream.read(_PIECE):
        found.update(piece)
    return found.hexdigest()


def explain(error: Exception, repo: str, host: str) -> Failure:
    """The failure for an error of huggingface_hub or of the network."""
    if isinstance(error, DiskFullError):
        kind = FailureKind.DISK_FULL
        return Failure(kind, error.title, error.hint, place=error.place, needed=error.needed)
    if isinstance(error, FwtuiError):
        return Failure(FailureKind.MODEL_MISSING, error.title, error.hint)
    title, hint = _title_and_hint(error, repo, host)
    return Failure(FailureKind.MODEL_MISSING, title, hint, f"{type(error).__name__}: {error}")


def _title_and_hint(error: Exception, repo: str, host: str) -> tuple[str, str]:
    # By name: modules and base classes differ between versions of huggingface_hub.
    kinds = {kind.__name__ for one in _chain(error) for kind in type(one).__mro__}
    status = next((s for one in _chain(error) if (s := _status(one))), 0)
    resume = "the partial download is kept; run the same command to continue"
    if "GatedRepoError" in kinds:
        return (
            f"{repo} is available only after accepting its terms",
            f"accept them at https://{host}/{repo}, then set HF_TOKEN to your token",
        )
    if "RepositoryNotFoundError" in kinds or status in {401, 403, 404}:
        return (
            f"{host} has no model {repo}, or it is private",
            "check the name; for a private model set HF_TOKEN",
        )
    if "OfflineModeIsEnabled" in kinds:
        return (
            f"HF_HUB_OFFLINE forbids downloading {repo}",
            "unset HF_HUB_OFFLINE for this command",
        )
    if "HFValidationError" in kinds:
        return f"{printable(repo)} is not a Hugging Face ID", "an ID has the form owner/name"
    if _is_lock(error):
        return f"Another program is downloading {repo}", "wait until it has finished"
    if isinstance(error, OSError) and error.errno == 28:
        return f"Disk full while downloading {repo}", f"free up space; {resume}"
    if isinstance(error, PermissionError):
        return f"Cannot write to the cache: {error.filename}", "check its permissions"
    if status:
        return f"{host} returned error {status} for {repo}", f"try again later; {resume}"
    return f"Cannot reach {host} to download {repo}", f"check network and proxy; {resume}"


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _status(error: BaseException) -> int:
    return int(getattr(getattr(error, "response", None), "status_code", 0) or 0)


def _is_lock(error: Exception) -> bool:
    return type(error).__module__.startswith("filelock")


def _remote(sibling: Any) -> RemoteFile:
    lfs = sibling.lfs
    value = (lfs.get("sha256") if isinstance(lfs, dict) else lfs.sha256) if lfs else None
    return RemoteFile(sibling.rfilename, int(sibling.size or 0), value or sibling.blob_id or "")


def _partial(blob: Path) -> Path:
    return blob.with_name(blob.name + PARTIAL)


def _amount(count: int) -> str:
    return megabytes(count / 2**20)


def _used(cache: Path) -> int:
    """Bytes of all files below a folder, each counted once."""
    sizes = {}
    for folder, _, names in os.walk(cache):
        for name in names:
            found = Path(folder, name).lstat()
            sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Serve the request on stdin; never raises."""
    constants.DOWNLOAD_CHUNK_SIZE = _PIECE
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # libraries may print to stdout
    encoder = msgspec.json.Encoder()
    request: AnyRequest = msgspec.json.decode(sys.stdin.buffer.readline(), type=AnyRequest)
    threading.Thread(target=_end_with_stdin, name="stdin", daemon=True).start()

    def report(reply: AnyReply) -> None:
        answers.write(encoder.encode(reply) + b"\n")

    hub = Hub(request, report)
    try:
        match request:
            case Download():
                report(Done(folder=str(hub.download())))
            case PlanDownload():
                hub.plan()
                report(Done())
            case Remove():
                report(Done(freed=hub.remove()))
    except BrokenPipeError:
        pass
    except Exception as error:  # noqa: BLE001  the outermost frame of the process
        traceback.print_exc()
        report(RequestFailed(explain(error, hub.repo, hub.host)))
    answers.close()
    os._exit(0)


if __name__ == "__main__":
    main()
