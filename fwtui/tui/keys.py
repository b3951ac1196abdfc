"""Every key of the program, once: bindings, footer, palette, help and docs are made from it."""

import re
from collections.abc import Callable, Collection, Iterator
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace
from textual.binding import Binding, BindingType

Where = Literal[
    "queue", "panes", "moving", "search", "typing", "log", "memory", "everywhere", "dialog",
    "add", "settings", "resume", "sessions", "details",
    "speakers", "report", "watch", "bug", "models", "doctor", "history",
    "running", "missing", "leaving", "export",
]  # fmt: skip


class Key(Struct, frozen=True):
    """One action and the keys that call it.

    `footer`: it is among the hints at the bottom of some pane, where a `pinned` one is always
    shown; `palette` puts it into the command palette; `priority` makes it work wherever the focus
    is, text fields included.
    """

    id: str
    keys: tuple[str, ...]
    action: str
    label: str
    tooltip: str
    where: Where = "everywhere"
    footer: bool = False
    pinned: bool = False
    palette: bool = True
    priority: bool = False


def _key(id: str, keys: str, label: str, tooltip: str, action: str = "") -> Key:  # noqa: A002
    """A line of the table. Keys are separated by spaces.

    Without an `action` it is named as the id, less the prefix of the section.
    """
    return Key(id, tuple(keys.split()), action, label, tooltip)


_QUEUE = (
    _key("add", "a", "Add", "Add files, folders or patterns to the queue"),
    _key("start", "s", "Start", "Start; pause after the current chunk; resume", "start_pause"),
    _key("stop", "S", "Stop", "Stop at once and free memory; the running file keeps its progress"),
    _key("details", "enter", "Details", "Show media, attempts, errors and outputs of the file"),
    _key("skip", "x", "Skip", "Cancel the running file, or skip a waiting one"),
    _key("retry", "r", "Retry", "Queue finished files again"),
    _key("restart", "R", "Restart", "Queue files again from the beginning"),
    _key("remove", "d", "Remove", "Remove files from the queue"),
    _key("undo", "u", "Undo", "Undo the last removal (progress included)"),
    _key("move_down", "J", "Move down", "Move files down in the queue", "move(1)"),
    _key("move_up", "K", "Move up", "Move files up in the queue", "move(-1)"),
    _key("select", "space", "Select", "Select the file and move to the next"),
    _key("range", "V", "Range", "Select a range: begin, move, then act; again or Esc to end"),
    _key("range_down", "shift+down", "Select down", "Extend the selection down", "extend(1)"),
    _key("range_up", "shift+up", "Select up", "Extend the selection up", "extend(-1)"),
    _key("select_all", "ctrl+a", "Select all", "Select all files shown, or none"),
    _key("filter", "/", "Filter", "Filter: words of names, is:failed, lang:de, length>30m"),
    _key("sort", "o", "Sort", "Sort by name, length, state, speed, time, date or findings"),
    _key("sort_reverse", "O", "Reverse", "Reverse the order of the view"),
    _key("work_order", "w", "Process in this order", "Process files in the order shown"),
    _key("edit", "e", "Edit", "Open the transcript in $EDITOR"),
    _key("view", "v", "View", "Show the transcript in $PAGER"),
    _key("speakers", "I", "Speakers", "Identify the speakers of the file: listen, give names"),
    _key("watch", "W", "Watch folders", "Watched folders: status, add, stop watching"),
    _key("settings", "comma", "Settings", "Settings and profiles, for this batch or as defaults"),
    _key("fit", "M", "Fit memory", "Apply the suggested settings for a batch that exceeds memory"),
    _key("report", "i", "Report", "Totals, speed, slowest files, failures and memory"),
    _key("sessions", "ctrl+o", "Sessions", "Unfinished sessions: inspect, resume, export, delete"),
    _key("history", "H", "History", "What was transcribed: search, open, add again, mark checked"),
    _key("escape", "escape", "Back", "Clear the filter, then the selection, then the zoom"),
    _key("follow", "f", "Follow", "Follow the running file"),
    _key("models", "m", "Models", "Models: download, pause, remove, or use one for this batch"),
    _key("doctor", "D", "Doctor", "Check this machine and show how to fix each problem"),
)

_PANES = (
    _key("next_pane", "tab", "Panes", "Focus the next pane", "next_pane(1)"),
    _key("previous_pane", "shift+tab", "Previous pane", "Focus the previous pane", "next_pane(-1)"),
    _key("queue", "1", "Queue", "Focus the queue", "pane('queue')"),
    _key("transcript", "2", "Transcript", "Focus or hide the transcript", "pane('transcript')"),
    _key("log", "3", "Log", "Focus or hide the log", "pane('log')"),
    _key("memory", "4", "Memory", "Focus or hide the memory pane", "pane('memory')"),
    _key("zoom", "z", "Zoom", "Maximise this pane, or restore it"),
    _key("preset", "p", "Layout", "Next layout: all panes, fewer, or one", "preset(1)"),
    _key("preset_before", "P", "Layout before", "The layout before", "preset(-1)"),
    _key("border_left", "< ctrl+left", "Border left", "Move the border left", "border(-1, 0)"),
    _key("border_right", "> ctrl+right", "Border right", "Move the border right", "border(1, 0)"),
    _key("border_up", "- ctrl+up", "Border up", "Move the border up", "border(0, -1)"),
    _key("border_down", "+ ctrl+down", "Border down", "Move the border down", "border(0, 1)"),
    _key("usual_sizes", "=", "Usual sizes", "Give the panes their usual sizes"),
    _key("copy", "y", "Copy", "Copy what the pane shows; from the queue, the transcript"),
)

_MOVING = (
    _key("up", "up k", "Up", "One line up", "go(-1)"),
    _key("down", "down j", "Down", "One line down", "go(1)"),
    _key("page_up", "pageup ctrl+b", "Page up", "One page up", "page(-1.0)"),
    _key("page_down", "pagedown ctrl+f", "Page down", "One page down", "page(1.0)"),
    _key("half_up", "ctrl+u", "Half a page up", "Half a page up", "page(-0.5)"),
    _key("half_down", "ctrl+d", "Half a page down", "Half a page down", "page(0.5)"),
    _key("home", "home g", "First", "First line"),
    _key("end", "end G", "Last", "Last line; transcript and log follow new lines again"),
)

_SEARCH = (
    _key("search", "/", "Search", "Search the text of the pane"),
    _key("search_next", "n", "Next", "Next place, from the first again after the last", "hit(1)"),
    _key("search_previous", "N", "Previous", "Place before", "hit(-1)"),
    _key("search_end", "escape", "End search", "End the search", "end_search"),
)

_TYPING = (
    _key("typing_keep", "enter", "Keep", "Keep the search and go to the text", "submit"),
    _key("typing_next", "down", "Next", "Next place", "hit(1)"),
    _key("typing_previous", "up", "Previous", "Place before", "hit(-1)"),
    _key(
        "typing_end",
        "escape",
        "End search",
        "End the search, back to where it began",
        "leave_search",
    ),
)

_LOG = (
    _key("log_open", "enter", "Open", "Show the whole line, or cut it again"),
    _key("log_wrap", "w", "Wrap", "Show all long lines whole, or cut them"),
    _key("log_copy", "Y", "Copy line", "Copy the line"),
    _key("left", "left h", "Left", "Scroll left", "side(-1)"),
    _key("right", "right l", "Right", "Scroll right", "side(1)"),
    _key("level", "v", "Level", "Raise the log level; after errors, show all again"),
    _key("log_filter", "&", "Filter", "Show only lines with a text", "screen.filter_log"),
)

_MEMORY = (_key("memory_zero", "0", "From 0", "Draw the curve from 0, or from its lowest value"),)

_EVERYWHERE = (
    _key("theme", "t", "Light or dark", "Switch between light and dark"),
    _key("palette", "ctrl+p", "Commands", "Search all commands", "command_palette"),
    _key("bug", "B", "Report a bug", "Preview an anonymised bug report", "report_bug"),
    _key("help", "? f1", "Help", "Show all keys"),
    _key("quit", "q", "Quit", "Save and quit (asks during transcription); detach when attached"),
    _key("suspend", "ctrl+z", "Suspend", "Back to the shell; fg returns", "suspend_process"),
    _key("interrupt", "ctrl+c ctrl+q", "Quit", "Quit from anywhere", "quit"),
)

_DIALOG = (
    _key("dialog_close", "escape", "Close", "Close the dialog, or what is open in it", "leave"),
    _key("dialog_before", "left", "Button before", "Go to the button before", "focus_button(-1)"),
    _key("dialog_after", "right", "Next button", "Go to the next button", "focus_button(1)"),
    _key("dialog_down", "down j", "Down", "One line down", "scroll_body(1)"),
    _key("dialog_up", "up k", "Up", "One line up", "scroll_body(-1)"),
    _key("dialog_page_down", "pagedown", "Page down", "Ten lines down", "scroll_body(10)"),
    _key("dialog_page_up", "pageup", "Page up", "Ten lines up", "scroll_body(-10)"),
)

_ADD = (
    _key("add_choose", "space", "Select", "Select the file or folder and move to the next"),
    _key("add_choose_all", "ctrl+a", "Select all", "Select everything listed, or nothing"),
    _key("add_open", "enter", "Open", "Open or close a folder; select a file"),
    _key("add_unfold", "right l", "Open", "Open the folder"),
    _key("add_fold", "left h", "Close", "Close the folder, or go to its parent"),
    _key("add_above", "backspace", "Up", "Go to the parent folder"),
    _key("add_search", "/", "Find", "Fuzzy-find files below this folder", "screen.search"),
    _key("add_kind", "m", "Type", "Show audio, video, or both", "screen.kind"),
    _key("add_known", "n", "Only new", "Hide files already queued or transcribed", "screen.known"),
    _key("add_confirm", "a", "Add", "Add the selected and typed files", "screen.confirm"),
)

_SETTINGS = (
    _key("setting_edit", "enter space", "Edit", "Type a value; toggle a switch or choice"),
    _key("setting_before", "left h", "Less", "Previous choice, decrease, or off", "step(-1)"),
    _key("setting_after", "right l", "More", "Next choice, increase, or on", "step(1)"),
    _key("setting_reset", "backspace delete d", "Reset", "Reset the value to its default"),
    _key("setting_fast", "1", "Fast", "Fast: int8 weights, beam size 1", "profile(0)"),
    _key("setting_precise", "2", "Precise", "Precise: native weights, beam size 5", "profile(1)"),
    _key("setting_deep", "3", "Deep", "Deep: native weights, beam size 10", "profile(2)"),
    _key("setting_profile", "p", "Next profile", "Apply the next profile", "next_profile"),
    _key("setting_name_profile", "n", "Save profile", "Save the values as a custom profile"),
    _key("setting_delete_profile", "D", "Delete profile", "Delete the current custom profile"),
    _key("setting_filter", "/", "Filter", "Show only settings whose name or help contains a text"),
    _key("setting_apply", "a", "Apply", "Apply to the files of this batch that have not started"),
    _key("setting_save", "s", "Save", "Save as defaults for new batches"),
)

_RESUME = (
    _key("resume_resume", "r enter", "Resume", "Continue the work; failed files are retried"),
    _key("resume_load", "L", "Load", "Put the files into the queue, without starting"),
    _key("resume_inspect", "i", "Inspect", "Show its files and attempts"),
    _key("resume_later", "l", "Later", "Keep the session and start a new one"),
    _key("resume_never", "n", "Do not offer", "Keep the session, but do not offer it again"),
    _key("resume_discard", "d", "Discard", "Delete the selected sessions (asks first)"),
    _key("resume_select", "space", "Select", "Select the session and move to the next"),
    _key("resume_select_all", "ctrl+a", "Select all", "Select all sessions, or none"),
)

_SESSIONS = (
    _key("session_open", "enter", "Open", "Open a session's files, then a file's details"),
    _key("session_resume", "r", "Resume", "Save this batch and continue the session instead"),
    _key("session_load", "L", "Load", "Save this batch and load the session, without starting"),
    _key("session_export", "e", "Export", "Export as JSON, TOML or CSV"),
    _key("session_folder", "o", "Open folder", "Open the folder of its transcripts"),
    _key("session_select", "space", "Select", "Select the session and move to the next"),
    _key("session_select_all", "ctrl+a", "Select all", "Select all sessions, or none"),
    _key("session_offer", "n", "Offer", "Offer the sessions at the next start, or not"),
    _key("session_discard", "d", "Discard", "Delete sessions, keep transcripts (asks first)"),
    _key("session_delete", "D", "Delete", "Delete the session and its transcripts (asks first)"),
)

_HISTORY = (
    _key("history_open", "enter", "Open", "Open a batch, or show a file's transcript in $PAGER"),
    _key("history_search", "/", "Search", "Search all files by path, model and language"),
    _key("history_view", "v", "View", "Show the transcript in $PAGER"),
    _key("history_edit", "e", "Edit", "Open the transcript in $EDITOR"),
    _key("history_folder", "o", "Folder", "Open the folder of the transcripts"),
    _key("history_again", "a", "Add again", "Add the recording to the queue"),
    _key("history_checked", "c", "Checked", "Mark the transcript as checked, or not"),
)

_DETAILS = (
    _key("details_retry", "r", "Retry", "Queue the file again"),
    _key("details_settings", "w", "Retry with", "Queue it again with other settings", "retry_with"),
    _key("details_edit", "e", "Edit", "Open the transcript in $EDITOR"),
    _key("details_view", "v", "View", "Show the transcript in $PAGER"),
    _key(
        "details_folder",
        "o",
        "Open",
        "Open the folder of its transcripts; without a desktop show the transcript in $PAGER",
    ),
    _key("details_copy", "y", "Copy", "Copy the transcript"),
    _key(
        "details_speakers", "I", "Speakers", "Identify the speakers of the file: listen, give names"
    ),
)

_SPEAKERS = (
    _key("speaker_edit", "enter", "Name", "Type the speaker's name"),
    _key("speaker_play", "p", "Play", "Play a passage of the speaker (with mpv or ffplay)"),
)

_REPORT = (
    _key("report_export", "e", "Export", "Export the report as Markdown, CSV or JSON"),
    _key("report_folder", "o", "Open folder", "Open the folder of the transcripts"),
)

_WATCH = (
    _key("watch_add", "a", "Add", "Watch another folder"),
    _key("watch_change", "enter e", "Edit", "Change how the folder is watched"),
    _key("watch_remove", "d", "Stop watching", "Stop watching; its queued files stay"),
)

_BUG = (
    _key("bug_write", "w", "Write", "Write what is shown to a zip file"),
    _key("bug_place", "p", "Path", "Change the path of the zip file"),
)

_MODELS = (
    _key("model_use", "enter", "Use", "Use the model for files that have not started"),
    _key("model_download", "d", "Download", "Download or continue, also while this is closed"),
    _key("model_pause", "p", "Pause", "Pause the download and keep the part downloaded"),
    _key(
        "model_other",
        "a",
        "Folder or ID",
        "Use a model in a folder, or by its Hugging Face ID",
        "other",
    ),
    _key("model_remove", "delete D", "Remove", "Delete the model from this machine (asks first)"),
)

_DOCTOR = (
    _key("doctor_again", "r", "Re-run", "Run all checks again"),
    _key("doctor_copy", "y", "Copy", "Copy all findings"),
)

_RUNNING = (
    _key("running_attach", "a", "Attach", "Show the batch here; it stays in its process"),
    _key("running_leave", "n", "New batch", "Begin a separate batch; this one keeps running"),
)

_MISSING = (
    _key("missing_download", "d", "Download", "Download it; the batch starts when it is ready"),
    _key("missing_other", "a c", "Choose another", "List all models, or name a folder"),
)

_LEAVING = (
    _key("leaving_background", "b", "In the background", "Keep transcribing without this screen"),
)

_EXPORT = (
    _key("export_format_before", "up", "Format before", "The format before", "format(-1)"),
    _key("export_format", "down", "Next format", "The next format", "format(1)"),
)

# Title, keys, and the prefix of their ids.
_SECTIONS: dict[Where, tuple[str, tuple[Key, ...], str]] = {
    "queue": ("Queue", _QUEUE, ""),
    "panes": ("Panes", _PANES, ""),
    "moving": ("Moving", _MOVING, ""),
    "search": ("Search in transcript and log", _SEARCH, ""),
    "typing": ("While typing a search", _TYPING, "typing_"),
    "log": ("Log", _LOG, "log_"),
    "memory": ("Memory", _MEMORY, "memory_"),
    "everywhere": ("Everywhere", _EVERYWHERE, ""),
    "dialog": ("Dialogs", _DIALOG, "dialog_"),
    "add": ("Add files", _ADD, "add_"),
    "settings": ("Settings", _SETTINGS, "setting_"),
    "resume": ("Unfinished sessions at start", _RESUME, "resume_"),
    "sessions": ("Sessions", _SESSIONS, "session_"),
    "history": ("History", _HISTORY, "history_"),
    "details": ("File details", _DETAILS, "details_"),
    "speakers": ("Speakers", _SPEAKERS, "speaker_"),
    "report": ("Report", _REPORT, "report_"),
    "watch": ("Watched folders", _WATCH, "watch_"),
    "bug": ("Bug report", _BUG, "bug_"),
    "models": ("Models", _MODELS, "model_"),
    "doctor": ("Doctor", _DOCTOR, "doctor_"),
    "running": ("Running batches at start", _RUNNING, "running_"),
    "missing": ("Model not downloaded", _MISSING, "missing_"),
    "leaving": ("Quit", _LEAVING, "leaving_"),
    "export": ("Export", _EXPORT, "export_"),
}
# The most important first. Behind those of a pane come those of the whole screen.
_SCREEN_FOOTER = (
    *("settings", "next_pane", "preset", "report", "sessions", "history"),
    *("help", "quit"),
)
FOOTERS: dict[str, tuple[str, ...]] = {
    "queue": (
        *("add", "start", "details", "skip", "retry", "remove", "filter"),
        *_SCREEN_FOOTER,
    ),
    "transcript": (
        *("search", "search_next", "search_previous", "search_end", "end", "copy", "edit", "view"),
        *("details", "zoom", "start", "add"),
        *_SCREEN_FOOTER,
    ),
    "log": (
        *("search", "search_next", "search_previous", "search_end", "end", "log_open", "log_wrap"),
        *("copy", "log_copy", "log_filter", "level", "zoom", "start", "add"),
        *_SCREEN_FOOTER,
    ),
    "memory": ("memory_zero", "fit", "copy", "zoom", "start", "add", *_SCREEN_FOOTER),
    "typing": (
        *("typing_keep", "typing_next", "typing_previous", "typing_end", "escape"),
        *("help", "interrupt"),
    ),
}
"""The keys in the bottom line by the pane that has the focus, `typing` for a text field."""

_IN_A_FOOTER = frozenset(name for names in FOOTERS.values() for name in names)
_ALWAYS_IN_FOOTER = frozenset({"help", "quit", "interrupt"})
_IN_PALETTE = frozenset({"queue", "panes", "search", "log", "memory", "everywhere"})
_NOT_IN_PALETTE = frozenset(
    {
        *("escape", "next_pane", "previous_pane", "left", "right", "palette", "interrupt"),
        *("search_next", "search_previous", "search_end", "log_open", "log_copy"),
    }
)
_WHILE_TYPING = frozenset({"interrupt"})


def _assembled() -> Iterator[Key]:
    for where, (_, keys, prefix) in _SECTIONS.items():
        for key in keys:
            yield replace(
                key,
                action=key.action or key.id.removeprefix(prefix),
                where=where,
                footer=key.id in _IN_A_FOOTER,
                pinned=key.id in _ALWAYS_IN_FOOTER,
                palette=where in _IN_PALETTE and key.id not in _NOT_IN_PALETTE,
                priority=key.id in _WHILE_TYPING,
            )


TITLES: dict[Where, str] = {where: title for where, (title, *_) in _SECTIONS.items()}
KEYS: tuple[Key, ...] = tuple(_assembled())

_SYMBOLS = {
    "escape": "Esc",
    "comma": ",",
    "backspace": "⌫",
    "delete": "Del",
    "enter": "⏎",
    "space": "Space",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "shift+up": "Shift+↑",
    "shift+down": "Shift+↓",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}
_ASCII = {"⏎": "Enter", "⌫": "Backspace", "↑": "Up", "↓": "Down", "←": "Left", "→": "Right"}
_FUNCTION_KEY = re.compile(r"f\d+")


def bindings(*where: Where) -> list[BindingType]:
    """Textual bindings of the keys in these sections."""
    return [
        Binding(
            ",".join(key.keys),
            key.action,
            key.label,
            tooltip=key.tooltip,
            id=key.id,
            show=key.footer,
            priority=key.priority,
        )
        for key in KEYS
        if key.where in where
    ]


def shown(name: str, *, ascii_only: bool = False) -> str:
    """A key as it is written for people: `Ctrl+P` for `ctrl+p`."""
    text = _SYMBOLS.get(name, name.upper() if _FUNCTION_KEY.fullmatch(name) else name)
    if text.startswith("ctrl+"):
        text = "Ctrl+" + text[5:].upper()
    if ascii_only:
        for symbol, word in _ASCII.items():
            text = text.replace(symbol, word)
    return text


def footer_keys(pane: str) -> list[Key]:
    """Keys for the bottom line while a pane has the focus, the most important first."""
    known = {key.id: key for key in KEYS}
    return [known[name] for name in FOOTERS[pane]]


def hints(
    where: Where, room: int, sign: Callable[[str], str], without: Collection[str] = ()
) -> str:
    """The keys of a dialog with their labels, as many as fit into `room` cells.

    `sign` gives the key of an id, as the user has it. Those in `without` do nothing now.
    """
    text = ""
    for key in KEYS:
        if key.where == where and key.id not in without:
            hint = f"{sign(key.id)} {key.label}"
            longer = f"{text}   {hint}" if text else hint
            if len(longer) > room:
                break
            text = longer
    return text
