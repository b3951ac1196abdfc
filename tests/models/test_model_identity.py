import os
import shutil
from pathlib import Path

import pytest

from fwtui import demo
from fwtui.audio.identity import Identity
from fwtui.core.session import FilePlan, ResumePoint
from fwtui.engine.prepare import usable_resume
from fwtui.models.model_identity import model_identity


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(demo.model_dir(), tmp_path / "model"))


def test_another_model_in_the_same_folder_is_another_one(folder: Path) -> None:
    """Every file that decides the text, changed, exchanged, or gone; and the weights touched."""
    known = {model_identity(folder)}
    assert model_identity(folder) in known
    for path in sorted(folder.iterdir()):
        before, times = path.read_bytes(), path.stat().st_mtime_ns
        if path.name == "model.bin":
            path.write_bytes(before + b"x")
            os.utime(path, ns=(times, times))
            known.add(model_identity(folder))
            path.write_bytes(before)
            os.utime(path, ns=(times + 1, times + 1))
            known.add(model_identity(folder))
        else:
            path.write_bytes(before.replace(b'"', b"'", 2) + b" ")
            os.utime(path, ns=(times, times))
            changed = model_identity(folder)
            path.unlink()
            known |= {changed, model_identity(folder)}
        path.write_bytes(before)
        os.utime(path, ns=(times, times))
        assert model_identity(folder) in known
    assert len(known) >= 5


def test_what_lies_beside_the_model_does_not_matter(folder: Path) -> None:
    known = model_identity(folder)
    (folder / "README.md").write_text("a model")
    assert model_identity(folder) == known


@pytest.mark.parametrize(
    ("then", "now", "is_used"),
    [("a", "a", True), ("a", "b", False), ("", "b", True), ("a", "", True)],
)
def test_a_file_resumes_only_with_the_same_model(then: str, now: str, is_used: bool) -> None:
    """Plans of earlier versions do not say with which."""
    plan = FilePlan("digest 1 2", "hash", 16_000, 1.0, "en", sound="sound", model=then)
    resume, reason = usable_resume(
        ResumePoint(plan), Identity("digest", 1, 2), "sound", "hash", now
    )
    assert (resume is not None) == is_used
    assert reason == ("" if is_used else "the model in its folder is another one")
