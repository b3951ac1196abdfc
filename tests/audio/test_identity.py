"""Files that change before, while and after they are read are recognised, and said how."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from fwtui import demo
from fwtui.audio.decode import Decoded, decode_to_wav
from fwtui.audio.identity import Identity, change_since, difference, identify
from fwtui.audio.media import access_error, raise_read_error
from fwtui.engine.classify import classify_exception
from fwtui.engine.prepare import read_unchanged
from fwtui.errors import InputChangedError, MediaAccessError, MediaLostError

CLIP = demo.clips()[0]


def grown(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[::-1])
    other.replace(path)


def patched(path: Path) -> None:
    """In the middle, where no digest looks: only the clock tells."""
    size = path.stat().st_size
    assert size > 300
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"x")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 2_000_000_000))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (grown, "it grew from"),
        (cut, "it shrank from"),
        (replaced, "it was replaced"),
        (patched, "it was "),
    ],
)
def test_what_became_of_a_file(change: Callable[[Path], None], words: str, tmp_path: Path) -> None:
    path = Path(shutil.copy(CLIP, tmp_path / "a.flac"))
    before = str(identify(path))
    assert change_since(path, before) == ""
    change(path)
    assert change_since(path, before).startswith(words)


def test_a_file_that_was_moved_or_cannot_be_seen_has_not_changed(tmp_path: Path) -> None:
    path = Path(shutil.copy(CLIP, tmp_path / "a.flac"))
    before = str(identify(path))
    moved = path.rename(tmp_path / "b.flac")
    assert change_since(moved, before) == ""
    assert change_since(path, before) == ""


def test_identities_of_earlier_versions_and_nonsense_are_read() -> None:
    assert Identity.parse("abc") == Identity("abc")
    assert Identity.parse("") == Identity("")
    assert Identity.parse("a b c d") == Identity("a")
    new = Identity("abc", 5, 7)
    assert Identity.parse(str(new)) == new
    assert difference(Identity("abc"), new) == ""
    assert difference(Identity("x"), new) == "it was replaced"
    assert difference(new, Identity("abc", 5, 8)).startswith("it was modified at ")


def decoding(path: Path, wav: Path, change: Callable[[Path], None], times: int) -> Decoded:
    """Decode a file that is changed in the middle of that, the first `times` times."""
    rest = times

    def decode() -> Decoded:
        nonlocal rest
        changes = iter([change] if rest > 0 else [])
        rest -= 1

        def cancelled() -> bool:
            if (now := next(changes, None)) is not None:
                now(path)
            return False

        return decode_to_wav(path, wav, lambda _: None, cancelled)

    return read_unchanged(path, decode)[1]


@pytest.mark.parametrize("change", [grown, cut, patched])
def test_a_file_that_changes_all_the_time_is_refused(
    change: Callable[[Path], None], tmp_path: Path
) -> None:
    path = Path(shutil.copy(CLIP, tmp_path / "a.flac"))
    with pytest.raises(
        InputChangedError, match=r"a\.flac changed while it was read: it "
    ) as caught:
        decoding(path, tmp_path / "a.wav", change, 9)
    assert classify_exception(caught.value).kind == "input_changed"


def test_a_file_that_was_replaced_while_it_was_read_is_read_again(tmp_path: Path) -> None:
    """What comes out is one of them, never the beginning of one with the end of another."""
    path = Path(shutil.copy(CLIP, tmp_path / "a.flac"))
    other = demo.clips()[1]

    def replace(path: Path) -> None:
        shutil.copy(other, path)

    found = decoding(path, tmp_path / "a.wav", replace, 1)
    whole = decode_to_wav(other, tmp_path / "b.wav", lambda _: None, lambda: False)
    assert found.digest == whole.digest
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENODEV])
def test_a_share_that_drops_out_is_not_called_damage(number: int, tmp_path: Path) -> None:
    path = tmp_path / "talk.mp3"  # it cannot be read, as on a share that has gone
    error = access_error(path, OSError(number, os.strerror(number)))
    assert isinstance(error, MediaLostError)
    assert "talk.mp3" in error.title
    assert classify_exception(error).kind == "input_lost"
    said = av.error.FFmpegError(number, os.strerror(number))
    with pytest.raises(MediaAccessError):
        raise_read_error(path, said)
    path.write_bytes(b"all there")
    raise_read_error(path, said)  # the file is damaged, and its disk is well
