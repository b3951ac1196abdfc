"""The child process for requests to Hugging Face: `python -m fwtui.models.hub`.

One request on stdin, replies on stdout. It ends when its stdin does, which pauses a download.
huggingface_hub reads the endpoint (HF_ENDPOINT), the token and offline mode from the environment,
makes the connections and reads the errors. Its own downloads start over after an interruption, are
not verified, wait for ever, and take the names of files from the answers; so the rest is done here:
transfers, digests, links, references.

Whatever the hub says is checked before it is used: names are from a list, digests and revisions are
hex, and of a file never more is written than was announced.
"""

import contextlib
import os
import shutil
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import urlsplit

import msgspec
from huggingface_hub import constants, get_session, scan_cache_dir
from huggingface_hub.utils import WeakFileLock, build_hf_headers, hf_raise_for_status

from fwtui.config.locations import Locations
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.text import printable
from fwtui.errors import DiskFullError, FwtuiError, ModelError
from fwtui.models.cache import FILES_NEEDED, PARTIAL, repo_folder
from fwtui.models.capabilities import MOST_TEXT
from fwtui.models.catalogue import CONVERTER, megabytes
from fwtui.models.integrity import DIGEST, VerifiedFiles, digest_of, is_intact
from fwtui.models.patience import Patience, asked_to_wait, peer_of, proxy_for
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
    Waiting,
)

WANTED = frozenset({*FILES_NEEDED, "preprocessor_config.json", "vocabulary.json", "vocabulary.txt"})
REPORT_SECONDS = 0.1
SPARE = 100 << 20  # bytes to leave free on the disk
LOCK_SECONDS = 0.2
MOST_BYTES = 1 << 62  # of a file; free space is checked on its own
MOST_ANSWER = 16 << 20  # bytes of a list of files
MOST_MEMORY = 4 << 30  # bytes of this process: an answer without an end must not fill the machine
BROKEN_LINES = 3  # in a row, without a byte between them
_READ_SECONDS = 10.0
_MOST_DETAIL = 2000  # characters
# Bytes written and reported at once.
_PIECE = 1 << 16

Report = Callable[[AnyReply], None]
T = TypeVar("T")


class RemoteFile(msgspec.Struct, frozen=True):
    """A file of a model. `digest` is SHA-256 in hex, or git's SHA-1 of small files."""

    name: str
    size: int
    digest: str


class _Lfs(msgspec.Struct):
    sha256: str


class _Sibling(msgspec.Struct):
    rfilename: str
    size: int = -1
    blobId: str = ""  # noqa: N815  as the hub spells it
    lfs: _Lfs | None = None


class _Info(msgspec.Struct):
    """What the hub's API says of a model, with `blobs`."""

    sha: str
    siblings: list[_Sibling]


class Hub:
    """One model on Hugging Face and in the cache."""

    def __init__(self, request: AnyRequest, report: Report) -> None:
        self.repo = request.repo
        self.cache = Path(request.cache)
        self.home = repo_folder(request.repo, self.cache)
        self.report = report
        self.host = urlsplit(constants.ENDPOINT).netloc
        self.total = self.done = 0
        self.files = () if isinstance(request, Remove) else request.files
        seconds = None if isinstance(request, Remove) else request.patience
        self.patience = Patience(constants.ENDPOINT, seconds)
        self._reported = -1

    # --- the list of files ----------------------------------------------------------------------

    def plan(self) -> tuple[str, Sequence[RemoteFile]]:
        """The revision and its files; reports `Planned`."""
        info = self._patiently(self._info)
        if not DIGEST.fullmatch(info.sha):
            raise self._unusable(f"the revision {info.sha!a}")
        wanted = self.files or WANTED
        files = [self._remote(one) for one in info.siblings if one.rfilename in wanted]
        names = {file.name for file in files}
        if len(names) < len(files):
            raise self._unusable("a file twice")
        if not self.files and "model.bin" not in names:
            raise ModelError(
                f"{self.repo} is not a CTranslate2 model: it has no model.bin",
                f"convert it and use the folder: {CONVERTER.format(model=self.repo)}",
            )
        if lacks := [name for name in self.files or FILES_NEEDED if name not in names]:
            raise ModelError(
                f"{self.repo} lacks {', '.join(lacks)}",
                "choose another model, or add the file to a copy of its folder",
            )
        self.total = sum(file.size for file in files)
        here = sum(min(file.size, self._here(file)) for file in files)
        self.report(Planned(self.repo, info.sha, self.host, self.total, here))
        return info.sha, files

    def _info(self) -> "_Info":
        """What the hub says of the model. Raises ModelError."""
        url = f"{constants.ENDPOINT}/api/models/{self.repo}"
        data = b""
        with get_session().stream(
            "GET", url, params={"blobs": True}, headers=build_hf_headers(), timeout=_READ_SECONDS
        ) as response:
            hf_raise_for_status(response)
            for piece in response.iter_bytes(_PIECE):
                data += piece
                if len(data) > MOST_ANSWER:
                    raise self._unusable(f"more than {_amount(MOST_ANSWER)} of text")
        try:
            return msgspec.json.decode(data, type=_Info)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._unusable(f"no list of files ({error})") from error

    def _remote(self, sibling: "_Sibling") -> RemoteFile:
        digest = sibling.lfs.sha256 if sibling.lfs is not None else sibling.blobId
        if not DIGEST.fullmatch(digest):
            raise self._unusable(f"the digest {digest!a} for {sibling.rfilename}")
        is_large = sibling.rfilename == "model.bin" or sibling.rfilename in self.files
        most = MOST_BYTES if is_large else MOST_TEXT
        if not 0 <= sibling.size <= most:
            raise self._unusable(f"the size {sibling.size} for {sibling.rfilename}")
        return RemoteFile(sibling.rfilename, sibling.size, digest)

    def _unusable(self, what: str) -> ModelError:
        return ModelError(
            f"{self.host} sends something unusable for {self.repo}: {what[:200]}",
            "try again later; if that does not help, the hub or a proxy before it is broken",
        )

    def _here(self, file: RemoteFile) -> int:
        """Bytes of a file that are already in the cache."""
        blob = self._blob(file)
        for path in (blob, _partial(blob)):
            if path.is_file():
                return path.stat().st_size
        return 0

    def _blob(self, file: RemoteFile) -> Path:
        return self.home / "blobs" / file.digest

    # --- the download ---------------------------------------------------------------------------

    def download(self) -> Path:
        """Download and verify all files, and link them into the snapshot; returns its folder."""
        revision, files = self.plan()
        files = sorted(files, key=lambda file: file.size)
        for file in files:
            self._drop_if_damaged(file)
        self._check_free_space(self.total - sum(min(f.size, self._here(f)) for f in files))
        verified = VerifiedFiles(Locations.default().cache / "verified.json")
        for file in files:
            self._download_file(file, revision)
            verified.add(self._blob(file))
        verified.save()
        folder = self.home / "snapshots" / revision
        for file in files:
            _link(self._blob(file), folder / file.name)
        refs = self.home / "refs"
        refs.mkdir(parents=True, exist_ok=True)
        _replace(refs / "main", lambda path: path.write_text(revision, encoding="ascii"))
        self.report(TransferProgress(self.done, self.total))
        return folder

    def _drop_if_damaged(self, file: RemoteFile) -> None:
        """Delete a downloaded file that is not what the hub announced."""
        blob = self._blob(file)
        if not blob.is_file():
            return
        with self.patience.at_work():
            self.report(Checking(file.name))
            if blob.stat().st_size == file.size and is_intact(blob):
                return
        self.report(Waiting(f"{file.name} is damaged: downloading it again"))
        blob.unlink()

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
        blob = self._blob(file)
        blob.parent.mkdir(parents=True, exist_ok=True)
        lock = self.cache / ".locks" / self.home.name / f"{blob.name}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(lock, timeout=LOCK_SECONDS):
            if blob.is_file():
                self._advance(file.size)
                return
            partial = _partial(blob)
            if partial.is_symlink():  # nothing is written through a link
                partial.unlink()
            url = f"{constants.ENDPOINT}/{self.repo}/resolve/{revision}/{file.name}"
            self._transfer(file, url, partial)
            partial.replace(blob)

    def _transfer(self, file: RemoteFile, url: str, partial: Path) -> None:
        with partial.open("r+b" if partial.exists() else "w+b") as stream:
            begin = stream.seek(0, os.SEEK_END)
            if begin > file.size:
                begin = stream.truncate(stream.seek(0))
            self._advance(begin)
            broken = 0
            while (before := stream.seek(0, os.SEEK_END)) < file.size:
                try:
                    self._patiently(lambda: self._read(file, url, stream))
                except Exception as error:
                    broken = broken + 1 if stream.seek(0, os.SEEK_END) == before else 0
                    if not _is_broken_line(error) or broken >= BROKEN_LINES:
                        raise
            stream.flush()
            os.fsync(stream.fileno())
            with self.patience.at_work():
                self.report(Checking(file.name))
                found = digest_of(stream, file.size, len(file.digest))
        if found != file.digest:
            partial.unlink()
            raise ModelError(
                f"{file.name} of {self.repo} is damaged: its checksum is wrong",
                "it was deleted: download it again; if that does not help, "
                f"something between here and {self.host} modifies files",
            )

    def _read(self, file: RemoteFile, url: str, stream: IO[bytes]) -> None:
        """Read the rest of a file into the stream, and never more than was announced."""
        begin = stream.seek(0, os.SEEK_END)
        headers = build_hf_headers()  # the token is not sent on to another host
        headers["Accept-Encoding"] = "identity"  # ranges refer to the bytes of the file itself
        if begin:
            headers["Range"] = f"bytes={begin}-"
        with get_session().stream("GET", url, headers=headers, timeout=_READ_SECONDS) as response:
            self.patience.peer = peer_of(str(response.url))
            if begin and response.status_code in {200, 416}:  # no ranges here, or not this one
                self._advance(-begin)
                begin = stream.truncate(stream.seek(0))
                if response.status_code == 416:
                    return
            hf_raise_for_status(response)
            for piece in response.iter_bytes(_PIECE):
                if begin + len(piece) > file.size:
                    self._advance(-begin)
                    stream.truncate(stream.seek(0))
                    raise self._unusable(
                        f"more than the {file.size:,} bytes that it announced for {file.name}"
                    )
                stream.write(piece)
                begin += len(piece)
                self._advance(len(piece))
        if begin < file.size:
            raise ConnectionError(f"the line broke after {begin:,} of {file.size:,} bytes")

    # --- waiting and reporting ------------------------------------------------------------------

    def _patiently(self, call: Callable[[], T]) -> T:
        """The result of a request; waits a limited time if the hub asks to. Raises ModelError."""
        while True:
            try:
                with self.patience.waiting():
                    return call()
            except Exception as error:
                seconds = next((s for e in _chain(error) if (s := asked_to_wait(e))), None)
                if seconds is None:
                    raise
                self.patience.wait_as_asked(seconds, self.report)

    def _advance(self, count: int) -> None:
        self.done += count
        self.patience.heard(count)

    def tick(self) -> None:
        """Report progress, or whom it waits for; ends the process when patience is over."""
        if self.total and self.done != self._reported:
            self._reported = self.done
            self.report(TransferProgress(self._reported, self.total))
        waiting = self.patience.check()
        if isinstance(waiting, Waiting):
            self.report(waiting)
        elif waiting is not None:
            self.report(RequestFailed(explain(waiting, self.repo, self.host)))
            os._exit(0)

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


def _link(blob: Path, file: Path) -> None:
    """Make the file of a snapshot a link to its blob, or a copy where there are no links."""
    file.parent.mkdir(parents=True, exist_ok=True)

    def make(path: Path) -> None:
        try:
            path.symlink_to(os.path.relpath(blob, file.parent))
        except OSError:
            shutil.copyfile(blob, path)

    _replace(file, make)


def _replace(file: Path, make: Callable[[Path], object]) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    make(temporary)
    temporary.replace(file)


def explain(error: Exception, repo: str, host: str) -> Failure:
    """The failure for an error of huggingface_hub or of the network."""
    if isinstance(error, DiskFullError):
        kind = FailureKind.DISK_FULL
        return Failure(kind, error.title, error.hint, place=error.place, needed=error.needed)
    if isinstance(error, FwtuiError):
        return Failure(FailureKind.MODEL_MISSING, error.title, error.hint)
    title, hint = _title_and_hint(error, repo, host)
    detail = f"{type(error).__name__}: {error}"[:_MOST_DETAIL]
    return Failure(FailureKind.MODEL_MISSING, title, hint, detail)


def _title_and_hint(error: Exception, repo: str, host: str) -> tuple[str, str]:
    # By name: modules and base classes differ between versions of huggingface_hub.
    kinds = {kind.__name__ for one in _chain(error) for kind in type(one).__mro__}
    status = next((s for one in _chain(error) if (s := _status(one))), 0)
    resume = "the partial download is kept; run the same command to continue"
    proxy = proxy_for(constants.ENDPOINT)
    if "ProxyError" in kinds or status == 407 or (proxy and status and not _is_of_hub(error)):
        return (
            f"The proxy {proxy or 'before ' + host} refuses the connection to {host}",
            f"check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, and its password; {resume}",
        )
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
    if isinstance(error, MemoryError):
        return f"{host} sends far too much for {repo}", "the hub or a proxy before it is broken"
    peer = peer_of(constants.ENDPOINT)
    if "TimeoutException" in kinds and "ConnectTimeout" not in kinds:
        return f"{peer} does not answer", f"check network and proxy, or try again later; {resume}"
    return f"Cannot reach {peer} to download {repo}", f"check network and proxy; {resume}"


def _is_of_hub(error: BaseException) -> bool:
    """Whether an answer has headers that only the hub sends."""
    responses = (getattr(one, "response", None) for one in _chain(error))
    headers = [name.lower() for one in responses if one is not None for name in one.headers]
    return any(name.startswith(("x-error", "x-repo", "x-request-id")) for name in headers)


def _is_broken_line(error: BaseException) -> bool:
    """Whether it may help to ask again. By name: the HTTP library's module differs."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, ConnectionError) or "TransportError" in kinds


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


def _limit_memory() -> None:
    """Limit this process's memory, where the system can."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, hard))


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Serve the request on stdin; never raises."""
    _limit_memory()
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # libraries may print to stdout
    encoder = msgspec.json.Encoder()
    request: AnyRequest = msgspec.json.decode(sys.stdin.buffer.readline(), type=AnyRequest)
    threading.Thread(target=_end_with_stdin, name="stdin", daemon=True).start()

    lock = threading.Lock()

    def report(reply: AnyReply) -> None:
        with lock:
            answers.write(encoder.encode(reply) + b"\n")

    hub = Hub(request, report)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(REPORT_SECONDS):
            hub.tick()

    ticker = threading.Thread(target=watch, name="ticker", daemon=True)
    ticker.start()

    def answer(reply: AnyReply) -> None:
        """The last reply: nothing follows it."""
        over.set()
        ticker.join()
        report(reply)

    try:
        match request:
            case Download():
                answer(Done(folder=str(hub.download())))
            case PlanDownload():
                hub.plan()
                answer(Done())
            case Remove():
                answer(Done(freed=hub.remove()))
    except BrokenPipeError:
        pass
    except Exception as error:  # noqa: BLE001  the outermost frame of the process
        traceback.print_exc()
        answer(RequestFailed(explain(error, hub.repo, hub.host)))
    answers.close()
    os._exit(0)


if __name__ == "__main__":
    main()
