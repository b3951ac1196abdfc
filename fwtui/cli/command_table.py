"""The commands: where each is found, so that it is imported only when called, and its summary."""

from typing import NamedTuple


class CommandEntry(NamedTuple):
    """The module of `fwtui.cli`, the attribute that is the click command, and one line of help."""

    module: str
    attribute: str
    summary: str


COMMANDS = {
    "run": CommandEntry(
        "run", "command", "Transcribe without the screen: for scripts, ssh and cron."
    ),
    "watch": CommandEntry(
        "watch", "command", "Transcribe new recordings in folders until stopped."
    ),
    "demo": CommandEntry("demo", "command", "Transcribe the bundled clips with the bundled model."),
    "models": CommandEntry(
        "models", "command", "List, download, inspect and remove Whisper models."
    ),
    "speakers": CommandEntry(
        "known_speakers", "command", "Add, list and delete the voices of known speakers."
    ),
    "doctor": CommandEntry(
        "doctor", "command", "Check this machine and suggest a fix for each problem."
    ),
    "bench": CommandEntry(
        "bench", "command", "Measure which settings are fastest on this machine."
    ),
    "attach": CommandEntry("control", "attach", "Open the screen on a running batch."),
    "status": CommandEntry("status", "command", "Show running batches and the result of the last."),
    "pause": CommandEntry("control", "pause", "Pause a running batch after its current chunk."),
    "unpause": CommandEntry("control", "unpause", "Resume a paused batch."),
    "add": CommandEntry("control", "add", "Add files to a running batch."),
    "stop": CommandEntry("control", "stop", "Stop a running batch; it can be resumed later."),
    "sessions": CommandEntry(
        "sessions", "command", "List, inspect, export and discard unfinished sessions."
    ),
    "history": CommandEntry(
        "show_history", "command", "List and search what was transcribed, and where it is."
    ),
    "config": CommandEntry("config", "command", "Show, change and check the settings."),
    "report-bug": CommandEntry(
        "report_bug", "command", "Create an anonymised bundle for a bug report."
    ),
    "completion": CommandEntry(
        "completion", "command", "Print the tab completion script for bash, zsh or fish."
    ),
}
