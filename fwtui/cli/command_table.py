"""TODO."""

COMMANDS = {
    "run": "Transcribe without a screen: for scripts, ssh and cron.",
    "watch": "Transcribe what comes into folders, until it is stopped.",
    "demo": "Transcribe the embedded clips with the embedded model.",
    "models": "List, download, look into and remove models.",
    "doctor": "Check this machine: every problem with its fix.",
    "bench": "Measure which settings are fastest on this machine.",
    "attach": "Open the screen on a batch that runs in the background.",
    "status": "What the running batches do, and how the last one ended.",
    "pause": "Let a running batch rest after its current window.",
    "unpause": "Let a paused batch go on.",
    "add": "Add files to a running batch.",
    "stop": "Stop a running batch; it can be resumed.",
    "sessions": "List interrupted sessions, look into one, or discard some.",
    "config": "The settings file, and where each value comes from.",
    "report-bug": "Put an anonymous bundle for a bug report together.",
    "completion": "The script for tab completion in bash, zsh or fish.",
}
