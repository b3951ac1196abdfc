import os
import stat
from datetime import datetime, timedelta
from pathlib import Path

from fwtui.core.settings import Settings
from fwtui.storage.scratch import new_scratch, sweep
from fwtui.storage.store import SessionStore
from tests.storage import samples

OLD = (10**9, 10**9)


def test_names(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "scratch"
    paths = {new_scratch(folder, "20251214_123456", 7) for _ in range(20)}
    assert len(paths) == 20
    for path in paths:
        assert path.match("tmp*.wav")
        assert not path.exists()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_sweep_takes_what_nobody_uses(tmp_path: Path) -> None:
    scratch, sessions = tmp_path / "scratch", tmp_path / "sessions"
    held = SessionStore.create(sessions, Settings(), samples.NOW)
    held.add_jobs([samples.job(1)])
    free = SessionStore.create(sessions, Settings(), samples.NOW)
    free.add_jobs([samples.job(1)])
    free.close()
    in_use = new_scratch(scratch, held.session_id, 1)
    orphan = new_scratch(scratch, free.session_id, 1)
    gone = new_scratch(scratch, "20200101_000000", 1)
    nameless, young = scratch / "tmpabc.wav", scratch / "tmpdef.wav"
    other = scratch / "song.wav"
    for path in (in_use, orphan, gone, nameless, young, other):
        path.write_bytes(bytes(10))
    for path in (in_use, nameless, other):
        os.utime(path, OLD)
    swept = sweep(scratch, sessions, datetime.now())
    assert set(swept.files) == {orphan, gone, nameless}
    assert swept.bytes == 30
    assert all(path.exists() for path in (in_use, young, other))
    later = datetime.now() + timedelta(hours=2)
    assert sweep(scratch, sessions, later).files == (young,)


def test_sweep_takes_the_leftovers_of_crashes(tmp_path: Path) -> None:
    sessions = tmp_path / "sessions"
    store = SessionStore.create(sessions, Settings(), samples.NOW)
    store.add_jobs([samples.job(1)])
    expected = {path.name for path in sessions.iterdir()}
    (sessions / ".fwtui-1.tmp").write_bytes(b"old")
    os.utime(sessions / ".fwtui-1.tmp", OLD)
    (sessions / ".fwtui-2.tmp").write_bytes(b"new")
    (sessions / "20200101_000000.journal").write_bytes(b"x")
    (sessions / "20200101_000001.lock").write_bytes(b"x")
    swept = sweep(tmp_path / "none", sessions, datetime.now())
    assert {path.name for path in swept.files} == {".fwtui-1.tmp", "20200101_000000.journal"}
    assert {path.name for path in sessions.iterdir()} == expected | {".fwtui-2.tmp"}
    store.close()
