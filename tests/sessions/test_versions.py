"""Files of every version of the format: each is a contract."""

import shutil
from datetime import datetime
from pathlib import Path

from fwtui.core.job import Completed, Failed, Pending
from fwtui.sessions.catalog import list_sessions
from fwtui.sessions.store import SessionStore
from tests.sessions import samples

DATA = Path(__file__).parents[1] / "data" / "sessions"


def test_version_1(tmp_path: Path) -> None:
    folder = tmp_path / "v1"
    shutil.copytree(DATA / "v1", folder)
    (listed,) = list_sessions(folder, temp=tmp_path).sessions
    store = SessionStore.open(folder, "20261123_150000")
    assert store.problems == ()
    session = store.session
    assert session.jobs == listed.session.jobs
    assert session.created_at == datetime(2026, 11, 23, 15)
    assert session.settings.decoding.vad_filter
    done, failed, interrupted = session.jobs
    assert isinstance(done.state, Completed)
    assert done.media == samples.media()
    assert isinstance(failed.state, Failed)
    assert failed.attempts[0].remedy == "smaller batch"
    assert interrupted.state == Pending(60.0)
    assert store.segments(3) == (samples.segment(1), samples.segment(2))
    resume = store.resume_point(3)
    assert resume is not None
    assert resume.plan == samples.plan()
    assert resume.state == samples.window(2).state
