import os
import stat
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from pathlib import Path

import msgspec
import pytest

from fwtui.core.events import (
    JobChanged,
    JobsAdded,
    JobsRemoved,
    JobsReordered,
    SegmentsReset,
    SettingsChanged,
)
from fwtui.core.job import Attempt, Job, Pending
from fwtui.core.session import ResumePoint
from fwtui.core.settings import DecodingSettings, Settings
from fwtui.errors import SessionInUseError, StorageError
from fwtui.sessions.store import SessionStore
from tests.sessions import samples

replace = msgspec.structs.replace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "sessions"


def create(folder: Path) -> SessionStore:
    return SessionStore.create(folder, Settings(), samples.NOW)


def reopened(store: SessionStore) -> SessionStore:
    store.close()
    return SessionStore.open(store.directory, store.session_id)


def test_a_new_session_is_there(folder: Path) -> None:
    store = create(folder)
    assert store.session_id == "20251214_123456"
    assert store.created_at == samples.NOW
    assert store.session.jobs == ()
    names = {p.name: stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()}
    assert names == dict.fromkeys(
        [f"{store.session_id}.{x}" for x in ("json", "journal", "lock")], 0o600
    )
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    store.close()
    assert list(folder.iterdir()) == []


def test_ids_get_a_suffix(folder: Path) -> None:
    stores = [create(folder) for _ in range(3)]
    assert [s.session_id[15:] for s in stores] == ["", "_2", "_3"]


def test_an_aware_time_becomes_local(folder: Path) -> None:
    store = SessionStore.create(folder, Settings(), samples.NOW.astimezone(UTC))
    assert store.created_at == samples.NOW


def test_all_of_it_survives_reopening(folder: Path) -> None:
    store = create(folder)
    settings = Settings(decoding=DecodingSettings(beam_size=2, language="de"))
    store.commit(JobsAdded(tuple([samples.job(n) for n in range(1, 7)])))
    store.commit(SettingsChanged(settings))
    attempt = Attempt(samples.NOW, samples.failed().failure, 3.0, "smaller")
    full = replace(
        samples.job(2), state=samples.completed(), media=samples.media(), attempts=(attempt,)
    )
    store.commit(JobChanged(full))
    store.commit(JobChanged(replace(samples.job(3), state=samples.failed())))
    store.commit(JobChanged(replace(samples.job(4), state=samples.running())))
    store.begin_file(4, samples.plan())
    store.add_window(4, samples.window(1))
    store.add_window(4, samples.window(2, segments=3))
    store.commit(JobsRemoved((5, 99)))
    store.commit(JobsReordered((6, 4)))
    store = reopened(store)
    session = store.session
    assert [job.id for job in session.jobs] == [6, 4, 1, 2, 3]
    assert session.settings == settings
    assert store.view.jobs[2] == full
    assert store.view.jobs[3].state == samples.failed()
    assert store.view.jobs[4].state == Pending(60.0)
    resume = ResumePoint(samples.plan(), samples.window(2).state, 60.0)
    assert store.resume_point(4) == resume
    assert session.resumable == {4: resume}
    expected = samples.window(1).segments + samples.window(2, segments=3).segments
    assert store.segments(4) == expected
    assert store.language(4) == "en"
    assert store.language(2) == "en"
    assert store.language(1) is None
    assert reopened(store).session == session


def test_progress_begins_again_and_is_forgotten(folder: Path) -> None:
    store = create(folder)
    store.commit(JobsAdded((samples.job(1),)))
    store.begin_file(1, samples.plan("a"))
    store.add_window(1, samples.window(1))
    store.begin_file(1, samples.plan("b"))
    assert store.resume_point(1) == ResumePoint(samples.plan("b"))
    assert store.segments(1) == ()
    store.add_window(1, samples.window(1))
    store.commit(SegmentsReset(1))
    assert store.resume_point(1) is None
    assert store.segments(1) == ()
    with pytest.raises(StorageError, match="not begun"):
        store.add_window(1, samples.window(2))
    assert reopened(store).view.jobs[1].state == Pending(0.0)


def test_segments_of_completed_files_last_until_compaction(folder: Path) -> None:
    store = create(folder)
    store.commit(JobsAdded((samples.job(1), samples.job(2))))
    for number in (1, 2):
        store.begin_file(number, samples.plan())
        store.add_window(number, samples.window(1))
    store.commit(JobChanged(replace(samples.job(1), state=samples.completed())))
    assert store.segments(1)
    store.compact()
    assert store.segments(1) == ()
    assert store.segments(2) == samples.window(1).segments
    store.add_window(2, samples.window(2))
    assert len(reopened(store).segments(2)) == 2


def test_removed_ids_can_be_used_again(folder: Path) -> None:
    store = create(folder)
    store.commit(JobsAdded((samples.job(1), samples.job(2))))
    store.begin_file(2, samples.plan())
    store.add_window(2, samples.window(1))
    store.commit(JobsRemoved((2,)))
    store.commit(JobsAdded((samples.job(2, "other"),)))
    assert store.resume_point(2) is None
    store = reopened(store)
    assert store.resume_point(2) is None
    assert store.view.jobs[2].state == Pending(0.0)


def test_wrong_ids_are_refused_and_change_nothing(folder: Path) -> None:
    store = create(folder)
    store.commit(JobsAdded((samples.job(1),)))
    for jobs in ([samples.job(1)], [samples.job(2), samples.job(2)]):
        with pytest.raises(StorageError):
            store.commit(JobsAdded(tuple(jobs)))
    with pytest.raises(StorageError):
        store.commit(JobChanged(samples.job(7)))
    with pytest.raises(StorageError):
        store.begin_file(7, samples.plan())
    assert store.session.jobs == (samples.job(1),)


def test_scratch_files_are_removed_at_open_and_delete(folder: Path, tmp_path: Path) -> None:
    store = create(folder)
    store.commit(JobsAdded((samples.job(1),)))
    left, dropped, precious = (tmp_path / n for n in ("tmp1.wav", "tmp2.wav", "precious.wav"))
    for path in (left, dropped, precious):
        store.add_temp(path)
        path.write_bytes(b"x")
    store.drop_temp(dropped)
    assert store.session.temp_files == (str(left), str(precious))
    store = reopened(store)
    assert not left.exists()
    assert dropped.exists()
    assert precious.exists()
    assert store.session.temp_files == ()
    store.add_temp(left)
    left.write_bytes(b"xyz")
    removed = store.delete()
    assert left in removed.files
    assert removed.bytes > 3
    assert list(folder.iterdir()) == []
    assert len(store.session.jobs) == 1
    with pytest.raises(StorageError, match="closed"):
        store.commit(JobsAdded((samples.job(2),)))


def test_names_and_numbers_that_json_cannot_hold(folder: Path) -> None:
    store = create(folder)
    bad = os.fsdecode(b"caf\xe9")
    store.commit(
        JobsAdded((replace(samples.job(1), media=replace(samples.media(), duration=float("nan"))),))
    )
    store.commit(
        JobChanged(replace(store.view.jobs[1], state=samples.failed(f"Cannot open {bad}")))
    )
    store.begin_file(1, replace(samples.plan(), loudest=float("-inf")))
    odd = replace(samples.segment(1, bad), avg_logprob=float("nan"), compression_ratio=float("inf"))
    store.add_window(1, replace(samples.window(1), segments=(odd,)))
    store.add_window(1, samples.window(2))
    store = reopened(store)
    assert len(store.segments(1)) == 2
    assert store.segments(1)[0].text == "caf\\udce9"
    assert store.segments(1)[0].avg_logprob == 0.0
    assert store.problems == ()
    point = store.resume_point(1)
    assert point is not None
    assert point.plan.loudest < -1e300


def test_unknown_keys_are_kept(folder: Path) -> None:
    store = create(folder)
    store.commit(JobsAdded((samples.job(1), samples.job(2))))
    store.close()
    path = folder / f"{store.session_id}.json"
    SessionStore.open(folder, store.session_id).close()
    document = msgspec.json.decode(path.read_bytes())
    document["colour"] = {"deep": [1, None]}
    document["files"][1]["remark"] = "mine"
    document["settings"]["decoding"]["future"] = 7
    document["settings"]["cloud"] = {"a": 1}
    path.write_bytes(msgspec.json.encode(document))
    store = SessionStore.open(folder, store.session_id)
    assert store.session.extra == {"colour": {"deep": [1, None]}}
    store.commit(SettingsChanged(Settings(decoding=DecodingSettings(beam_size=1))))
    store.commit(JobChanged(replace(samples.job(2), state=samples.failed())))
    reopened(store).close()
    again = msgspec.json.decode(path.read_bytes())
    assert again["colour"] == {"deep": [1, None]}
    assert again["files"][1]["remark"] == "mine"
    assert again["settings"]["decoding"]["future"] == 7
    assert again["settings"]["cloud"] == {"a": 1}
    assert again["beam_size"] == 1


def test_the_file_has_the_reference_documents_keys(folder: Path) -> None:
    store = create(folder)
    store.commit(
        JobsAdded(
            (
                replace(samples.job(1), state=samples.completed()),
                replace(samples.job(2), state=samples.failed()),
            )
        )
    )
    store.compact()
    document = msgspec.json.decode((folder / f"{store.session_id}.json").read_bytes())
    assert list(document)[:12] == [
        "session_id", "created_at", "model_path", "output_dir", "beam_size", "vad_filter",
        "language", "initial_prompt", "task", "patience", "add_timestamps", "add_report",
    ]  # fmt: skip
    assert document["created_at"] == "2025-12-14T12:34:56"
    first, second = (dict(list(f.items())[:6]) for f in document["files"])
    assert first == {
        "path": "/audio/1.mp3", "status": "completed", "error": None, "output_path": "/out/a.txt",
        "started_at": "2025-12-14T12:34:56", "completed_at": "2025-12-14T12:40:01",
    }  # fmt: skip
    assert second["status"] == "failed"
    assert second["error"] == "Out of memory"


def test_in_use(folder: Path) -> None:
    store = create(folder)
    store.commit(JobsAdded((samples.job(1),)))
    with pytest.raises(SessionInUseError, match=rf"process {os.getpid()}\) since 20"):
        SessionStore.open(folder, store.session_id)
    store.close()
    store.close()
    SessionStore.open(folder, store.session_id)


@pytest.mark.parametrize("session_id", ["20000101_000000", "../x", "", ".hidden"])
def test_no_such_session(folder: Path, session_id: str) -> None:
    with pytest.raises(StorageError):
        SessionStore.open(folder, session_id)


def test_hundred_thousand_jobs(folder: Path) -> None:
    store = create(folder)
    jobs = [samples.job(n) for n in range(100_000)]
    start = time.process_time()
    store.commit(JobsAdded(tuple(jobs)))
    added = time.process_time() - start
    start = time.process_time()
    for number in range(50):
        store.commit(JobChanged(replace(jobs[number], state=samples.running())))
    changed = time.process_time() - start
    start = time.process_time()
    store = reopened(store)
    opened = time.process_time() - start
    assert len(store.session.jobs) == 100_000
    assert added < 2
    assert changed < 0.2
    assert opened < 10
    print(added, changed, opened)


def test_memory_does_not_grow_with_the_transcript(folder: Path) -> None:
    store = create(folder)
    store.commit(JobsAdded((samples.job(1),)))
    store.begin_file(1, samples.plan())
    store.add_window(1, samples.window(1, segments=50))
    tracemalloc.start()
    for number in range(2, 102):
        store.add_window(1, samples.window(number, segments=50))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(store.segments(1)) == 101 * 50
    assert grown < 20_000


def test_many_threads(folder: Path) -> None:
    store = create(folder)
    store.commit(JobsAdded(tuple([samples.job(n) for n in range(4)])))

    def work(number: int) -> None:
        store.begin_file(number, samples.plan(str(number)))
        for count in range(1, 16):
            store.add_window(number, samples.window(count))
            assert len(store.segments(number)) == count
            if count % 5 == 0:
                store.compact()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    store = reopened(store)
    for number in range(4):
        assert [segment.id for segment in store.segments(number)] == list(range(1, 16))


def test_every_field_of_a_job_is_in_the_session_file(folder: Path) -> None:
    """Those that are added later, too: each with another value than its default."""
    job = replace(
        samples.job(1),
        media=samples.media(),
        settings={"model.model": "tiny"},
        root="/audio",
        kept_formats=("txt",),
        source="https://example.org/a",
        last_failure=samples.failed().failure,
    )
    texts_and_numbers = {
        field.name: field.default + type(field.default)("2")
        for field in msgspec.structs.fields(Job)
        if type(field.default) in {str, int} and getattr(job, field.name) == field.default
    }
    job = replace(job, **texts_and_numbers)
    store = create(folder)
    store.commit(JobsAdded((job,)))
    store.close()
    (folder / f"{store.session_id}.journal").unlink()
    store = SessionStore.open(folder, store.session_id)
    assert store.view.jobs[1] == job
    store.close()
