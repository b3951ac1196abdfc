"""Makes tests/data/sessions-0.1: what fwtui 0.1.0 (commit db83bd6) leaves on the disk.

Made once, on 2026-11-30, by really running the program of that commit and really killing it, and
to be made again only by that program: as root on Linux, in the repository's root, with

    python -m tests.data.make_sessions [NAME...]

All of it happens below /fwtui-data, which must not be there, in a namespace of its own whose host
is called `archive`: so nothing of the machine is in the files. The function of a folder says how it
was made; its first line is in the README. Imports nothing of fwtui.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.data.driving import (
    OUT,
    REAL_HOST,
    ROOT,
    Attached,
    Event,
    Running,
    World,
    in_own_namespace,
    is_a,
    is_state,
    is_watching,
)
from tests.old import places, recordings

FOREIGN = "20251214_123456"  # the example's, which several folders are made from
FORBIDDEN = (b"/work", b"/root", b"/tmp/", b"/home")
About = dict[str, Any]
Maker = Callable[[World], About]

MODEL = ("--model", "tiny", "--device", "cpu", "--threads", "1")
# Sampling is random, so only without it two runs are the same.
EXACT = (*MODEL, "--temperature_increment_on_fallback", "None")
QUICK = (*EXACT, "--beam_size", "1", "--language", "en")
RESUME = {"exit": 0}


def killed(world: World, windows: int, *arguments: str | Path) -> None:
    """`fwtui run`, killed when its journal has so many windows."""
    running = Running("run", "--json", *arguments, "-o", OUT)
    heard = 0
    for event in running.events():
        heard += event["type"] == "SegmentsFound"
        if heard == windows:
            break
    running.kill()
    assert world.count("window") == windows, (world.count("window"), windows)


def queued(world: World) -> About:
    """A queue on a screen, never started, killed."""
    files = [world.put("talk", f"{name}.wav") for name in ("one", "two", "three")]
    screen = Running(*files, *QUICK, "-f", "txt", "-o", OUT, on_screen=True)
    Attached().until_queued(3)
    screen.kill()
    world.whole(*files, *QUICK, "-f", "txt")
    return RESUME


def killed_before_first_window(world: World) -> About:
    """Killed when a file was begun, before its first window."""
    file = world.put("long")
    running = Running("run", file, *QUICK, "-f", "srt", "-o", OUT)
    world.wait_for("begun")
    running.kill()
    assert world.count("window") == 0
    world.whole(file, *QUICK, "-f", "srt")
    return RESUME


def killed_after_window_1(world: World) -> About:
    """Killed after the first window of a file."""
    file = world.put("long")
    killed(world, 1, file, *QUICK)
    world.whole(file, *QUICK)
    return RESUME


def killed_mid_file(world: World) -> About:
    """Killed in the middle of a file, another one waits."""
    files = world.put("long"), world.put("short", "short.flac")
    killed(world, 3, *files, *QUICK, "-f", "vtt")
    world.whole(*files, *QUICK, "-f", "vtt")
    return RESUME


def killed_between_files(world: World) -> About:
    """Killed when the first of three files was done, before the second had a window."""
    files = [world.put("minute", "a.flac"), world.put("minute", "b.flac"), world.put("talk")]
    running = Running("run", "--json", *files, *QUICK, "-f", "tsv", "-o", OUT)
    running.until(is_state("completed"))
    running.kill()
    assert world.journal.read_bytes().count(b'"type":"completed"') == 1
    assert all(r["job"] == 1 for r in places.records(world.journal) if r["type"] == "window")
    world.whole(*files, *QUICK, "-f", "tsv")
    return RESUME


def all_windows_done(world: World) -> About:
    """Killed when all windows of a file were done, and its outputs were not there yet."""
    file = world.put("minute", "minute.flac")
    killed(world, 3, file, *QUICK, "-f", "txt")
    assert not OUT.exists() or not any(OUT.iterdir())
    world.whole(file, *QUICK, "-f", "txt")
    return RESUME


def killed_while_writing(world: World) -> About:
    """Killed while the outputs of a file were being written: one of them has no name yet."""
    file = world.put("minute", "minute.flac")
    running = Running("run", file, *QUICK, "-o", OUT)
    deadline = time.monotonic() + 10
    while not list(OUT.glob(".fwtui-*.tmp")) and time.monotonic() < deadline:
        pass
    running.kill()
    assert list(OUT.glob(".fwtui-*.tmp"))
    world.whole(file, *QUICK)
    return RESUME


def failed(world: World) -> About:
    """Two failed files (no recording, not there) beside a good one; the batch came to its end."""
    files = [world.put("broken", "broken.mp3"), world.put("short", "good.flac")]
    lost = world.put("weekdays", "lost.flac")  # a resume finds it again
    screen = Running(*files, lost, *QUICK, "-f", "txt", "-o", OUT, on_screen=True)
    batch = Attached()
    batch.until_queued(3)
    lost.unlink()
    batch.send({"type": "Start"})
    batch.until(is_a("BatchFinished"))
    batch.send({"type": "Stop"})
    screen.terminate()
    recordings.make("weekdays", lost)
    world.whole(files[1], lost, *QUICK, "-f", "txt")
    return {"exit": 1}


def cancelled(world: World) -> About:
    """A running file cancelled, a waiting one skipped, then killed; a resume leaves both alone."""
    files = [world.put("long"), world.put("talk"), world.put("short", "short.flac")]
    screen = Running(*files, *QUICK, "-f", "txt", "-o", OUT, on_screen=True)
    batch = Attached()
    batch.until_queued(3)
    batch.pause_inside()
    batch.send({"type": "SkipJobs", "ids": [1, 2]})
    batch.until_all(is_state("cancelled"), is_state("skipped"))
    screen.kill()
    world.whole(files[2], *QUICK, "-f", "txt")
    return RESUME


def stopped_by_signal(world: World) -> About:
    """Ended by SIGTERM inside a file: the orderly end of a session with work left."""
    file = world.put("long")
    running = Running("run", "--json", file, *QUICK, "-f", "srt", "-o", OUT)
    running.until(is_a("SegmentsFound"))
    assert running.terminate() == 3
    world.whole(file, *QUICK, "-f", "srt")
    return RESUME


def paused(world: World) -> About:
    """Paused inside a file, then killed."""
    file = world.put("long")
    screen = Running(file, *QUICK, "-f", "txt", "-o", OUT, on_screen=True)
    batch = Attached()
    batch.until_queued(1)
    batch.pause_inside()
    screen.kill()
    world.whole(file, *QUICK, "-f", "txt")
    return RESUME


def batched(world: World) -> About:
    """--batched, killed inside a file."""
    file = world.put("long")
    options = *QUICK, "--batched", "--batch_size", "2", "-f", "srt"
    killed(world, 1, file, *options)
    world.whole(file, *options)
    return RESUME


def batched_short_files(world: World) -> About:
    """--batched, short files together in a batch with a long one, killed inside."""
    short = [world.put("short", f"{name}.flac") for name in ("a", "b", "c")]
    files = *short, world.put("long"), world.put("weekdays", "d.flac")
    options = *QUICK, "--batched", "--batch_size", "3", "-f", "txt"
    running = Running("run", "--json", *files, *options, "-o", OUT)
    running.until(lambda event: event["type"] == "SegmentsFound" and event["id"] == 4)
    running.kill()
    world.whole(*files, *options)
    return RESUME


def words(world: World) -> About:
    """Word timestamps in all formats, killed inside a file."""
    file = world.put("long")
    options = *QUICK, "--word_timestamps", "--max_line_width", "42", "--highlight_words"
    killed(world, 2, file, *options)
    world.whole(file, *options)
    return RESUME


def languages(world: World) -> About:
    """Languages detected, VAD, an initial prompt; killed inside a file."""
    files = world.put("long"), world.put("german", "german.flac")
    options = *EXACT, "--vad_filter", "--initial_prompt", "monday", "-f", "json", "--check_coverage"
    killed(world, 2, *files, *options)
    world.whole(*files, *options)
    return RESUME


def clips(world: World) -> About:
    """Only parts of a file (clip_timestamps), killed inside."""
    file = world.put("long")
    options = *QUICK, "--clip_timestamps", "5,40,60,150", "-f", "txt", "--check_coverage"
    killed(world, 2, file, *options)
    world.whole(file, *options)
    return RESUME


def own_settings(world: World) -> About:
    """Files with settings of their own, each another format, killed inside the first."""
    forms = ("lrc", "ass", "md", "csv")
    files = [world.put("minute" if form == "lrc" else "short", f"{form}.flac") for form in forms]
    screen = Running(*files, *QUICK, "-f", "txt", "-o", OUT, on_screen=True)
    batch = Attached()
    batch.until_queued(4)
    batch.send({"type": "SkipJobs", "ids": [1, 2, 3, 4]})
    for number, form in enumerate(forms, start=1):
        own = _with(batch.snapshot["settings"], output={"output_format": form})
        batch.send({"type": "RetryJobs", "ids": [number], "settings": own})
    batch.pause_inside()
    screen.kill()
    for path, form in zip(files, forms, strict=True):
        world.whole(path, *QUICK, "-f", form)
    return RESUME


def other_settings(world: World) -> About:
    """The batch's settings changed when the first file was done; killed inside the second."""
    files = [world.put("short", "a.flac"), world.put("long", "b.wav"), world.put("talk", "c.wav")]
    screen = Running(*files, *QUICK, "-f", "txt", "-o", OUT, on_screen=True)
    batch = Attached()
    batch.until_queued(3)
    batch.send({"type": "SkipJobs", "ids": [2, 3]}, {"type": "Start"})
    batch.until(is_a("BatchFinished"))
    new = _with(
        batch.snapshot["settings"], decoding={"beam_size": 2}, output={"output_format": "srt"}
    )
    batch.send({"type": "ChangeSettings", "settings": new})
    batch.send({"type": "RetryJobs", "ids": [2, 3]})
    batch.until(is_a("SettingsChanged"))
    batch.pause_inside()
    screen.kill()
    world.whole(files[0], *QUICK, "-f", "txt")
    world.whole(*files[1:], *QUICK, "--beam_size", "2", "-f", "srt")
    return RESUME


def names(world: World) -> About:
    """Files of the same name from two folders, named by a template, killed inside the second."""
    world.put("talk", "a/talk.wav")
    world.put("talk", "b/talk.wav")
    world.put("long", "b/talk.flac")
    options = *QUICK, "-f", "txt", "--output_name", "{date}/{stem}.{language}"
    folder = ROOT / "media"
    screen = Running(folder, *options, "-o", OUT, on_screen=True)
    batch = Attached()
    batch.until_queued(3)
    batch.send({"type": "Start"})
    batch.until(lambda event: event["type"] == "SegmentsFound" and event["id"] == 2)
    screen.kill()
    world.whole(folder, *options)
    return RESUME


def tree(world: World) -> About:
    """The folders of the recordings again below the output folder, killed inside a file."""
    world.put("long", "deep/er/talk.wav")
    world.put("short", "talk.flac")
    options = *QUICK, "-f", "txt", "--output_layout", "tree"
    killed(world, 1, ROOT / "media", *options)
    world.whole(ROOT / "media", *options)
    return RESUME


def renamed_outputs(world: World) -> About:
    """Outputs that take other names, for there are transcripts already (if_exists: rename)."""
    file = world.put("long", "talk.wav")
    for folder in (OUT, ROOT / "whole"):
        folder.mkdir()
        (folder / "talk.txt").write_text("An earlier transcript.\n")
    options = *QUICK, "-f", "txt", "--if_exists", "rename"
    killed(world, 2, file, *options)
    world.whole(file, *options)
    return RESUME


def kept_outputs(world: World) -> About:
    """One of two formats was there and is left alone (if_exists: skip); one file was not needed."""
    files = world.put("short", "done.flac"), world.put("long", "talk.wav")
    for folder in (OUT, ROOT / "whole"):
        folder.mkdir()
        for name in (
            "talk.txt",
            *(f"done.{form}" for form in ("txt", "vtt", "srt", "tsv", "json")),
        ):
            (folder / name).write_text("An earlier transcript.\n")
    options = *QUICK, "--if_exists", "skip"
    killed(world, 2, *files, *options)
    world.whole(*files, *options)
    return RESUME


def beside(world: World) -> About:
    """Outputs beside the recordings (output_layout: source), killed inside a file."""
    file = world.put("long", "talks/talk.wav")
    options = *QUICK, "-f", "txt", "--output_layout", "source"
    killed(world, 2, file, *options)
    world.run("run", file, *options, state="whole-state")
    (ROOT / "whole").mkdir()
    (ROOT / "media" / "talks" / "talk.txt").rename(ROOT / "whole" / "talk.txt")
    return {"exit": 0, "out": "media/talks", "outputs": ["talk.txt"]}


def odd_names(world: World) -> About:
    """Names with umlauts, brackets, a line break, and bytes that are no UTF-8; killed inside."""
    odd = ["Übung ß.wav", "[x] *.wav", "line\nbreak.wav", os.fsdecode(b"bad\xff.wav")]
    files = [world.put("short", name) for name in odd[:3]] + [world.put("long", odd[3])]
    options = *QUICK, "-f", "txt"
    running = Running("run", "--json", ROOT / "media", *options, "-o", OUT)
    running.until(is_a("SegmentsFound"))
    running.kill()
    world.whole(ROOT / "media", *options)
    assert len(files) == len(list((ROOT / "whole").iterdir()))
    return RESUME


def removed(world: World) -> About:
    """A waiting file removed; a begun one removed and put back with its progress; killed."""
    files = [world.put("long"), world.put("talk"), world.put("short", "short.flac")]
    screen = Running(*files, *QUICK, "-f", "txt", "-o", OUT, on_screen=True)
    batch = Attached()
    batch.until_queued(3)
    batch.pause_inside()
    batch.send({"type": "RemoveJobs", "ids": [2]}, {"type": "RemoveJobs", "ids": [1]})
    batch.until(lambda event: event["type"] == "JobsRemoved" and event["ids"] == [1])
    batch.send({"type": "UndoRemove"})
    batch.until(is_a("JobsAdded"))
    time.sleep(0.3)
    screen.kill()
    world.whole(files[0], files[2], *QUICK, "-f", "txt")
    return RESUME


def reordered(world: World) -> About:
    """The queue moved and arranged, never started, killed."""
    files = [world.put("short", f"{name}.flac") for name in "abcd"]
    screen = Running(*files, *QUICK, "-f", "txt", "-o", OUT, on_screen=True)
    batch = Attached()
    batch.until_queued(4)
    batch.send({"type": "MoveJobs", "ids": [4], "offset": -3})
    batch.until(is_a("JobsReordered"))
    batch.send({"type": "ArrangeJobs", "order": [3, 4]})
    batch.until(is_a("JobsReordered"))
    screen.kill()
    world.whole(*files, *QUICK, "-f", "txt")
    return {"exit": 0, "order": ["c.flac", "d.flac", "a.flac", "b.flac"]}


def retried(world: World) -> About:
    """A file that was done is done once more, killed inside; its former outputs are there."""
    file = world.put("long")
    screen = Running(file, *QUICK, "-f", "txt", "-o", OUT, on_screen=True)
    batch = Attached()
    batch.until_queued(1)
    batch.send({"type": "Start"})
    batch.until(is_a("BatchFinished"))
    batch.send({"type": "RetryJobs", "ids": [1]})
    batch.until(is_state("pending"))
    batch.pause_inside()
    screen.kill()
    world.whole(file, *QUICK, "-f", "txt")
    return RESUME


def engine_died(world: World) -> About:
    """The engine killed inside a file, which was tried again; then all killed."""
    file = world.put("long")
    running = Running("run", "--json", file, *QUICK, "-f", "txt", "-o", OUT)
    engine = running.until(lambda event: event["type"] == "EngineChanged" and event["info"])
    running.until(is_a("SegmentsFound"))
    os.kill(engine["info"]["pid"], 9)
    running.until(lambda event: event["type"] == "JobChanged" and event["job"]["attempts"])
    running.until(is_a("SegmentsFound"))
    running.kill()
    world.whole(file, *QUICK, "-f", "txt")
    return RESUME


def compacted(world: World) -> About:
    """Killed inside the second file, resumed, killed inside it again: of generation 1."""
    files = [world.put("short", "short.flac"), world.put("long"), world.put("talk")]
    running = Running("run", "--json", *files, *QUICK, "-f", "txt", "-o", OUT)
    running.until(lambda event: event["type"] == "SegmentsFound" and event["id"] == 2)
    running.kill()
    running = Running("run", "--json", "--resume")
    running.until(is_a("SegmentsFound"))
    running.kill()
    assert next(places.records(world.journal))["generation"] == 1
    world.whole(*files, *QUICK, "-f", "txt")
    return RESUME


def torn(world: World) -> About:
    """Killed in the middle of a write: the last line of the journal is torn."""
    file = world.put("long")
    world.whole(file, *QUICK, "-f", "txt")
    for call in range(20, 400):
        for name in ("state", "out", "cache"):
            shutil.rmtree(ROOT / name, ignore_errors=True)
        launcher = Path(__file__).parents[1] / "crash" / "launcher.py"
        own = {"FWTUI_CRASH_TRACE": str(ROOT / "tmp" / "trace"), "FWTUI_CRASH_CALL": str(call)}
        subprocess.run(
            [sys.executable, "-P", launcher, "run", file, *QUICK, "-f", "txt", "-o", OUT],
            env=places.environment(ROOT) | own, check=False, start_new_session=True,
            stdin=subprocess.DEVNULL, capture_output=True,
        )  # fmt: skip
        last = world.journal.read_bytes().rpartition(b"\n")[2]
        if b'"window"' in last and world.count("window") > 1:
            shutil.rmtree(ROOT / "tmp")
            return RESUME
    raise AssertionError("no line was torn")


def thousand(world: World) -> About:
    """1,000 files in the queue, killed inside the third; for a resume most are done already."""
    for number in range(1, 1001):
        world.put("minute" if number == 3 else "short", f"{number:04}.flac")
    running = Running("run", "--json", ROOT / "media", *QUICK, "-f", "txt", "-o", OUT)
    running.until(lambda event: event["type"] == "SegmentsFound" and event["id"] == 3)
    running.kill()
    first = sorted((ROOT / "media").iterdir())[:3]
    world.whole(*first, *QUICK, "-f", "txt")
    world.media = {name: world.media[name] for name in sorted(world.media)[:3]}
    done = [f"{file.stem}.txt" for file in first]
    return {"exit": 0, "options": ["--if_exists", "skip"], "thousand": True, "outputs": done}


def link(world: World) -> About:
    """A link in the queue, not downloaded yet, and a file; killed inside the file."""
    file = world.put("long")
    address = "http://127.0.0.1:9/talk.flac"  # nobody listens there
    screen = Running(file, address, *QUICK, "-f", "txt", "-o", OUT, on_screen=True)
    batch = Attached()
    batch.until_queued(2)
    batch.pause_inside()
    screen.kill()
    world.whole(file, *QUICK, "-f", "txt")
    return {"exit": 1}


def watched(world: World) -> About:
    """A watched folder: one file done, killed inside the second of three."""
    inbox = ROOT / "media" / "inbox"
    world.put("short", "inbox/a.flac")
    options = inbox, "--settle", "0.2", *QUICK, "-f", "txt", "-o", OUT
    running = Running("watch", "--json", *options)
    running.until(is_state("completed"))
    running.until(lambda event: event.get("phase") == "watching")
    world.put("long", "inbox/b.wav")
    running.until(is_a("SegmentsFound"))
    running.kill()
    world.put("talk", "inbox/c.wav")
    world.whole(inbox, *QUICK, "-f", "txt")
    return {"exit": 0, "watch": _neutral(options), "done": ["b.wav", "c.wav"]}


def watched_profile(world: World) -> About:
    """A screen that watches a folder with settings of its own, killed inside a file."""
    inbox = ROOT / "media" / "inbox"
    world.put("long", "inbox/a.wav")
    screen = Running(*QUICK, "-f", "txt", "-o", OUT, on_screen=True)
    batch = Attached()
    folder = {"path": str(inbox), "settle_seconds": 0.2, "profile": "mine", "exclude": ["*.tmp"]}
    values = {"decoding.beam_size": 2, "output.output_format": "srt"}
    batch.send({"type": "WatchFolder", "folder": folder | {"values": values}})
    batch.until_queued(1)
    batch.pause_inside()
    screen.kill()
    world.put("short", "inbox/b.flac")
    world.whole(inbox, *QUICK, "--beam_size", "2", "-f", "srt")
    return {"exit": 0, "command": "run", "watch": ["--resume"], "done": ["a.wav", "b.flac"]}


def moved_away(world: World) -> About:
    """A watched folder that moves what is done: one moved, killed inside the next."""
    inbox = ROOT / "media" / "inbox"
    world.put("short", "inbox/a.flac")
    options = inbox, "--settle", "0.2", "--after", "move", *QUICK, "-f", "txt", "-o", OUT
    running = Running("watch", "--json", *options)
    running.until(is_state("completed"))
    running.until(lambda event: event.get("phase") == "watching")
    time.sleep(0.5)
    assert (inbox / "transcribed" / "a.flac").exists()
    world.put("long", "inbox/b.wav")
    running.until(is_a("SegmentsFound"))
    running.kill()
    world.whole(inbox / "transcribed" / "a.flac", inbox / "b.wav", *QUICK, "-f", "txt")
    world.media["media/inbox/transcribed/a.flac"] = world.media.pop("media/inbox/a.flac")
    return {"exit": 0, "watch": _neutral(options), "done": ["b.wav"]}


def taken(world: World) -> About:
    """A watched folder, ended by SIGTERM: a file left alone as it was there before, one done."""
    inbox = ROOT / "media" / "inbox"
    world.put("short", "inbox/before.flac")
    options = inbox, "--settle", "0.2", "--existing", "ignore", *QUICK, "-f", "txt", "-o", OUT
    running = Running("watch", "--json", *options)
    running.until(is_watching)  # its files were looked at once
    world.put("weekdays", "inbox/done.flac")
    running.until(is_state("completed"))
    running.until(lambda event: event.get("phase") == "watching")
    assert running.terminate() == 0
    world.put("weekdays", "inbox/copy.flac")
    world.put("talk", "inbox/new.wav")
    world.whole(inbox / "done.flac", inbox / "new.wav", *QUICK, "-f", "txt")
    return {"exit": 0, "watch": _neutral(options), "done": ["new.wav"]}


def background(world: World) -> About:
    """A batch in the background that came to its end, with its log: one file done, one failed."""
    world.run("config", "set", "log.level", "info")  # more would be where the program is
    files = world.put("short", "good.flac"), world.put("broken", "broken.mp3")
    world.run("run", "--detach", *files, *QUICK, "-f", "txt", "-o", OUT)
    while not (ROOT / "state" / "last-batch.json").exists() or _is_live():
        time.sleep(0.05)
    world.whole(files[0], *QUICK, "-f", "txt")
    status = json.loads(world.run("status", "--json"))
    return {"exit": 1, "last": status["last"]}


def background_killed(world: World) -> About:
    """A batch in the background, killed inside a file: its address is left behind."""
    file = world.put("long")
    world.run("run", "--detach", file, *QUICK, "-f", "txt", "-o", OUT)
    batch = Attached()
    batch.until(is_a("SegmentsFound"))
    os.killpg(os.getpgid(batch.welcome["pid"]), 9)
    time.sleep(0.2)
    world.whole(file, *QUICK, "-f", "txt")
    return RESUME


def foreign(world: World) -> About:
    """A session of the earlier desktop program, in its words: its example with other folders."""
    example = Path(__file__).parent / "sessions" / "20251214_123456.json"
    document = json.loads(example.read_text())
    _to_neutral(document)
    folder = ROOT / "tmp" / "faster_whisper_sessions"
    folder.mkdir(parents=True)
    (folder / example.name).write_text(json.dumps(document, indent=2))
    OUT.mkdir()
    (OUT / "file1.txt").write_text("done\n")
    files = world.put("short", "file2.mp3"), world.put("weekdays", "file3.mp3")
    options = *EXACT, "--add_timestamps", "-f", "txt"
    world.whole(*files, "--language", "en", *options)
    (ROOT / "whole" / "file1.txt").write_text("done\n")
    more = ["--temperature_increment_on_fallback", "None", "--threads", "1", "--device", "cpu"]
    return {"exit": 0, "options": [*more, "--no-add_report"]}


def foreign_windows(world: World) -> About:
    """A session of the earlier desktop program from Windows, as its documentation has it."""
    foreign(world)
    example = Path(__file__).parent / "sessions" / "20251214_123456.json"
    document = json.loads(example.read_text())
    document["model_path"] = "D:\\WhisperModel\\model\\faster-whisper-tiny"
    target = ROOT / "tmp" / "faster_whisper_sessions" / example.name
    target.write_text(json.dumps(document, indent=2))
    more = ["--temperature_increment_on_fallback", "None", "--threads", "1", "--device", "cpu"]
    maps = ["--map", f"D:\\Audio={ROOT}/media", "--map", f"D:\\Output={OUT}"]
    return {"exit": 0, "options": [*more, "--no-add_report", *maps]}


def adopted(world: World) -> About:
    """A session of the earlier desktop program, made ours by a resume, killed inside a file."""
    foreign(world)
    world.put("long", "file2.mp3")
    more = ["--temperature_increment_on_fallback", "None", "--threads", "1", "--device", "cpu"]
    running = Running("run", "--resume", "--json", "--no-add_report", *more)
    running.until(is_a("SegmentsFound"))
    running.kill()
    shutil.rmtree(ROOT / "whole")
    files = ROOT / "media" / "file2.mp3", ROOT / "media" / "file3.mp3"
    world.whole(*files, "--language", "en", *EXACT, "--add_timestamps", "-f", "txt")
    (ROOT / "whole" / "file1.txt").write_text("done\n")
    return RESUME


def mapped(world: World) -> About:
    """A mapping of folders that was told once (path-maps.toml), its session killed afterwards."""
    file = world.put("long", "here/long.wav")
    (ROOT / "media" / "there").symlink_to("here")
    killed(world, 2, ROOT / "media" / "there" / file.name, *QUICK, "-f", "txt")
    (ROOT / "media" / "there").unlink()
    said = f"{ROOT}/media/there={ROOT}/media/here"
    running = Running("run", "--resume", "--json", "--map", said)
    running.until(is_a("SegmentsFound"))
    running.kill()
    world.whole(file, *QUICK, "-f", "txt")
    return RESUME


def transcribed(world: World) -> About:
    """The record of what was transcribed, with what was measured; a resume is not needed."""
    file = world.put("talk", "talks/talk.wav")
    options = [*QUICK, "-f", "txt", "--output_layout", "source"]
    world.run("run", file, *options)
    copy = world.put("talk", "others/copy.wav")
    assert copy.exists()
    world.run("run", file, *options, "--skip_transcribed", state="state")
    return {"options": options}


def config(world: World) -> About:
    """A settings file by `fwtui config set` and `bench --save`, and what it says."""
    for key, value in (
        ("model", "tiny"), ("language", "de"), ("beam_size", "3"), ("vad_filter", "True"),
        ("temperature_increment_on_fallback", "None"), ("output_format", "srt"),
        ("initial_prompt", 'Übung "eins"'), ("batch_size", "8"), ("memory.limit", "12GB"),
        ("theme", "nord"), ("on_batch_done", "~/bin/tell-me"), ("log.level", "info"),
        ("low_confidence", "-0.7"), ("output_name", "{date}/{stem}.{language}"),
    ):  # fmt: skip
        world.run("config", "set", "--", key, value)
    clip = world.put("short", "short.flac")
    world.run(
        "bench", clip, "--save", "Board meetings", "--device", "cpu", "--threads", "1",
        "--try_compute_types", "int8", "--try_batch_sizes", "1", "--try_workers", "1",
    )  # fmt: skip
    world.run("config", "unset", "batch_size")
    with (ROOT / "config" / "settings.toml").open("a") as file:  # as a user would
        file.write('\n[keys]\nremove = "f9"\nskip = ["x", "f8"]\n')
    shown = json.loads(world.run("config", "show", "--json"))
    profile = json.loads(world.run("config", "show", "--json", "--profile", "Board meetings"))
    return {"shown": _values(shown), "profile": _values(profile)}


def _values(shown: list[dict[str, Any]]) -> dict[str, Any]:
    return {one["key"]: one["value"] for one in shown if one["value"] != one["default"]}


CASES: tuple[Maker, ...] = (
    queued, killed_before_first_window, killed_after_window_1, killed_mid_file,
    killed_between_files, all_windows_done, killed_while_writing, failed, cancelled,
    stopped_by_signal, paused, batched,
    batched_short_files, words, languages, clips, own_settings, other_settings, names, tree,
    renamed_outputs, kept_outputs, beside, odd_names, removed, reordered, retried, engine_died,
    compacted, torn, thousand, link, watched, watched_profile, moved_away, taken, background,
    background_killed,
    foreign, foreign_windows, adopted, mapped, transcribed, config,
)  # fmt: skip
# What is kept beside the sessions, where it is what matters.
WANTED = {
    "background": ("last-batch.json", "logs"),
    "background-killed": ("live",),
    "transcribed": ("transcribed.sqlite3", "history.json", "names.lock"),
}
TRIES = 12


def name_of(maker: Maker) -> str:
    """The folder that it makes."""
    return maker.__name__.replace("_", "-")


def make(maker: Maker, world: World, ids: set[str]) -> None:
    """Make a folder; a kill that came at another moment than it should is tried again."""
    name = name_of(maker)
    for number in range(TRIES):
        world.clear()
        try:
            more = maker(world)
        except (AssertionError, StopIteration) as error:
            print(f"{name}: once more, for {error!r}")
            assert number < TRIES - 1
            time.sleep(1)
            continue
        break
    assert maker.__doc__
    wanted = WANTED.get(name, ())
    world.keep(places.DATA / name, maker.__doc__.partition("\n")[0], more, wanted)
    session = places.about(name).get("session", name)
    assert session not in ids or session == FOREIGN, session
    ids.add(session)
    _check(places.DATA / name)
    print(f"{name}: {session}")
    time.sleep(1.1)  # the next session has another id


def write_readme() -> None:
    """A line for each folder."""
    rows = [f"| `{f.name}` | {places.about(f.name)['holds']} |" for f in sorted(_folders())]
    (places.DATA / "README.md").write_text(README + "\n".join(rows) + "\n")


README = """\
# What fwtui 0.1 left on the disk

Each folder was made by fwtui 0.1.0 itself, in real processes that were really killed, with
`tests/data/make_sessions.py`; nothing was edited, but for the `[keys]` that a user writes into
`settings.toml`. `tests/old/test_old_sessions.py` goes on with all
of them: every later version must, with the same outputs and without doing a window again.

In a folder: `state/`, `config/`, `tmp/` and `out/` as they were found on the disk (only what is
longer than 30,000 bytes, and SQLite, is packed with gzip), all with paths below the neutral folder
`/fwtui-data` and on the host `archive`; `about.json` says how to go on, `listed.jsonl` what
`fwtui sessions --json` said, `expected/` what an uninterrupted run wrote. File names are
percent-encoded where they are unusual. Recordings are made anew by `tests/old/recordings.py`, with
the same bytes and dates; `tests/old/places.py` puts a folder where a test can use it.

The sessions of the earlier desktop program are not its own: they are the example of its
documentation (`tests/data/sessions/`), with other folders. `../protocol-0.1` is what was said in
JSON, by `tests/data/make_protocol.py`.

| folder | what it holds |
|---|---|
"""


def _folders() -> list[Path]:
    return [path for path in places.DATA.iterdir() if path.is_dir()]


def _check(folder: Path) -> None:
    """Nothing of this machine may be in the files."""
    forbidden = (*FORBIDDEN, os.environ[REAL_HOST].encode() + b'"')
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".gz":
                data = subprocess.run(["gzip", "-dc", path], capture_output=True, check=True).stdout
            data = data.replace(bytes(ROOT / "tmp"), b"")
            for word in forbidden:
                assert word not in data, (path, word)


def _with(settings: dict[str, Any], **sections: dict[str, Any]) -> dict[str, Any]:
    return settings | {name: settings[name] | values for name, values in sections.items()}


def _neutral(arguments: tuple[str | Path, ...]) -> list[str]:
    return [str(argument) for argument in arguments]


def _is_live() -> bool:
    return any((ROOT / "state" / "live").glob("*.json"))


def _to_neutral(document: Event) -> None:
    document["model_path"], document["output_dir"] = "tiny", str(OUT)
    for entry in document["files"]:
        for key, folder in (("path", ROOT / "media"), ("output_path", OUT)):
            if entry[key]:
                entry[key] = str(folder / entry[key].rpartition("\\")[2])


def main() -> None:
    """Make what is named, or all."""
    in_own_namespace("make_sessions")
    wanted = sys.argv[1:]
    world, ids = World(), set[str]()
    try:
        for maker in CASES:
            if not wanted or name_of(maker) in wanted:
                make(maker, world, ids)
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(ROOT)
    write_readme()


if __name__ == "__main__":
    main()
