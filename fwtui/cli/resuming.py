"""Which session `--resume` means, and what is said about the others."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fwtui.cli.console import Console
from fwtui.cli.text import plural
from fwtui.core.text import printable
from fwtui.errors import FwtuiError, UsageError

if TYPE_CHECKING:
    from fwtui.sessions.catalog import StoredSession


def incomplete(sessions: Iterable["StoredSession"]) -> tuple["StoredSession", ...]:
    """The sessions that a resume could go on with, in the same order."""
    return tuple(stored for stored in sessions if stored.session.is_incomplete)


def choose(
    sessions: Iterable["StoredSession"], wanted: str, console: Console
) -> "StoredSession | None":
    """The session to resume: the `wanted` one, or without a name the newest that is free.

    None: there is nothing to resume. Raises UsageError when the wanted one is not there,
    SessionInUseError when another fwtui works on it.
    """
    candidates = incomplete(sessions)
    if wanted:
        return _session_named(candidates, wanted)
    free = [stored for stored in candidates if stored.in_use is None]
    if candidates and not free:
        raise _in_use(candidates[0])
    if len(candidates) > 1:
        console.line(f"{len(candidates)} sessions can be resumed; this is the newest free one:")
        for stored in candidates:
            mark = "->" if stored is free[0] else "  "
            console.line(f"{mark} {described(stored)}")
    return free[0] if free else None


def described(stored: "StoredSession") -> str:
    """One line about a session."""
    session = stored.session
    counts = [f"{len(session.completed)} of {plural(len(session.jobs), 'file')} done"]
    if session.failed:
        counts.append(f"{len(session.failed)} failed")
    if session.folders:
        counts.append(f"watches {plural(len(session.folders), 'folder')}")
    if stored.in_use is not None:
        counts.append(f"in use by {printable(str(stored.in_use))}")
    created = session.created_at.strftime("%Y-%m-%d %H:%M")
    return f"{printable(session.session_id)}  {created}  {', '.join(counts)}"


def hint(sessions: Iterable["StoredSession"], console: Console) -> None:
    """Say in one line that something could be resumed."""
    free = [stored for stored in incomplete(sessions) if stored.in_use is None]
    if free:
        name = printable(free[0].session.session_id)
        console.line(
            f"note: {plural(len(free), 'unfinished session')};"
            f" to go on with the newest: fwtui run --resume {name}"
        )


def _session_named(candidates: tuple["StoredSession", ...], wanted: str) -> "StoredSession":
    for stored in candidates:
        if stored.session.session_id == wanted:
            if stored.in_use is not None:
                raise _in_use(stored)
            return stored
    known = ", ".join(stored.session.session_id for stored in candidates)
    raise UsageError(
        f"no unfinished session is called {wanted!r}",
        f"these can be resumed: {known}" if known else "there is none to resume",
    )


def _in_use(stored: "StoredSession") -> FwtuiError:
    from fwtui.disk.lock import in_use

    assert stored.in_use is not None
    return in_use(stored.session.session_id, stored.in_use)
