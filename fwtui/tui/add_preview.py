"""What is known of files before they are added: in the queue, done, transcribed earlier."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fwtui.core.job import Completed, Job
from fwtui.core.paths import path_to_text
from fwtui.core.settings import OutputSettings
from fwtui.core.templates import DEFAULT
from fwtui.outputs.formats.registry import formats

IN_QUEUE = "in the queue"
DONE = "done"
TRANSCRIBED = "has a transcript"


@dataclass(frozen=True)
class Known:
    """`queued` has notes by `path_to_text`, `outputs` the names of files in the output folder."""

    queued: Mapping[str, str]
    outputs: frozenset[str] = frozenset()
    endings: tuple[str, ...] = ()

    def note(self, path: str) -> str:
        """A few words, or nothing for a new file."""
        queued = self.queued.get(path_to_text(Path(path)))
        if queued is not None:
            return queued
        stem = Path(path).stem
        if self.outputs and all(f"{stem}{ending}" in self.outputs for ending in self.endings):
            return TRANSCRIBED
        return ""


def queued_notes(jobs: Iterable[Job]) -> Mapping[str, str]:
    """A note for each file of the queue."""
    return {job.path: DONE if isinstance(job.state, Completed) else IN_QUEUE for job in jobs}


def look_around(queued: Mapping[str, str], output: OutputSettings) -> Known:
    """Also read the output folder; blocks on the disk.

    Where names are not those of the recordings, nothing is said of outputs.
    """
    if (output.output_layout, output.output_name) != ("flat", DEFAULT):
        return Known(queued)
    try:
        names = frozenset(os.listdir(Path(output.output_dir).expanduser()))  # noqa: PTH208
    except OSError:
        names = frozenset()
    endings = tuple(f".{name}" for name in formats(output.output_format))
    return Known(queued, names, endings)
