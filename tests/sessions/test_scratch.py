import os
import stat
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fwtui.config.locations import Locations
from fwtui.core.events import JobsAdded
from fwtui.core.settings import BatchSettings, Settings
from fwtui.sessions.scratch import leftovers_text, new_scratch, sweep, sweep_system_temp
from fwtui.sessions.store import SessionStore
from tests.batch.driver import BatchDriver
from tests.sessions import samples

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
    held.commit(JobsAdded((samples.job(1),)))
    free = SessionStore.create(sessions, Settings(), samples.NOW)
    free.commit(JobsAdded((samples.job(1),)))
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
    assert leftovers_text(swept) == "Removed 3 leftover files (30 bytes)"
    assert all(path.exists() for path in (in_use, young, other))
    later = datetime.now() + timedelta(hours=2)
    assert sweep(scratch, sessions, later).files == (young,)


def test_two_state_folders_share_a_cache(tmp_path: Path) -> None:
    """Each asks the lock of the other's session, wherever that is."""
    scratch, ours, theirs = tmp_path / "scratch", tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    held = SessionStore.create(theirs, Settings(), samples.NOW)
    running = new_scratch(scratch, held.session_id, 1, sessions=theirs)
    dead = new_scratch(scratch, "20200101_000000", 1, sessions=theirs)
    unknown = new_scratch(scratch, "20200101_000000", 1, sessions=tmp_path / "unmounted")
    for path in (running, dead, unknown):
        path.write_bytes(bytes(10))
        os.utime(path, (1.7e9, 1.7e9))
    now = datetime.fromtimestamp(1.7e9) + timedelta(days=2)
    assert sweep(scratch, ours, now).files == (dead,)
    assert sweep(scratch, ours, now + timedelta(days=9)).files == (unknown,)
    assert running.exists()
    held.close()
    assert sweep(scratch, ours, now).files == (running,)


def test_a_state_folder_that_is_named_wrongly_is_not_asked(tmp_path: Path) -> None:
    """Its name is a digest of its path: what is written there cannot lead anywhere else."""
    scratch, ours = tmp_path / "scratch", tmp_path / "ours"
    ours.mkdir()
    path = new_scratch(scratch, "20200101_000000", 1, sessions=tmp_path / "theirs")
    path.write_bytes(bytes(10))
    (owner,) = (tmp_path / "owners").iterdir()
    owner.write_text(str(ours))
    assert sweep(scratch, ours, datetime.now()).files == ()


def test_sweep_takes_the_leftovers_of_crashes(tmp_path: Path) -> None:
    sessions = tmp_path / "sessions"
    store = SessionStore.create(sessions, Settings(), samples.NOW)
    store.commit(JobsAdded((samples.job(1),)))
    expected = {path.name for path in sessions.iterdir()}
    (sessions / ".fwtui-1.tmp").write_bytes(b"old")
    os.utime(sessions / ".fwtui-1.tmp", OLD)
    (sessions / ".fwtui-2.tmp").write_bytes(b"new")
    (sessions / "20200101_000000.journal").write_bytes(b"x")
    deleting = b'{"host":"here","pid":1,"deleting":true}'
    (sessions / "20200101_000000.lock").write_bytes(deleting)
    (sessions / "20200101_000001.lock").write_bytes(b"x")
    lone = sessions / "20200101_000002.journal"  # its session file may come back
    lone.write_bytes(b"x")
    swept = sweep(tmp_path / "none", sessions, datetime.now())
    assert {path.name for path in swept.files} == {".fwtui-1.tmp", "20200101_000000.journal"}
    left = {path.name for path in sessions.iterdir()}
    assert left == expected | {".fwtui-2.tmp", lone.name}
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="owners and open files of POSIX")
def test_the_systems_temporary_folder_is_swept_with_care(tmp_path: Path) -> None:
    old, young, busy, link, below, other = (
        tmp_path / name
        for name in ("tmpa.wav", "tmpb.wav", "tmpc.wav", "tmpd.wav", "below/tmpe.wav", "tmpf.mp3")
    )
    below.parent.mkdir()
    for path in (old, young, busy, below, other):
        path.write_bytes(bytes(10))
    for path in (old, busy, below, other):
        os.utime(path, OLD)
    link.symlink_to(other)
    strange = tmp_path / "tmpg.wav"
    if os.geteuid() == 0:  # only root can give a file away
        strange.write_bytes(bytes(10))
        os.utime(strange, OLD)
        os.chown(strange, 65534, 65534)
    script = "import sys; f = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script, busy], stdin=pipe, stdout=pipe) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        swept = sweep_system_temp(tmp_path, datetime.now())
        holder.communicate()
    assert swept.files == (old,)
    assert swept.bytes == 10
    assert all(path.exists() for path in (young, busy, link, below, other))
    assert strange.exists() == (os.geteuid() == 0)


async def test_what_was_swept_is_in_the_log_of_the_next_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    theirs = tmp_path / "tmpa.wav"
    theirs.write_bytes(bytes(1000))
    os.utime(theirs, OLD)
    ours = new_scratch(Locations.default().scratch, "20200101_000000", 1)
    ours.write_bytes(bytes(20))
    for wanted in (False, True):
        settings = Settings(batch=BatchSettings(sweep_system_temp=wanted))
        batch = BatchDriver(settings)
        await batch.workspace.clean_up()
        async with batch:
            pass
        assert theirs.exists() is not wanted
        expected = "1 leftover file (1000 bytes)" if wanted else "leftover file (20 bytes)"
        assert any(expected in line for line in batch.log)
    assert not ours.exists()
