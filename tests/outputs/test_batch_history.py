"""The history of batches: what is written, found, marked and cleared; several fwtuis; old files."""

import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from msgspec.structs import replace

from fwtui.core.job import Job, MediaInfo
from fwtui.core.paths import path_to_text
from fwtui.core.settings import DecodingSettings, OutputSettings
from fwtui.errors import StorageError
from fwtui.outputs import batch_history, history_file
from fwtui.outputs.batch_history import BatchEntry, FileEntry, HistoryQuery, HistoryStore
from fwtui.outputs.history import TranscriptionHistory
from fwtui.outputs.history_file import EARLIER, NAME, DamagedHistoryError
from tests.outputs.history_samples import AT, FINDING, SETTINGS, cancelled, done, failed, update

OLD = Path(__file__).parents[1] / "data" / "history-0.1" / NAME
EVERYTHING = HistoryQuery()


def batches(history: HistoryStore, query: HistoryQuery = EVERYTHING) -> list[BatchEntry]:
    return history.batches(history.batch_numbers(query))


def files(history: HistoryStore, **query: object) -> list[FileEntry]:
    return history.files(history.file_numbers(replace(EVERYTHING, **query)))


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(statement).fetchall()


def check_counts(path: Path) -> None:
    """The database is sound, and the counts of each batch are those of its files."""
    assert rows(path, "pragma integrity_check") == [("ok",)]
    wrong = """select id from batches b where
      done != (select count(*) from files where batch = b.number and state = 'done') or
      failed != (select count(*) from files where batch = b.number and state = 'failed')"""
    assert rows(path, wrong) == []


# --- what is written -----------------------------------------------------------------------------


def test_looking_makes_no_file(tmp_path: Path) -> None:
    history = HistoryStore(tmp_path)
    assert (batches(history), files(history), history.ids()) == ([], [], [])
    assert history.find("x") is None
    assert history.known_files() == 0
    assert history.clear() == batch_history.Cleared(0, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_batch_and_its_files(tmp_path: Path) -> None:
    history = HistoryStore(tmp_path)
    marked = done(2, findings=(FINDING,), warnings=("w",), used={"decoding.beam_size": 1})
    history.write(update(done(1), marked, failed(3), cancelled(4), skipped=7, waiting=1))
    (batch,) = batches(history)
    assert (batch.id, batch.started, batch.ended) == (
        "20260314_150926",
        AT,
        AT + timedelta(minutes=10),
    )
    assert (batch.done, batch.to_check, batch.failed, batch.cancelled) == (2, 1, 1, 1)
    assert (batch.total, batch.skipped, batch.waiting) == (4, 7, 1)
    assert (batch.audio, batch.seconds, batch.end_text) == (120.0, 600.0, "finished")
    assert batch.settings == {"model.model": "medium", "output.output_dir": "/data/out"}
    assert (batch.model, batch.folder) == ("medium", "/data/out")
    first, second, third, fourth = files(history, batch=batch.number)
    assert (first.state_text, first.language, first.model, first.speed) == (
        "done",
        "de",
        "medium",
        10.0,
    )
    assert first.outputs == ("/data/out/talk 00001.txt", "/data/out/talk 00001.srt")
    assert (second.state_text, second.findings, second.warnings) == ("done · check", 1, 1)
    assert second.settings == {"decoding.beam_size": 1}
    assert (third.state, third.reason, third.audio) == ("failed", "Not a media file (look)", 30.0)
    assert fourth.state == "cancelled"
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600


def test_nothing_of_a_transcript_is_kept(tmp_path: Path) -> None:
    HistoryStore(tmp_path).write(update(done(1, findings=(FINDING,))))
    assert b"thank you" not in (tmp_path / NAME).read_bytes()


@pytest.mark.parametrize(
    "job",
    [
        done(1, used={"output.output_dir": "/\udce9"}),
        done(1, language="\udce9"),
        done(1, outputs=("/\udce9.txt",)),
        done(1, audio_seconds=float("nan")),
        done(1, audio_seconds=float("inf"), work_seconds=1.0),
        done(1, work_seconds=float("nan")),
        failed(1, "cannot read \udce9"),
        replace(failed(1), media=MediaInfo(float("nan"))),
    ],
)
def test_values_that_sqlite_does_not_have(tmp_path: Path, job: Job) -> None:
    """Undecodable names in texts and settings, and lengths that are no numbers."""
    settings = replace(SETTINGS, output=OutputSettings(output_dir="/data/\udce9"))
    history = HistoryStore(tmp_path)
    history.write(update(job, settings=settings, problem="\udce9"))
    (batch,) = batches(history)
    (file,) = files(history)
    assert (batch.done, batch.failed) == (file.state == "done", file.state == "failed")
    assert batch.folder == "/data/\\udce9"
    assert len(files(history, words=("data",))) == 1


def test_every_batch_of_one_session_is_one_row(tmp_path: Path) -> None:
    history = HistoryStore(tmp_path)
    history.write(update(done(1), failed(2), seconds=10.0, ended=None, ending=""))
    again = replace(done(2), path=failed(2).path)
    history.write(update(again, done(3), seconds=5.0, started=AT + timedelta(days=1)))
    (batch,) = batches(history)
    assert (batch.started, batch.seconds) == (AT, 15.0)
    assert (batch.done, batch.failed, batch.audio) == (3, 0, 180.0)
    assert [one.state for one in files(history, batch=batch.number)] == ["done"] * 3
    history.session_deleted(batch.id)
    history.write(update(done(1)))  # another session of the same second
    assert sorted(history.ids()) == ["20260314_150926", "20260314_150926.2"]
    check_counts(tmp_path / NAME)


@pytest.mark.parametrize("last", [done(1), failed(1), cancelled(1), done(1, warnings=("w",))])
@pytest.mark.parametrize("first", [done(1), failed(1), cancelled(1), done(1, warnings=("w",))])
def test_counts_follow_each_change_of_a_file(tmp_path: Path, first: Job, last: Job) -> None:
    history = HistoryStore(tmp_path)
    for job in (first, last, last):
        history.write(update(replace(job, path="/data/in/a.mp3")))
    (batch,) = batches(history)
    (file,) = files(history)
    assert (batch.done, batch.failed, batch.cancelled) == tuple(
        int(file.state == name) for name in ("done", "failed", "cancelled")
    )
    assert batch.to_check == int(file.to_check)
    assert batch.audio == (60.0 if file.state == "done" else 0.0)


def test_a_recording_that_was_moved_is_the_same_and_a_reused_id_is_not(tmp_path: Path) -> None:
    history = HistoryStore(tmp_path)
    history.write(update(done(1)))
    history.write(update(done(1, "/moved/talk.mp3")))  # same end, another path
    assert [one.path for one in files(history)] == ["/moved/talk.mp3"]
    later = replace(done(60, "other.mp3"), id=1)
    history.write(update(later))  # its id was given to another file
    assert {one.path for one in files(history)} == {"/moved/talk.mp3", "/data/in/other.mp3"}
    (batch,) = batches(history)
    assert batch.done == 2


def test_a_mark_goes_with_another_transcript_and_stays_with_the_same(tmp_path: Path) -> None:
    history = HistoryStore(tmp_path)
    job = done(1, findings=(FINDING,))
    history.write(update(job, failed(2)))
    numbers = history.file_numbers(EVERYTHING)
    history.set_checked(numbers, AT)
    history.write(update(job))
    by_state = {one.state: one for one in files(history)}
    assert (by_state["done"].checked, by_state["done"].state_text) == (AT, "done · checked")
    assert by_state["failed"].checked is None  # there is nothing to check
    assert [one.number for one in files(history, state="checked")] == [by_state["done"].number]
    assert files(history, state="check") == []
    history.set_checked([by_state["done"].number], None)
    assert len(files(history, state="check")) == 1
    history.set_checked(numbers, AT)
    history.write(update(replace(job, state=replace(job.state, completed_at=AT))))
    assert files(history, state="checked") == []


def test_it_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_history, "MOST_FILES", 10)
    monkeypatch.setattr(batch_history, "MOST_BATCHES", 3)
    history = HistoryStore(tmp_path)
    for number in range(1, 7):
        history.write(update(*(done(n) for n in range(4)), session=f"s{number}"))
    assert history.ids() == ["s6", "s5", "s4"]
    assert len(files(history)) == 10
    assert {one.batch for one in files(history)} == {"s6", "s5", "s4"}
    assert [one.done for one in batches(history)] == [4, 4, 4]  # what was, not what is listed


def test_many_files_are_written_in_short_transactions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    put = batch_history._put_files

    def counted(db: object, batch: int, jobs: tuple[object, ...], settings: object) -> None:
        sizes.append(len(jobs))
        put(db, batch, jobs, settings)  # type: ignore[arg-type]

    monkeypatch.setattr(batch_history, "_put_files", counted)
    history = HistoryStore(tmp_path)
    history.write(update(*(done(n) for n in range(2100))))
    assert max(sizes) <= 500
    assert sum(sizes) == 2100
    assert batches(history)[0].done == 2100
    assert history.missing("20260314_150926", [done(5), done(2101)]) == (done(2101),)


# --- what is found -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> HistoryStore:
    history = HistoryStore(tmp_path_factory.mktemp("some"))
    raw = path_to_text(b"/in/r\xe9union.mp3".decode(errors="surrogateescape"))
    old = replace(SETTINGS, decoding=DecodingSettings(language="fr"))
    history.write(
        update(done(1, raw, language="fr"), failed(2), session="s1", settings=old, started=AT)
    )
    large = {"model.model": "large-v3"}
    history.write(
        update(
            done(3, "/in/Interview MÜLLER 100%_x.m4a", used=large, warnings=("w",)),
            done(4, "/in/evil \x1b[31m.mp3", language="en"),
            session="s2",
        )
    )
    return history


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (HistoryQuery(), [4, 3, 2, 1]),
        (HistoryQuery(words=("müller",)), [3]),
        (HistoryQuery(words=("MÜLLER", "interview")), [3]),
        (HistoryQuery(words=("müller", "absent")), []),
        (HistoryQuery(words=("%",)), [3]),  # no pattern
        (HistoryQuery(words=("_",)), [3]),
        (HistoryQuery(words=("'; drop table files; --",)), []),
        (HistoryQuery(words=("union",)), [1]),
        (HistoryQuery(words=("french",)), [1]),
        (HistoryQuery(words=("large-v3",)), [3]),
        (HistoryQuery(words=("\x1b[31m",)), [4]),
        (HistoryQuery(words=("\udce9",)), [1]),
        (HistoryQuery(model="LARGE"), [3]),
        (HistoryQuery(model="medium", words=("evil",)), [4]),
        (HistoryQuery(state="failed"), [2]),
        (HistoryQuery(state="done"), [4, 3, 1]),
        (HistoryQuery(state="check"), [3]),
        (HistoryQuery(state="cancelled"), []),
        (HistoryQuery(since=AT + timedelta(seconds=3)), [4, 3]),
        (HistoryQuery(since=(AT + timedelta(seconds=4)).astimezone().replace(tzinfo=None)), [4]),
    ],
)
def test_search(some: HistoryStore, query: HistoryQuery, found: list[int]) -> None:
    assert list(some.file_numbers(query)) == found


def test_batches_with_such_files(some: HistoryStore) -> None:
    def ids(**query: object) -> list[str]:
        return [one.id for one in batches(some, replace(EVERYTHING, **query))]

    assert ids() == ["s2", "s1"]
    assert ids(state="failed") == ["s1"]
    assert ids(model="large") == ["s2"]
    assert ids(since=AT + timedelta(days=1)) == []
    assert ids(words=("union",)) == ["s1"]
    assert some.find("s1") is not None
    assert some.find("s3") is None


def test_whether_the_session_is_still_there(tmp_path: Path) -> None:
    some = HistoryStore(tmp_path)
    for name in ("s1", "s2"):
        some.write(update(done(1), session=name))
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions" / "s1.json").touch()
    newest, oldest = batches(some)
    assert (newest.end_text, oldest.end_text) == ("finished", "unfinished")
    some.session_deleted("s1")
    assert batches(some)[1].end_text == "finished"


# --- clearing ------------------------------------------------------------------------------------


def test_clear_leaves_nothing_but_what_is_known_for_skipping(tmp_path: Path) -> None:
    shutil.copy(OLD, tmp_path / NAME)
    history = HistoryStore(tmp_path)
    history.write(update(*(done(n, f"private-{n}.mp3") for n in range(200))))
    assert b"private-7" in (tmp_path / NAME).read_bytes()
    assert history.clear() == batch_history.Cleared(2, 205)
    assert b"private-7" not in (tmp_path / NAME).read_bytes()
    assert (batches(history), files(history)) == ([], [])
    assert history.known_files() == 5
    assert rows(tmp_path / NAME, "select * from transcribed") == rows(
        OLD, "select * from transcribed"
    )
    history.write(update(done(1)))  # and what is transcribed from now on is kept again
    assert len(files(history)) == 1


def test_clear_what_is_old(tmp_path: Path) -> None:
    history = HistoryStore(tmp_path)
    old, new = AT - timedelta(days=90), AT
    history.write(update(done(1), session="old", started=old, ended=old))
    running = done(2, completed_at=old), done(3)
    history.write(update(*running, session="watching", started=old, ended=None, ending=""))
    history.write(update(done(4), session="new", started=new))
    assert history.clear(AT - timedelta(days=30)).files == 3
    assert history.ids() == ["new"]


# --- the file of versions without a history of batches -------------------------------------------


def in_old_words(path: Path) -> list[object]:
    """What those versions read and write, in their own statements."""
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript("""
create table if not exists transcribed (
  number integer primary key, content text not null, modified integer, settings text not null,
  source text not null, stem text not null, outputs text not null, at text not null);
create index if not exists by_content on transcribed (content, settings);
create index if not exists by_stem on transcribed (stem);""")
        select = (
            "select content, modified, settings, source, outputs, at from transcribed where"
            " content = ? and settings = ? order by number desc limit 20"
        )
        known = db.execute(select, (f"{1:032x}", "f" * 32)).fetchall()
        db.execute("delete from transcribed where stem = ?", ("/data/out/new",))
        db.execute(
            "insert into transcribed (content, modified, settings, source, stem, outputs, at)"
            " values ('c', 1, 's', '/data/in/new.mp3', '/data/out/new', '[]', '2026')"
        )
        return known


def test_an_old_file_is_migrated_in_place_and_stays_one_for_old_versions(tmp_path: Path) -> None:
    path = tmp_path / NAME
    shutil.copy(OLD, path)
    before = TranscriptionHistory(tmp_path)
    known = [before.owner(f"/data/out/{stem}") for stem in ("会議", "lecture 07")]
    assert all(known)
    old_rows, schema = (
        rows(OLD, text)
        for text in (
            "select * from transcribed",
            "select sql from sqlite_master where tbl_name = 'transcribed'",
        )
    )
    (batch,) = batches(HistoryStore(tmp_path))
    assert (batch.id, batch.is_earlier, batch.done, batch.total) == (EARLIER, True, 5, 5)
    assert batch.started == datetime(2026, 3, 14, 15, 9, 26, 535897, tzinfo=UTC)
    assert batch.ended == batch.started + timedelta(days=4)
    found = files(HistoryStore(tmp_path), batch=batch.number)
    assert [one.path for one in found] == [row[4] for row in old_rows]
    assert found[0].outputs == ("/data/out/interview-müller.txt", "/data/out/interview-müller.srt")
    assert files(HistoryStore(tmp_path), words=("MÜLLER",)) == [found[0]]
    assert files(HistoryStore(tmp_path), words=("union",)) == [found[2]]
    assert rows(path, "select * from transcribed") == old_rows
    assert rows(path, "select sql from sqlite_master where tbl_name = 'transcribed'") == schema
    assert [before.owner(f"/data/out/{stem}") for stem in ("会議", "lecture 07")] == known
    assert in_old_words(path) == in_old_words(old_copy(tmp_path))
    assert len(files(HistoryStore(tmp_path))) == 5  # only once


def old_copy(folder: Path) -> Path:
    return Path(shutil.copy(OLD, folder / "copy.sqlite3"))


@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_migration_that_is_interrupted_has_not_begun(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / NAME
    shutil.copy(OLD, path)
    calls = iter(range(1, 99))

    def fail_at(text: str) -> str:
        if next(calls) == at:
            raise RuntimeError
        return text

    with monkeypatch.context() as patched:
        patched.setattr(history_file, "searched_text", fail_at)
        with pytest.raises(StorageError):
            batches(HistoryStore(tmp_path))
    tables = rows(path, "select name from sqlite_master where type = 'table'")
    assert tables == [("transcribed",)]
    assert rows(path, "pragma user_version") == [(0,)]
    assert len(files(HistoryStore(tmp_path))) == 5


def test_several_fwtuis_migrate_at_once(tmp_path: Path) -> None:
    shutil.copy(OLD, tmp_path / NAME)
    found: list[int] = []
    threads = [
        Thread(target=lambda: found.append(len(files(HistoryStore(tmp_path))))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [5] * 8


def test_the_first_files_of_a_new_version_are_no_earlier_ones(tmp_path: Path) -> None:
    from tests.outputs.test_history import earlier

    TranscriptionHistory(tmp_path).add(earlier(tmp_path))  # before its batch is written
    assert batches(HistoryStore(tmp_path)) == []


def test_a_file_of_a_later_version_is_used_as_it_is(tmp_path: Path) -> None:
    history = HistoryStore(tmp_path)
    history.write(update(done(1)))
    with closing(sqlite3.connect(tmp_path / NAME)) as db, db:
        db.execute("alter table files add column speaker text")
        db.execute("create table passages (file integer)")
        db.execute("pragma user_version = 7")
    history.write(update(done(2)))
    assert len(files(history)) == 2
    assert rows(tmp_path / NAME, "pragma user_version") == [(7,)]


# --- several processes, kills --------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from fwtui.outputs import history_file
from fwtui.outputs.batch_history import HistoryStore
from tests.outputs.history_samples import done, failed, update
history_file._PATIENCE = 60.0
folder, session, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
history = HistoryStore(folder)
for number in range(1, count + 1):
    history.write(update(done(number), failed(number + 100_000), session=session))
    print(number, flush=True)
"""


def writer(folder: Path, session: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), session, str(count)]
    root = Path(__file__).parents[2]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)


def test_two_processes_write_and_others_are_killed_at_any_moment(tmp_path: Path) -> None:
    """Nothing is half there: after each kill the counts are those of the files."""
    chance = random.Random(1)
    steady = writer(tmp_path, "steady", 20)
    for kill in range(3):
        other = writer(tmp_path, f"killed{kill}", 10**6)
        assert other.stdout is not None
        acknowledged = [other.stdout.readline() for _ in range(chance.randint(1, 5))]
        time.sleep(chance.random() / 100)  # somewhere inside of the next write
        other.kill()
        acknowledged += other.stdout.readlines()
        other.stdout.close()
        other.wait()
        check_counts(tmp_path / NAME)
        found = HistoryStore(tmp_path).find(f"killed{kill}")
        assert found is not None
        assert found.done - len(acknowledged) in {0, 1}
    assert steady.stdout is not None
    steady.stdout.read()
    steady.stdout.close()
    assert steady.wait() == 0
    found = HistoryStore(tmp_path).find("steady")
    assert found is not None
    assert (found.done, found.failed) == (20, 20)


# --- damage --------------------------------------------------------------------------------------


def written(folder: Path) -> bytes:
    history = HistoryStore(folder)
    shutil.copy(OLD, folder / NAME)
    history.write(update(*(done(n) for n in range(400))))
    return (folder / NAME).read_bytes()


def flipped(data: bytes) -> bytes:
    chance = random.Random(2)
    changed = bytearray(data)
    for _ in range(2000):
        changed[chance.randrange(100, len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "another file": lambda _: b"no database" * 300,
    "header": lambda data: bytes(100) + data[100:],
    "schema": lambda data: data[:100] + bytes(4000) + data[4100:],
    "half": lambda data: data[: len(data) // 2],
    "odd length": lambda data: data[:-1000],
    "a page": lambda data: data[: 10 * 4096] + b"\xff" * 4096 + data[11 * 4096 :],
    "many pages": lambda data: data[: 5 * 4096] + bytes(len(data) - 5 * 4096),
    "bits": flipped,
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_moved_never_overwritten(kind: str, tmp_path: Path) -> None:
    data = DAMAGE[kind](written(tmp_path))
    path = tmp_path / NAME
    path.write_bytes(data)
    history = HistoryStore(tmp_path)
    with pytest.raises(DamagedHistoryError):
        history.file.check()
    assert path.read_bytes() == data  # who only looks changes nothing
    moved = history.file.move_damaged()
    assert moved == tmp_path / "sessions" / "quarantine" / NAME
    assert moved.read_bytes() == data
    history.file.check()
    history.write(update(done(7), session="new"))
    assert "new" in history.ids()
    if kind == "a page":  # what could be read is still known
        assert history.known_files() == 5
        assert len(files(history)) > 200
    path.write_bytes(data)
    with pytest.raises(DamagedHistoryError):
        history.file.check()
    assert history.file.move_damaged() == moved.with_name(f"{NAME}.1")


def test_only_one_fwtui_moves_a_damaged_file(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / NAME).write_bytes(b"no database" * 300)
    first, second = HistoryStore(tmp_path), HistoryStore(tmp_path)
    for history in (first, second):
        with pytest.raises(DamagedHistoryError):
            history.file.check()
    assert first.file.move_damaged() is not None
    first.write(update(done(1)))
    assert second.file.move_damaged() is None
    assert len(files(second)) == 1


def test_the_journal_of_a_damaged_file_goes_with_it(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"no database" * 300)
    history = HistoryStore(tmp_path)
    with pytest.raises(DamagedHistoryError):
        history.file.check()
    Path(f"{tmp_path / NAME}-journal").write_bytes(b"of the damaged file")
    moved = history.file.move_damaged()
    assert Path(f"{moved}-journal").exists()
    assert not Path(f"{tmp_path / NAME}-journal").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
@pytest.mark.parametrize("kind", ["folder", "pipe", "endless link", "link to nowhere", "refused"])
def test_what_is_no_file_is_refused_in_words(kind: str, tmp_path: Path) -> None:
    import os

    path = tmp_path / NAME
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "endless link":
            path.symlink_to(path)
        case "link to nowhere":
            path.symlink_to(tmp_path / "no" / "where")
        case _:
            (tmp_path / "state").write_text("no folder")
            history = HistoryStore(tmp_path / "state")
            with pytest.raises(StorageError):
                history.write(update(done(1)))
            return
    history = HistoryStore(tmp_path)
    with pytest.raises(StorageError):
        history.write(update(done(1)))
    if "link" not in kind:  # there, nothing is known
        with pytest.raises(StorageError):
            batches(history)
    assert TranscriptionHistory(tmp_path).find("c", "s") == ()


def test_a_file_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    shutil.copy(OLD, tmp_path / NAME)
    (tmp_path / NAME).chmod(0o644)
    HistoryStore(tmp_path).write(update(done(1)))
    if sys.platform != "win32":
        assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
