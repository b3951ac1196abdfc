"""Files with several audio tracks as one job for each track.

A child process lists the tracks: a file that crashes it must not harm the batch.
"""

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE

import msgspec
from msgspec.structs import replace

from fwtui.batch.state import BatchState
from fwtui.config.overrides import from_overrides
from fwtui.core.child_process import CHILD_FOLDER, child_environment
from fwtui.core.job import AudioTrack, Job
from fwtui.core.paths import text_to_path
from fwtui.core.settings import ALL_TRACKS, Settings

COMMAND = (sys.executable, "-P", "-m", "fwtui.audio.tracks")
# Seconds; a share that hangs is told of by the engine.
PATIENCE = 20.0


def settings_of(state: BatchState, job: Job) -> Settings:
    """The settings that a job is transcribed with, its audio track included."""
    settings = state.settings if job.settings is None else from_overrides(job.settings)
    track = settings.decoding.audio_track
    if job.track:
        track = str(job.track)
    elif track == ALL_TRACKS:
        track = None
    return replace(settings, decoding=replace(settings.decoding, audio_track=track))


def wants_split(state: BatchState, job: Job) -> bool:
    """Whether each track of the file is to be a job, if there are several."""
    settings = state.settings if job.settings is None else from_overrides(job.settings)
    return settings.decoding.audio_track == ALL_TRACKS and not job.track


def keeps_file(state: BatchState, job: Job) -> bool:
    """Whether the file stays where it is when its first track is done."""
    folders = (folder for folder in state.store.folders if folder.after != "leave")
    is_moved = any(job.file.is_relative_to(text_to_path(folder.path)) for folder in folders)
    return job.source is None and not is_moved


async def list_tracks(
    path: str, command: tuple[str, ...] = COMMAND, patience: float = PATIENCE
) -> tuple[AudioTrack, ...]:
    """The audio tracks of a file (as `path_to_text`); none if they cannot be listed."""
    try:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd=CHILD_FOLDER,
            env=child_environment(),
        )
    except OSError:
        return ()
    try:
        asked = json.dumps(path).encode() + b"\n"
        answer, _ = await asyncio.wait_for(child.communicate(asked), patience)
        return msgspec.json.decode(answer, type=tuple[AudioTrack, ...])
    except (TimeoutError, OSError, msgspec.DecodeError):
        return ()
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
