"""Whose transcript a name is: what is skipped, replaced, and named otherwise. No engine."""

import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from fwtui.audio.identity import identify
from fwtui.batch.conflicts import outputs_key, resolve_outputs, stem_path
from fwtui.batch.state import BatchState
from fwtui.config.fields import apply
from fwtui.config.sources import as_asked
from fwtui.core.events import LogLine
from fwtui.core.job import Job, Skipped
from fwtui.core.paths import path_to_text
from fwtui.core.settings import OutputSettings, Settings
from fwtui.core.watched_folder import WatchedFolder
from fwtui.outputs.formats.registry import output_paths
from fwtui.outputs.history import TranscribedFile
from fwtui.sessions.store import SessionStore
from fwtui.tui.add_preview import read_known_files


class World:
    """Recordings, transcripts, and batches one after the other, without engines."""

    def __init__(self, root: Path) -> None:
        self.root, self.out = root, root / "out"
        self.out.mkdir()
        self.batches = 0
        self.warnings: list[str] = []

    def record(self, name: str, content: str, modified: int = 0) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        if modified:
            os.utime(path, ns=(modified, modified))
        return path

    async def run(
        self,
        *files: Path,
        finish: bool = True,
        watch: WatchedFolder | None = None,
        **output: object,
    ) -> dict[Path, str]:
        """What each file's outputs are called; `skipped` if it was. Transcripts say whose."""
        self.batches += 1
        out = OutputSettings(output_dir=str(self.out), output_format="txt", **output)  # type: ignore[arg-type]
        settings = Settings(output=out)
        folder = self.root / "state" / "sessions"
        folder.mkdir(parents=True, exist_ok=True)
        at = datetime(2026, 1, 1, 0, 0, self.batches)
        state = BatchState(SessionStore.create(folder, settings, at))
        state.listen(self._hear)
        state.store.set_folders((watch,) if watch else ())
        try:
            await state.add(files, [])
            found: dict[Path, str] = {}
            for number in state.queue.order:
                job = state.queue[number]
                done = await resolve_outputs(state, job, settings)
                if done is None:
                    found[job.file] = "skipped"
                    continue
                if done != job:
                    await state.put(done)
                found[job.file] = done.stem
                self._write(state, done, settings, finish)
            stems = [job.stem.casefold() for job in state.queue]
            assert len(set(stems)) == len(stems)
        finally:
            state.store.close()
        return found

    def _write(self, state: BatchState, job: Job, settings: Settings, finish: bool) -> None:
        (path,) = output_paths(stem_path(job.stem, settings.output), settings.output)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(job.file.read_text())
        if finish:
            identity = identify(job.file)
            outputs = (path_to_text(path),)
            one = TranscribedFile(
                identity.digest, identity.modified, outputs_key(settings), job.path, outputs,
                datetime(2026, 1, 1, tzinfo=UTC),
            )  # fmt: skip
            state.history.add(one)

    def _hear(self, event: object) -> None:
        if isinstance(event, LogLine) and "written as" in event.text:
            self.warnings.append(event.text)

    def texts(self) -> dict[str, str]:
        return {path.stem: path.read_text() for path in self.out.iterdir()}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_recording_is_not_skipped_for_anothers_transcript(world: World) -> None:
    days = [world.record(f"rec/{day}/REC001.flac", f"day {day}") for day in range(1, 4)]
    first = await world.run(*days, if_exists="skip")
    assert list(first.values()) == ["REC001", "REC001.flac", "REC001 (2)"]
    new = world.record("rec/4/REC001.flac", "day 4")
    for order in ([new], [new, *days], [*days[::-1], new]):
        found = await world.run(*order, if_exists="skip")
        assert all(found[day] == "skipped" for day in days if day in found)
    assert world.texts()["REC001 (3)"] == "day 4"
    assert {*world.texts().values()} == {f"day {day}" for day in range(1, 5)}
    assert len(world.texts()) == 4
    assert world.warnings == [
        f"REC001.flac: written as REC001 (3).txt, because REC001.txt is the transcript of {days[0]}"
    ]


@pytest.mark.parametrize("mode", ["overwrite", "skip", "rename"])
async def test_nightly_runs_into_a_flat_folder_lose_nothing(world: World, mode: str) -> None:
    for night in range(5):
        recording = world.record(f"{night}/REC001.wav", f"night {night}")
        await world.run(recording, if_exists=mode)
    assert sorted(world.texts().values()) == [f"night {night}" for night in range(5)]
    assert len(world.warnings) == (0 if mode == "rename" else 4)


async def test_the_same_path_with_another_recording(world: World) -> None:
    for night in range(3):
        await world.run(world.record("card/REC001.wav", f"night {night}", 1 + night))
    assert sorted(world.texts().values()) == ["night 0", "night 1", "night 2"]


async def test_in_a_watched_folder_the_new_recording_replaces_the_old_one(world: World) -> None:
    (world.root / "card").mkdir()
    watched = WatchedFolder(path=str(world.root / "card"))
    for night in range(3):
        await world.run(world.record("card/REC001.wav", f"night {night}", 1 + night), watch=watched)
    assert world.texts() == {"REC001": "night 2"}
    other = world.record("other/REC001.wav", "another")
    await world.run(other, watch=watched)  # it is not in the folder
    again = world.record("card/REC001.wav", "night 3", 9)
    await world.run(again, if_exists="skip", watch=watched)  # but it is not skipped
    assert sorted(world.texts().values()) == ["another", "night 2", "night 3"]


async def test_overwriting_if_it_is_asked_for(world: World) -> None:
    for night in range(3):
        recording = world.record(f"{night}/REC001.wav", f"night {night}")
        assert await world.run(recording, if_exists="overwrite_any") == {recording: "REC001"}
    assert world.texts() == {"REC001": "night 2"}
    assert world.warnings == []


async def test_its_own_transcript_is_replaced_wherever_it_was_moved(world: World) -> None:
    one, two = world.record("a/talk.wav", "one"), world.record("b/talk.wav", "two")
    assert await world.run(one, two) == {one: "talk", two: "talk.wav"}
    moved = world.root / "c" / "talk.wav"
    moved.parent.mkdir()
    two.rename(moved)
    assert await world.run(moved) == {moved: "talk.wav"}
    assert await world.run(moved, one) == {moved: "talk.wav", one: "talk"}
    assert await world.run(moved, if_exists="skip") == {moved: "skipped"}
    assert world.texts() == {"talk": "one", "talk.wav": "two"}
    assert world.warnings == []


async def test_a_transcript_of_unknown_origin_is_taken_for_its_own(world: World) -> None:
    (world.out / "talk.txt").write_text("by whisper")
    talk = world.record("talk.wav", "sound")
    assert await world.run(talk, if_exists="skip") == {talk: "skipped"}
    assert await world.run(talk) == {talk: "talk"}
    (world.out / "x (2).txt").write_text("by whisper")
    same = [world.record(f"{number}/x.wav", f"{number}") for number in range(3)]
    found = await world.run(*same, if_exists="skip")
    assert list(found.values()) == ["x", "x.wav", "x (3)"]
    assert world.texts()["x (2)"] == "by whisper"


async def test_edges_that_agree_do_not_make_a_recording_the_same(world: World) -> None:
    edge = "s" * 70_000
    one = world.record("a/rec.wav", f"{edge}1{edge}", 5)
    two = world.record("b/rec.wav", f"{edge}2{edge}", 6)
    await world.run(one)
    assert await world.run(two, if_exists="skip") == {two: "rec.wav"}
    assert await world.run(one, if_exists="skip") == {one: "skipped"}


async def test_the_note_stays_with_the_file(world: World) -> None:
    await world.run(world.record("a/talk.wav", "one"))
    other = world.record("b/talk.wav", "two")
    settings = Settings(output=OutputSettings(output_dir=str(world.out), output_format="txt"))
    folder = world.root / "state" / "sessions"
    state = BatchState(SessionStore.create(folder, settings, datetime(2026, 2, 1)))
    await state.add([other], [])
    (number,) = state.queue.order
    job = await resolve_outputs(state, state.queue[number], settings)
    assert job is not None
    assert "is the transcript of" in job.name_note
    again = await resolve_outputs(state, state.queue[number], settings)  # not sent the first time
    assert again is not None
    assert (again.stem, again.name_note) == (job.stem, job.name_note)
    # skipped by its content, then transcribed all the same: not over another's
    assert state.store.session.jobs[0].name_note == job.name_note
    state.store.close()


async def test_no_order_of_batches_loses_a_transcript(world: World) -> None:
    """Random batches of recordings with the same names: each keeps what is its own."""
    rng = random.Random(1)
    recordings = [
        world.record(f"{folder}/{name}.wav", f"{folder} {name}")
        for folder in "abcd"
        for name in ("talk", "Talk", "rec")
    ]
    done: set[Path] = set()
    for _ in range(40):
        chosen = rng.sample(recordings, rng.randint(1, 6))
        mode = rng.choice(["overwrite", "skip"])
        found = await world.run(*chosen, if_exists=mode)
        if mode == "skip":
            skipped = {path for path, name in found.items() if name == "skipped"}
            assert skipped == done & set(chosen)
        done |= set(chosen)
        assert {*world.texts().values()} == {path.read_text() for path in done}


def test_old_jobs_have_no_note() -> None:
    assert replace(Job(1, "/a.wav"), name_note="x").name_note == "x"
    assert Job(1, "/a.wav").name_note == ""
    assert not isinstance(Job(1, "/a.wav").state, Skipped)


async def test_the_dialog_for_adding_knows_whose_transcripts_are_there(world: World) -> None:
    one, two = world.record("a/talk.wav", "one"), world.record("b/talk.wav", "two")
    three, new = world.record("c/talk.wav", "three"), world.record("d/talk.wav", "new")
    await world.run(one, two, three)
    output = OutputSettings(output_dir=str(world.out), output_format="txt")
    state = world.root / "state"

    def noted() -> list[bool]:
        known = read_known_files({}, output, state)
        return [bool(known.note(str(path))) for path in (one, two, three, new)]

    assert noted() == [True, True, True, False]
    (world.out / "talk.wav.txt").unlink()
    assert noted() == [True, False, True, False]
    moved = one.rename(one.with_name("x.wav"))
    known = read_known_files({}, output, state)
    assert known.note(str(new))  # may be the one that was moved
    assert not known.note(str(moved))


def test_overwriting_is_asked_for_by_naming_it() -> None:
    asked = as_asked({"output.if_exists": "overwrite"})
    assert apply(Settings(), asked).output.if_exists == "overwrite_any"
    for value in ("skip", "rename", "overwrite_any"):
        assert as_asked({"output.if_exists": value}) == {"output.if_exists": value}
    assert as_asked({}) == {}
    assert OutputSettings().if_exists == "overwrite"
