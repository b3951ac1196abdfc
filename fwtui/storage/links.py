"""Where the files behind links are while they are needed: one folder for each session."""

import contextlib
import hashlib
import shutil
from pathlib import Path

from fwtui.core.inputs import link_name
from fwtui.sessions.paths import SessionFiles

LINKS = "links"
"""The folder of all downloads, in the cache folder."""


def link_folder(links: Path, sessions: Path, session_id: str) -> Path:
    """The folder of a session's downloads, below `links`; it need not exist.

    Sessions of different state folders can share a cache: so the name tells whose it is.
    """
    return links / f"{_owner(sessions)}-{session_id}"


def link_place(folder: Path, url: str) -> Path:
    """Where the file behind a link will be, as far as is known before it is downloaded."""
    return folder / _digest(url) / link_name(url)


def sweep_links(links: Path, sessions: Path) -> tuple[Path, ...]:
    """Delete the downloads of sessions that are no more; returns their folders."""
    gone = []
    with contextlib.suppress(OSError):
        for folder in sorted(links.glob(f"{_owner(sessions)}-*")):
            session_id = folder.name.partition("-")[2]
            if not SessionFiles(sessions, session_id).snapshot.exists():
                shutil.rmtree(folder, ignore_errors=True)
                gone.append(folder)
    return tuple(gone)


def _owner(sessions: Path) -> str:
    return _digest(str(sessions.absolute()))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogateescape"), digest_size=6).hexdigest()
