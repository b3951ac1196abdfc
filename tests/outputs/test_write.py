"""Transcripts on a real disk."""

import os
import re
from pathlib import Path

import pytest

from fwtui.core.settings import OutputSettings
from fwtui.errors import StorageError
from fwtui.outputs.formats.registry import formats, output_paths, render, write_transcript
from tests.outputs.cases import CASES
from tests.tools import unprivileged


def test_all_formats_are_written_beside_each_other(tmp_path: Path) -> None:
    stem = tmp_path / "new" / "folder" / "talk.part.1"
    paths = write_transcript(CASES["words"], stem, OutputSettings())
    assert [path.name for path in paths] == [
        f"talk.part.1.{name}" for name in formats(OutputSettings())
    ]
    assert paths == output_paths(stem, OutputSettings())
    assert set(stem.parent.iterdir()) == set(paths)
    for name, path in zip(formats(OutputSettings()), paths, strict=True):
        assert path.read_bytes() == b"".join(render(CASES["words"], name, OutputSettings()))


def test_one_format(tmp_path: Path) -> None:
    paths = write_transcript(CASES["simple"], tmp_path / "a", OutputSettings(output_format="srt"))
    assert paths == (tmp_path / "a.srt",)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.srt"]


def test_an_earlier_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old and longer than the new one" * 9)
    write_transcript(CASES["simple"], tmp_path / "a", OutputSettings(output_format="txt"))
    assert (tmp_path / "a.txt").read_text() == "Hello there.\nHow are you?\n"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"):
        write_transcript(CASES["simple"], tmp_path / "file" / "a", OutputSettings())


def test_a_target_in_the_way_leaves_no_rest(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(StorageError, match=r"a\.txt"):
        write_transcript(CASES["simple"], tmp_path / "a", OutputSettings(output_format="txt"))
    assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with unprivileged(), pytest.raises(StorageError, match=re.escape(str(tmp_path))) as caught:
        write_transcript(CASES["simple"], tmp_path / "a", OutputSettings(output_format="txt"))
    assert caught.value.hint
