"""The child that talks to Hugging Face's hub: `python -m fwtui.models.hub`.

One request on stdin, replies on stdout. It ends when its stdin does: that is how a download is
paused. The hub's library finds out by the environment which hub it is (HF_ENDPOINT), with which
token, and whether it may be asked at all; it lists the files, follows redirects and transfers. Its
own downloads begin anew after an interruption and are not checked, so the files are brought to the
place of the cache where it looks for them, and it does the rest: links, references, locks.
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
    DownloadProgress,
    PlanDownload,
    Planned,
    Remove,
    RequestFailed,
)

WANTED = frozenset({*FILES_NEEDED, "preprocessor_config.json", "vocabulary.json", "vocabulary.txt"})
REPORT_SECONDS = 0.1
SPARE = 100 << 20  # bytes that stay free on the disk
LOCK_SECONDS = 0.2
# Bytes that are written and told of at once: with the library's 10 MB a slow line would lose
# minutes at every pause, and the progress would stand still.
_PIECE = 1 << 16

Tell = Callable[[AnyReply], None]


class RemoteFile(msgspec.Struct, frozen=True):
    """A file of a model. `digest` is SHA-256 in hex, or git's SHA-1 of small files."""

    name: str
    size: int
    digest: str


class Hub:
    """One model on the hub and in the cache."""

    def __init__(self, request: AnyRequest, tell: Tell) -> None:
        self.repo = request.repo
        self.cache = Path(request.cache)
        self.home = repo_folder(request.repo, self.cache)
        self.tell = tell
        self.host = urlsplit(constants.ENDPOINT).netloc
        self.total = self.done = 0

    def plan(self) -> tuple[str, Sequence[RemoteFile]]:
        """The revision and its files, those that are not here last; tells `Planned`."""
        info = HfApi().model_info(self.repo, files_metadata=True)
        files = [_remote(one) for one in info.siblings or () if one.rfilename in WANTED]
        names = {file.name for file in files}
        if "model.bin" not in names:
            raise ModelError(
                f"{self.repo} is not a CTranslate2 model: it has no model.bin",
                f"convert it and give the folder: {CONVERTER.format(model=self.repo)}",
            )
        if lacks := [name for name in FILES_NEEDED if name not in names]:
            raise ModelError(
                f"{self.repo} lacks {', '.join(lacks)}",
                "choose another model, or put the file into a copy of its folder",
            )
        self.total = sum(file.size for file in files)
        here = sum(min(file.size, self._here(file)) for file in files)
        self.tell(Planned(self.repo, info.sha or "", self.host, self.total, here))
        return info.sha or "main", files

    def _here(self, file: RemoteFile) -> int:
        """Bytes of a file that are in the cache."""
        blob = self.home / "blobs" / file.digest
        for path in (blob, _partial(blob)):
            if path.exists():
                return path.stat().st_size
        return 0

    def download(self) -> Path:
        """Bring all files, check them, and have them put into their places."""
        revision, files = self.plan()
        missing = self.total - sum(min(file.size, self._here(file)) for file in files)
        self._check_room(missing)
        with self._reporting():
            for file in sorted(files, key=lambda file: file.size):
                self._bring(file, revision)
        folder = snapshot_download(
            self.repo, cache_dir=self.cache, allow_patterns=[file.name for file in files]
        )
        return Path(folder)

    def _check_room(self, needed: int) -> None:
        self.cache.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.cache).free
        if needed and free < needed + SPARE:
            raise DiskFullError(
                f"{self.repo} needs {_amount(needed)} more, and {self.cache} has "
                f"{_amount(free)} free",
                "make room, or choose another folder with --model_dir or HF_HOME",
                place=str(self.cache),
                needed=needed + SPARE,
            )

    def _bring(self, file: RemoteFile, revision: str) -> None:
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
                headers["Accept-Encoding"] = "identity"  # ranges are of the file's own bytes
                if urlsplit(location).netloc != urlsplit(url).netloc:
                    headers.pop("authorization", None)  # the token is the hub's alone
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
            self.tell(Checking(file.name))
            if digest(stream, file) != file.digest:
                partial.unlink()
                raise ModelError(
                    f"{file.name} of {self.repo} arrived damaged: its checksum is wrong",
                    "it was thrown away: download again; if that does not help, "
                    f"something between here and {self.host} changes files",
                )

    def _advance(self, count: int) -> None:
        self.done += count

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        """Tell of the progress now and then, and of all of it at the end."""
        over = threading.Event()

        def report() -> None:
            told = -1
            while told != self.done or not over.is_set():
                if told != self.done:
                    told = self.done
                    self.tell(DownloadProgress(told, self.total))
                over.wait(REPORT_SECONDS)

        thread = threading.Thread(target=report, name="progress", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def remove(self) -> int:
        """Delete all of it; the bytes that became free."""
        before = _used(self.cache)
        if self.home.is_dir():
            found = [one for one in scan_cache_dir(self.cache).repos if one.repo_id == self.repo]
            revisions = [each.commit_hash for one in found for each in one.revisions]
            if revisions:  # the hub's own way knows of blobs that models share
                scan_cache_dir(self.cache).delete_revisions(*revisions).execute()
            shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.cache / ".locks" / self.home.name, ignore_errors=True)
        if self.home.exists():
            raise ModelError(f"{self.home} cannot be deleted", "check its permissions")
        return before - _used(self.cache)


class _Counted:
    """A file that tells how many bytes are written, and taken back."""

    def __init__(self, stream: IO[bytes], advance: Callable[[int], None]) -> None:
        self._stream = stream
        self._advance = advance

    def write(self, data: bytes) -> int:
        """Write and tell."""
        self._stream.write(data)
        self._advance(len(data))
        return len(data)

    def truncate(self, size: int | None = None) -> int:
        """The server began from the start: what was there does not count."""
        size = self.tell() if size is None else size
        self._advance(size - self._stream.seek(0, os.SEEK_END))
        self._stream.seek(size)
        return self._stream.truncate(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """The stream's."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """The stream's."""
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
    """What an error of the hub's library or of the network means."""
    if isinstance(error, DiskFullError):
        kind = FailureKind.DISK_FULL
        return Failure(kind, error.title, error.hint, place=error.place, needed=error.needed)
    if isinstance(error, FwtuiError):
        return Failure(FailureKind.MODEL_MISSING, error.title, error.hint)
    title, hint = _told_of(error, repo, host)
    return Failure(FailureKind.MODEL_MISSING, title, hint, f"{type(error).__name__}: {error}")


def _told_of(error: Exception, repo: str, host: str) -> tuple[str, str]:
    # By name: they are elsewhere, and have other parents, in each version of the library.
    kinds = {kind.__name__ for one in _chain(error) for kind in type(one).__mro__}
    status = next((s for one in _chain(error) if (s := _status(one))), 0)
    again = "what has arrived is kept: the same command goes on"
    if "GatedRepoError" in kinds:
        return (
            f"{repo} is given only to those who accepted its terms",
            f"accept them at https://{host}/{repo}, then set HF_TOKEN to a token of yours",
        )
    if "RepositoryNotFoundError" in kinds or status in {401, 403, 404}:
        return (
            f"{host} has no model {repo}, or it is private",
            "check the name; for a private model set HF_TOKEN",
        )
    if "OfflineModeIsEnabled" in kinds:
        return (
            f"{repo} cannot be downloaded: HF_HUB_OFFLINE forbids it",
            "unset HF_HUB_OFFLINE for this command",
        )
    if "HFValidationError" in kinds:
        return f"{printable(repo)} is not a Hugging Face id", "an id is owner/name"
    if _is_lock(error):
        return f"Another program downloads {repo} at this moment", "wait for its end"
    if isinstance(error, OSError) and error.errno == 28:
        return f"The disk is full: {repo} is not all here", f"make room; {again}"
    if isinstance(error, PermissionError):
        return f"The cache cannot be written: {error.filename}", "check its permissions"
    if status:
        return f"{host} answered with error {status} for {repo}", f"try later; {again}"
    return f"{host} cannot be reached for {repo}", f"check network and proxy; {again}"


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
    """Bytes of all files below, each counted once."""
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
    """Do what the request says; never raises."""
    constants.DOWNLOAD_CHUNK_SIZE = _PIECE
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print is no answer
    encoder = msgspec.json.Encoder()
    request: AnyRequest = msgspec.json.decode(sys.stdin.buffer.readline(), type=AnyRequest)
    threading.Thread(target=_end_with_stdin, name="stdin", daemon=True).start()

    def tell(reply: AnyReply) -> None:
        answers.write(encoder.encode(reply) + b"\n")

    hub = Hub(request, tell)
    try:
        match request:
            case Download():
                tell(Done(folder=str(hub.download())))
            case PlanDownload():
                hub.plan()
                tell(Done())
            case Remove():
                tell(Done(freed=hub.remove()))
    except BrokenPipeError:
        pass
    except Exception as error:  # noqa: BLE001  the process's outermost frame
        traceback.print_exc()
        tell(RequestFailed(explain(error, hub.repo, hub.host)))
    answers.close()
    os._exit(0)


if __name__ == "__main__":
    main()
