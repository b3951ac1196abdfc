"""Output names and conflicts: what a file's outputs are called, and whether to skip the file.

Resolved when the file's turn comes, before it is sent to an engine.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fwtui.audio.identity import Identity
from fwtui.batch.name_owner import NameOwner, Recording
from fwtui.batch.state import BatchState, now
from fwtui.core.events import JobChanged, Level
from fwtui.core.job import Completed, Job, Pending, Skipped
from fwtui.core.languages import LANGUAGES
from fwtui.core.paths import expand_home, path_to_text, text_to_path
from fwtui.core.session import FilePlan
from fwtui.core.settings import OutputSettings, Settings, decides_speakers
from fwtui.core.text import printable
from fwtui.disk.files import is_present
from fwtui.errors import FwtuiError
from fwtui.outputs.formats.registry import existing, formats, output_paths
from fwtui.outputs.history import TranscribedFile
from fwtui.outputs.naming import Names, is_one_of, with_number_of
from fwtui.watch.actions import moved_path

# Files skipped in a row before the batch handles other messages.
SKIPPED_AT_ONCE = 50
# Output settings that affect neither the contents of the outputs nor their location.
_IRRELEVANT = ("add_report", "if_exists", "skip_transcribed")


async def resolve_outputs(state: BatchState, job: Job, settings: Settings) -> Job | None:
    """The job with the names for its outputs; None if it was skipped, with the reason.

    Existing outputs are looked for only once: a retried or resumed file keeps the decision.
    """
    naming = state.naming(settings)
    names = naming.names_of(job)
    if not naming.awaits_language:
        is_taken = _name_is_taken(state, job, names)
        known = is_one_of(job.stem, names)
        if not known or (job.root and await asyncio.to_thread(is_taken, job)):
            job = await rename_outputs(state, job, names, is_taken)
        job = await spare_recordings(state, job, names, settings)
    output = settings.output
    if job.kept_formats is not None:
        return job
    recording = _recording(state, job, output)
    reason = ""
    kept: tuple[str, ...] = ()
    if output.skip_transcribed:
        reason = await asyncio.to_thread(_transcribed_before, recording, settings)
    if not reason and naming.awaits_language:
        if output.if_exists == "skip":
            possible = [naming.names_of(job, language) for language in LANGUAGES]
            reason = await asyncio.to_thread(_skip_any, recording, possible, output)
    elif not reason or output.if_exists != "rename":
        own = await asyncio.to_thread(_own_stem, recording, job, names, output)
        job = await _own_or_free_name(state, job, names, output, recording, own)
        if not reason and output.if_exists == "skip":
            stem = stem_path(own or job.stem, output)
            reason, kept = await asyncio.to_thread(_skip_reason, stem, output)
    job = replace(job, kept_formats=kept)
    if not reason:
        return job
    await state.put(replace(job, state=Skipped(now(), reason)))
    return None


def _recording(state: BatchState, job: Job, output: OutputSettings) -> Recording:
    """The recording of a job; in a watched folder the new one at a path replaces the old one."""
    folders = (text_to_path(folder.path) for folder in state.store.folders)
    replaces = output.if_exists == "overwrite" and any(map(job.file.is_relative_to, folders))
    return Recording(job.file, state.history, replaces)


async def _own_or_free_name(
    state: BatchState,
    job: Job,
    names: Names,
    output: OutputSettings,
    recording: Recording,
    own: str | None,
) -> Job:
    """The job with a name that is its own or free, as the settings ask.

    If another recording's transcript has the name, the job gets a note that says so. `own`: the
    name that its transcripts have.
    """
    if output.if_exists == "overwrite_any":
        return job
    if output.if_exists == "rename":
        return await _free_name(state, job, names, output)
    if own is not None:
        taken = await _with_own_name(state, job, own)
        if taken is not None or output.if_exists == "skip":
            return taken or job
    before = await asyncio.to_thread(_owner, recording, job.stem, names, output)
    if before is not NameOwner.OTHER:
        return job
    theirs = stem_path(job.stem, output)
    renamed = await _free_name(state, job, names, output)
    owner = await asyncio.to_thread(recording.owner_text, theirs)
    whose = f"the transcript of {owner}" if owner else "another recording's transcript"
    ours = output_paths(stem_path(renamed.stem, output), output)[0].name
    name = output_paths(theirs, output)[0].name
    note = printable(f"written as {ours}, because {name} is {whose}")
    # The warning comes with the end of the file.
    state.log(Level.INFO, f"{job.name}: {note}", job.id)
    noted = replace(renamed, name_note=note)
    await state.put(noted)
    return noted


def _own_stem(recording: Recording, job: Job, names: Names, output: OutputSettings) -> str | None:
    """The name that the recording's transcripts have, if it is looked for. Raises OSError."""
    if output.if_exists not in {"overwrite", "skip"}:
        return None
    before = _owner(recording, job.stem, names, output)
    if before is NameOwner.OTHER or (before is NameOwner.NOBODY and output.if_exists == "skip"):
        folder = stem_path("", output)
        return recording.own_stem(folder, lambda stem: is_one_of(stem, names))
    return None


def _owner(recording: Recording, stem: str, names: Names, output: OutputSettings) -> NameOwner:
    """Whose transcripts a name has. A number is added for other recordings only."""
    owner = recording.owner(stem_path(stem, output), output)
    numbered = stem not in {path_to_text(name) for name in names}
    return NameOwner.OTHER if owner is NameOwner.UNKNOWN and numbered else owner


async def _with_own_name(state: BatchState, job: Job, stem: str) -> Job | None:
    """The job with the name that its transcripts have; None if another job needs to keep it.

    A job that waits, and whose name is not decided yet, changes names with this one.
    """
    if stem.casefold() == job.stem.casefold():
        return job
    async with state.names_of_other_sessions() as others:
        if stem.casefold() in others:
            return None
        renamed = job.with_stem(stem)
        holder = state.queue.with_stem(stem)
        if holder is None:
            await state.put(renamed)
        elif isinstance(holder.state, Pending) and holder.kept_formats is None:
            await state.commit(JobChanged(holder.with_stem(job.stem)), JobChanged(renamed))
        else:
            return None
        return renamed


async def rename_at_end(state: BatchState, job: Job, settings: Settings, language: str) -> Job:
    """The job with the final names for its outputs, now that its language is known.

    A recording that was renamed while it was transcribed has transcripts of its new name.
    """
    naming = state.naming(settings)
    names = naming.names_of(job, language if naming.awaits_language else None)
    output = settings.output
    if not is_one_of(job.stem, names):
        is_taken = _name_is_taken(state, job, names)
        job = await rename_outputs(state, job, names, is_taken)
        recording = _recording(state, job, output)
        own = await asyncio.to_thread(_own_stem, recording, job, names, output)
        job = await _own_or_free_name(state, job, names, output, recording, own)
        if output.if_exists == "skip":
            kept = await asyncio.to_thread(existing, stem_path(job.stem, output), output)
            job = replace(job, kept_formats=kept)
    return await spare_recordings(state, job, names, settings)


async def spare_recordings(state: BatchState, job: Job, names: Names, settings: Settings) -> Job:
    """The job with names for its outputs that are no recordings of the batch.

    A recording may be called `talk.txt`, or a transcript's name may be a link to a recording.
    """
    output = settings.output

    def targets(wanted: Job) -> Sequence[Path]:
        return output_paths(stem_path(wanted.stem, output), output)

    async def is_refused(wanted: Job) -> bool:
        return bool(await state.inputs.among(targets(wanted)))

    spared = await state.inputs.among(targets(job))
    if not spared:
        return job
    renamed = await _renamed(state, job, names, is_refused)
    name, ours = min(spared).name, targets(renamed)[0].name
    note = printable(f"written as {ours}, because {name} is a recording of this batch")
    state.log(Level.INFO, f"{job.name}: {note}", job.id)
    noted = replace(renamed, name_note=note)
    await state.put(noted)
    return noted


def _name_is_taken(state: BatchState, job: Job, names: Names) -> Callable[[Job], bool]:
    """Whether the recording of a job could not be moved under the name of its outputs.

    Those of a folder whose recordings are moved afterwards: transcript and recording keep one name.
    """
    moves = [one for one in state.store.folders if one.path == job.root and one.target]
    if not moves:
        return lambda _: False

    def is_taken(renamed: Job) -> bool:
        name = with_number_of(renamed.stem, names, renamed.file)
        target = moved_path(moves[0], renamed.file, name)
        return target is not None and target != renamed.file and is_present(target)

    return is_taken


async def rename_outputs(
    state: BatchState, job: Job, names: Names, refused: Callable[[Job], bool] = lambda _: False
) -> Job:
    """The job with one of these names for its outputs, in the session too.

    The first that neither the batch nor another running session uses, and that is not
    `refused`, which may look at the disk.
    """

    async def is_refused(wanted: Job) -> bool:
        return await asyncio.to_thread(refused, wanted)

    return await _renamed(state, job, names, is_refused)


async def _renamed(
    state: BatchState, job: Job, names: Names, is_refused: Callable[[Job], Awaitable[bool]]
) -> Job:
    async with state.names_of_other_sessions() as others:
        state.queue.free_name(job)
        state.queue.avoid(others)
        renamed = state.queue.renamed(job, names)
        while await is_refused(renamed):
            renamed = state.queue.renamed(job, names)
        try:
            await state.put(renamed)
        except FwtuiError:
            state.queue.keep_name(job)
            raise
        return renamed


async def avoid_names_of_other_sessions(state: BatchState) -> None:
    """Rename the outputs of waiting files that another running session would write over."""
    async with state.names_of_other_sessions() as others:
        if not others:
            return
        state.queue.avoid(others)
        waiting = [job for job in state.queue if isinstance(job.state, Pending)]
        renamed = []
        for job in waiting:
            if job.stem.casefold() in others:
                renamed.append(state.queue.renamed(job, state.names_of(job)))
                await state.put(renamed[-1])
        state.log_renamed(renamed, others)


async def _free_name(
    state: BatchState, job: Job, names: tuple[str, str], output: OutputSettings
) -> Job:
    def is_taken(wanted: Job) -> bool:
        return bool(existing(stem_path(wanted.stem, output), output))

    if await asyncio.to_thread(is_taken, job):
        return await rename_outputs(state, job, names, is_taken)
    return job


def stem_path(stem: str, output: OutputSettings) -> Path:
    """The path of the outputs of a job with this stem, without their extensions."""
    folder = expand_home(text_to_path(path_to_text(output.output_dir)))
    return folder / text_to_path(stem)


def _skip_reason(stem: Path, output: OutputSettings) -> tuple[str, tuple[str, ...]]:
    """Why the file is skipped: all its outputs exist. Otherwise "" and the formats that do."""
    found = existing(stem, output)
    if len(found) < len(formats(output)):
        return "", found
    name = printable(output_paths(stem, output)[0].name)
    if len(found) == 1:
        return f"{name} already exists; retry to overwrite it", ()
    return f"{name} and {len(found) - 1} more already exist; retry to overwrite them", ()


def _skip_any(recording: Recording, possible: Iterable[Names], output: OutputSettings) -> str:
    """Why the file is skipped: it has all outputs in some language. Empty if it is not."""
    folder = stem_path("", output)
    every = list(possible)
    own = recording.own_stem(folder, lambda stem: any(is_one_of(stem, names) for names in every))
    stems = [own] if own is not None else [path_to_text(names[0]) for names in every]
    for stem in stems:
        reason, _ = _skip_reason(stem_path(stem, output), output)
        if reason and recording.owner(stem_path(stem, output), output) is not NameOwner.OTHER:
            return reason
    return ""


def _transcribed_before(recording: Recording, settings: Settings) -> str:
    """Why the file is skipped: it was transcribed before. Empty if it was not."""
    if recording.identity is None:
        return ""
    for earlier in recording.history.find(recording.identity.digest, outputs_key(settings)):
        if earlier.has_outputs and recording.is_same(earlier):
            where = printable(str(text_to_path(earlier.outputs[0])))
            return (
                f"transcribed on {earlier.at.astimezone():%Y-%m-%d %H:%M} with the same settings:"
                f" {where}; retry to transcribe it again"
            )
    return ""


def outputs_key(settings: Settings) -> str:
    """Digest of all settings that affect the contents of the outputs, or their location."""
    output = msgspec.structs.asdict(settings.output)
    for name in _IRRELEVANT:
        del output[name]
    if output["output_layout"] == "source":
        del output["output_dir"]
    for name in ("more_formats", "drop_unspoken"):
        if not output[name]:
            del output[name]  # as before there were any: what was transcribed stays known
    known: list[object] = [settings.text_hash(), sorted(output.items())]
    if settings.speakers.diarize != "off" or decides_speakers(settings):
        known.append(settings.speakers)
    encoded = msgspec.json.encode(known)
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


def record_transcribed(
    state: BatchState, job: Job, plan: FilePlan, settings: Settings, done: Completed
) -> None:
    """Record in the history that the file was transcribed; blocks on the disk."""
    if done.outputs:
        identity = Identity.parse(plan.fingerprint)
        state.history.add(
            TranscribedFile(
                content=identity.digest,
                modified=identity.modified,
                settings=outputs_key(settings),
                source=job.path,
                outputs=done.outputs,
                at=done.completed_at,
            )
        )
