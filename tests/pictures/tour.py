"""The walk through every screen and dialog, in the order in which a user may meet them."""

from collections.abc import Callable

from fwtui import demo
from tests.batch.driver import MINUTE
from tests.pictures.walk import MARK, Batch, Walk

ENGINE_SECONDS = 600.0  # until files are transcribed, on a busy machine
BROKEN = "holiday photos.mp3"
HOSTILE = "Ünïcödé 会議の録音 (final) [v2] & more of a name that is far too long for a row.mp3"
MISSING = ("--model", "tiny")


def demo_batch() -> Batch:
    """The built-in model and its clips; the minute is long enough to be looked at."""
    model = ("--model", str(demo.model_dir()), "--device", "cpu", "--threads", "1")
    return Batch(
        (*model, "--beam_size", "1", "--language", "en"),
        [path for path in demo.clips() if "german" not in path.name] + [MINUTE],
    )


def prepare(walk: Walk) -> None:
    """Files beside the recordings: one that is none, one with a difficult name, many."""
    (walk.recordings / BROKEN).write_text("not sound")
    first = min(walk.recordings.glob("*.*"))
    (walk.recordings / HOSTILE).hardlink_to(first)
    many = walk.home / "archive"
    many.mkdir()
    for number in range(2000):
        (many / f"tape {number:04}{first.suffix}").hardlink_to(first)
    (walk.home / "incoming").mkdir()


def empty(walk: Walk) -> None:
    """Nothing in the queue yet, and what can be done then."""
    walk.start(*walk.options, patient=True)
    walk.see("empty", "Nothing in the queue yet", "Quit")
    walk.visit("settings", "settings", "Settings", "Save as defaults")
    walk.visit("help", "help", "Keys", "Close")
    walk.visit("models", "models", "large-v3", "in use", "Folder or ID")
    walk.press("models")
    walk.wait("models", "large-v3", "in use")
    walk.press("model_other")
    walk.see("another model", "Another model", "CTranslate2")
    walk.leave("another model", "Another model")
    walk.leave("models", "Folder or ID")
    walk.visit("report-empty", "report", "Report", "Open folder")
    walk.visit("watched folders-none", "watch", "Stop watching", "No watched folders")
    walk.press("palette")
    walk.see("palette", "Search for commands")
    walk.press("dialog_close")
    walk.wait("the screen behind the palette", gone="Search for commands")
    walk.press("doctor")
    walk.see("doctor", "Doctor", "Re-run", gone="checking", seconds=ENGINE_SECONDS)
    walk.leave("doctor", "Re-run")
    walk.visit("bug report", "bug", "about.txt", "Write", "Report a bug")


def settings(walk: Walk) -> None:
    """Values that are typed, wrong or changed, and a profile of one's own."""
    walk.press("settings")
    walk.wait("settings", "Save as defaults")
    walk.press("setting_filter")
    walk.wait("the filter of the settings", "Find in names")
    walk.type("beam")
    walk.see("settings-found", "beam_size")
    walk.terminal.press("Enter")
    walk.wait("the settings that were found", "beam_size", gone="best_of")
    walk.press("setting_edit")
    walk.type("0")
    walk.see("settings-wrong", "beam_size", "1")
    walk.press("dialog_close")
    walk.press("setting_precise", "setting_name_profile")
    walk.wait("the name of a profile", "Profile name")
    walk.type("Interviews")
    walk.terminal.press("Enter")
    walk.see("settings-profile", "Interviews", "changed")
    walk.press("dialog_close")
    walk.wait("the filter", gone="Find in names")
    walk.press("dialog_close")
    walk.see("settings-ask", "Discard the changes?")
    walk.terminal.press("Right")
    walk.rest()
    walk.terminal.press("Enter")
    walk.wait("the screen behind the settings", "Nothing in the queue yet")


def add(walk: Walk) -> None:
    """Files by the tree and by their names."""
    walk.press("add")
    walk.see("add", "Add files", "recordings")
    walk.type("recordings/")
    walk.see("add-typed", "Add ", "total")
    walk.terminal.press("C-u")
    walk.wait("nothing to add", "Nothing selected yet")
    walk.terminal.press("Tab")
    walk.wait("the tree", "Space select")
    walk.press("end", "add_choose")
    walk.see("add-tree", "Space select", "total")
    walk.press("add_confirm")
    walk.see("waiting", "Queue", f"{len(walk.batch.recordings) + 2} left", "Start")
    walk.visit("details-waiting", "details", "waiting", "Retry with")


def queue(walk: Walk) -> None:
    """What is done with waiting files."""
    walk.press("select", "select")
    walk.see("selected", "2 selected")
    walk.press("escape")
    walk.wait("the queue", gone="2 selected")
    walk.press("sort")
    walk.see("sorted", "by name")
    while "by " in walk.terminal.screen.partition("Queue")[2].partition("\n")[0]:
        walk.press("sort")
        walk.rest()
    walk.press("filter")
    walk.type("is:waiting e")
    walk.see("filter", "is:waiting e", "Queue")
    walk.press("escape")
    walk.wait("the queue", gone="is:waiting e")
    walk.press("home", "skip")
    walk.see("skipped", "1 skipped")
    walk.press("watch")
    walk.wait("watched folders", "No watched folders")
    walk.press("watch_add")
    walk.see("watch form", "Watch a folder", "Detection")
    walk.type(str(walk.home / "incoming"))
    walk.terminal.press("Enter")
    walk.see("watched folders", "~/incoming", "Stop watching", gone="Watch a folder")
    walk.press("watch_remove")
    walk.wait("watched folders", "No watched folders")
    walk.leave("watched folders", "Stop watching")


def running(walk: Walk) -> None:
    """At work; the engine waits inside of each file."""
    walk.press("start")
    walk.see("running", "live", "Pause", seconds=ENGINE_SECONDS)
    for pane in ("transcript", "log", "memory"):
        walk.press(pane, "zoom")
        walk.see(f"zoomed {pane}", pane.capitalize(), gone="Progress")
        walk.press("zoom", "queue")
        walk.wait("the panes", "Progress")
    walk.press("filter")
    walk.type("is:running")
    walk.wait("the running file", "is:running")
    walk.terminal.press("Enter")
    walk.rest()
    walk.press("home")
    walk.visit("details-running", "details", "running", "Retry with")
    walk.press("report")
    walk.see("report so far", "Report so far", "Run time", "Export")
    walk.leave("report so far", "Report so far")
    walk.press("quit")
    walk.see("quit", "Quit while", "In the background")
    walk.leave("quit", "Quit while")
    walk.press("remove")
    walk.see("remove-running", "from the queue?")
    walk.leave("remove-running", "from the queue?")
    walk.press("escape")
    walk.wait("the queue", gone="is:running")
    walk.press("start")
    walk.see("paused", "paused", "Resume", seconds=ENGINE_SECONDS)
    walk.press("quit")
    walk.see("shell-unfinished", MARK, seconds=ENGINE_SECONDS)


def resume(walk: Walk) -> None:
    """The next start offers what is unfinished."""
    walk.start(*walk.options)
    walk.see("resume", "Unfinished session found", "Waiting files", "Later")
    walk.press("resume_inspect")
    walk.see("resume-inspect", "Session 2", "Close", gone="Later")
    walk.press("dialog_close")
    walk.wait("resume", "Unfinished session found", "Later")
    walk.press("resume_discard")
    walk.see("resume-discard", "Discard this session?")
    walk.press("dialog_close")
    walk.wait("resume", "Later", gone="Discard this session?")
    walk.press("resume_resume")
    walk.see("done", "finished in", seconds=ENGINE_SECONDS)


def done(walk: Walk) -> None:
    """What became of the files."""
    walk.press("queue", "home")
    walk.visit("details-first", "details", "Status", "Retry with")
    walk.press("down", "down")
    walk.visit("details-done", "details", "Status", "Retry with")
    walk.press("details")
    walk.wait("details", "Status", "Retry with")
    walk.press("details_settings")
    walk.see("retry with", "Retry with these")
    walk.leave("retry with", "Retry with these")
    walk.leave("details", "Copy transcript")
    walk.press("retry")
    walk.see("transcribe again", "Transcribe again?")
    walk.leave("transcribe again", "Transcribe again?")
    walk.press("filter")
    walk.type("is:failed")
    walk.see("filter-failed", BROKEN[:8], "is:failed")
    walk.terminal.press("Enter")
    walk.visit("details-failed", "details", "failed", "Retry with")
    walk.press("escape")
    walk.press("report")
    walk.see("report", "Report", "Run time", "Open folder")
    walk.press("report_export")
    walk.see("export", "Export the report", "Cancel")
    walk.leave("export", "Export the report")
    walk.leave("report", "Open folder")
    walk.press("sessions")
    walk.see("sessions", "Sessions", "1 stored", "Created", "Delete")
    walk.press("session_open", "session_open")
    walk.see("sessions-file", "Status", "About")
    walk.leave("sessions-file", "About")
    walk.leave("sessions' files", "a name that is not there")
    walk.press("session_export")
    walk.see("sessions-export", "Export session")
    walk.leave("sessions-export", "Export session")
    walk.leave("sessions", "1 stored")
    walk.press("history")
    walk.see("history", "History", "Add again")
    walk.leave("history", "Add again")
    walk.press("theme")
    walk.see("light", "Queue", "finished in")
    walk.press("quit")
    walk.see("shell-done", MARK)


def several(walk: Walk) -> None:
    """A batch in the background, and two that were interrupted."""
    walk.start("run", "--detach", str(walk.recordings), *walk.options, patient=True)
    walk.wait("fwtui run --detach", MARK)
    walk.start(*walk.options)
    walk.see("running elsewhere", "A batch is running", "Attach")
    walk.press("help")
    walk.see("help-dialog", "Keys")
    walk.leave("help-dialog", "Keys")
    walk.terminal.press("a")
    walk.see("attached", "Queue", "left", gone="A batch is running")
    walk.press("stop")
    walk.wait("the batch", "Start", seconds=ENGINE_SECONDS)
    walk.press("quit")
    walk.wait("the shell", MARK, seconds=ENGINE_SECONDS)
    walk.start("stop")
    walk.wait("fwtui stop", MARK, seconds=ENGINE_SECONDS)


def problems(walk: Walk) -> None:
    """A model that is not here, a folder that cannot be written to, files that have moved."""
    walk.start(str(walk.recordings), *MISSING, "-o", "~/transcripts")
    walk.wait("unfinished sessions", "Later", "found")
    walk.press("resume_later")
    walk.wait("the queue", "left", gone="Later")
    walk.press("start")
    walk.see("missing model", "Model not downloaded", "Choose another")
    walk.leave("missing model", "Model not downloaded")
    walk.press("quit")
    walk.wait("the shell", MARK)
    walk.recordings.rename(walk.home / "moved")
    walk.start(*walk.options)
    walk.see("resume-several", "unfinished sessions found")
    walk.press("resume_resume")
    walk.see("moved files", "Files from another machine", "Remember")
    walk.leave("moved files", "Files from another machine")
    walk.press("resume_later")
    walk.wait("the queue", gone="unfinished sessions found")
    walk.press("quit")
    walk.wait("the shell", MARK)


def thousands(walk: Walk) -> None:
    """Very many files."""
    walk.start("archive", *walk.options)
    walk.wait("unfinished sessions", "Later", "found")
    walk.press("resume_later")
    walk.see("thousands", "2,000 left", "tape 0001")
    walk.press("end")
    walk.see("thousands-end", "tape 1999")


PARTS: tuple[Callable[[Walk], None], ...] = (
    empty,
    settings,
    add,
    queue,
    running,
    resume,
    done,
    several,
    problems,
    thousands,
)
