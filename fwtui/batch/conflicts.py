"""Before a file's turn: what its outputs are called, and whether it need be transcribed at all."""

import asyncio
import filecmp
import hashlib
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fwtui.audio.identity import Identity, identify
from fwtui.batch.queue import is_one_of
from fwtui.batch.state import BatchState, now
from fwtui.core.job import Completed, Job, Skipped
from fwtui.core.languages import LANGUAGES
from fwtui.core.paths import path_to_text, text_to_path
from fwtui.core.session import FilePlan
from fwtui.core.settings import OutputSettings, Settings
from fwtui.core.text import printable
from fwtui.outputs.formats.registry import existing, formats, output_paths
from fwtui.outputs.history import Earlier

# Files that are skipped in a row before a command may come in between.
SKIPPED_AT_ONCE = 50
# What of the output settings decides nothing that is in the files, nor where they are.
_INDIFFERENT = ("add_report", "if_exists", "skip_transcribed")


async def resolve_outputs(state: BatchState, job: Job, settings: Settings) -> Job | None:
    """The job with the names that it will write to; None if it was skipped, with the reason.

    Looked at once: what is tried again, or goes on inside a file, was claimed before.
    """
    naming = state.naming(settings)
    names = naming.names_of(job)
    if not naming.awaits_language and not is_one_of(job.stem, names):
        job = await state.rename(job, names)
    output = settings.output
    if job.kept is not None or not (output.skip_transcribed or output.if_exists != "overwrite"):
        return job
    reason = ""
    kept: tuple[str, ...] = ()
    if output.skip_transcribed:
        reason = await asyncio.to_thread(_transcribed_before, state, job, settings)
    if not reason and output.if_exists == "skip":
        stems = [stem_path(job.stem, output)]
        if naming.awaits_language:
            possible = (naming.names_of(job, language)[0] for language in LANGUAGES)
            stems = [stem_path(path_to_text(name), output) for name in possible]
        reason, kept = await asyncio.to_thread(_are_there, stems, output)
    elif not reason and output.if_exists == "rename" and not naming.awaits_language:
        job = await _free_name(state, job, names, output)
    job = replace(job, kept=kept)
    if not reason:
        return job
    await state.put(replace(job, state=Skipped(now(), reason)))
    return None


async def final_name(state: BatchState, job: Job, settings: Settings, language: str) -> Job:
    """The job with the names that its outputs have now that its language is known."""
    naming = state.naming(settings)
    if not naming.awaits_language:
        return job
    names, output = naming.names_of(job, language), settings.output
    if not is_one_of(job.stem, names):
        job = await state.rename(job, names)
        if output.if_exists == "rename":
            job = await _free_name(state, job, names, output)
        elif output.if_exists == "skip":
            there = await asyncio.to_thread(existing, stem_path(job.stem, output), output)
            job = replace(job, kept=there)
    return job


async def _free_name(
    state: BatchState, job: Job, names: tuple[str, str], output: OutputSettings
) -> Job:
    def taken(wanted: Job) -> bool:
        return bool(existing(stem_path(wanted.stem, output), output))

    if await asyncio.to_thread(taken, job):
        return await state.rename(job, names, taken)
    return job


def stem_path(stem: str, output: OutputSettings) -> Path:
    """Where the outputs of a job with this stem are, without their extensions."""
    folder = text_to_path(path_to_text(output.output_dir)).expanduser()
    return folder / text_to_path(stem)


def _are_there(stems: list[Path], output: OutputSettings) -> tuple[str, tuple[str, ...]]:
    """Why nothing is to be done: all is there. Else the formats that are."""
    for stem in stems:
        there = existing(stem, output)
        if len(there) == len(formats(output.output_format)):
            name = output_paths(stem, output)[0].name
            more = f" and {len(there) - 1} more" if len(there) > 1 else ""
            return f"{printable(name)}{more} is there already; a retry writes it anew", ()
    return "", existing(stems[0], output) if len(stems) == 1 else ()


def _transcribed_before(state: BatchState, job: Job, settings: Settings) -> str:
    """Why nothing is to be done: it was, in words; else empty."""
    try:
        identity = identify(job.file)
    except OSError:
        return ""  # the engine says what is wrong with it
    for earlier in state.transcribed.find(identity.digest, outputs_key(settings)):
        if earlier.is_there and _is_same_content(job.file, identity, earlier):
            place = printable(str(text_to_path(earlier.outputs[0])))
            return (
                f"transcribed on {earlier.at.astimezone():%Y-%m-%d %H:%M} with the same settings:"
                f" {place}; a retry does it anew"
            )
    return ""


def _is_same_content(path: Path, identity: Identity, earlier: Earlier) -> bool:
    """The digest is of the edges only: so also the time of change, or every byte, must agree."""
    if identity.modified == earlier.modified:
        return True
    source = text_to_path(earlier.source)
    try:
        unchanged = identify(source)
        return (unchanged.digest, unchanged.modified) == (
            earlier.content,
            earlier.modified,
        ) and filecmp.cmp(path, source, shallow=False)
    except OSError:
        return False


def outputs_key(settings: Settings) -> str:
    """Digest of all settings that decide what is in the outputs, and where they are."""
    output = msgspec.structs.asdict(settings.output)
    for name in _INDIFFERENT:
        del output[name]
    if output["output_layout"] == "source":
        del output["output_dir"]
    encoded = msgspec.json.encode((settings.text_hash(), sorted(output.items())))
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


def remember(
    state: BatchState, job: Job, plan: FilePlan, settings: Settings, done: Completed
) -> None:
    """Note that the file was transcribed; blocks on the disk."""
    if done.outputs:
        identity = Identity.parse(plan.fingerprint)
        state.transcribed.add(
            Earlier(
                content=identity.digest,
                modified=identity.modified,
                settings=outputs_key(settings),
                source=job.path,
                outputs=done.outputs,
                at=done.completed_at,
            )
        )
