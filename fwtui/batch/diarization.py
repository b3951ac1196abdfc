"""The speakers of a file in the batch: what is asked, what is known, and that they fail no file."""

from typing import Protocol

from msgspec.structs import replace

from fwtui.batch.file_run import FileRun
from fwtui.batch.retry import GiveUp, Retry
from fwtui.core.channels import SPLIT, turns_by_channel
from fwtui.core.failure import Failure, FailureKind
from fwtui.core.finding import Finding, FindingKind
from fwtui.core.job import Job, JobId
from fwtui.core.settings import SpeakerSettings
from fwtui.core.speakers import Turn, is_speaker_name, speaker_label, speaker_names
from fwtui.core.text import clock
from fwtui.core.voices import SpeakerTask, SpeakerTurns
from fwtui.engine.protocol import KnownSpeakers
from fwtui.sessions.store import SessionStore

# Groups of voices in one message to the engine: half an hour of audio, 300 KB.
GROUPS_AT_ONCE = 60
# Failures that listening beside the model may be the cause of.
_MAYBE_BY_LISTENING = frozenset(
    {FailureKind.OUT_OF_MEMORY, FailureKind.ENGINE_DIED, FailureKind.STALLED}
)
HARDLY_SHARE, HARDLY_SECONDS = 0.02, 2.0
"""A speaker with less than this share of all speech, and no longer turn, is hardly one."""


def task_of(run: FileRun) -> SpeakerTask | None:
    """What the engine is asked about the file's speakers in this attempt."""
    if run.speakers is None or run.no_speakers:
        return None
    return replace(run.speakers, at_once=1) if run.rung else run.speakers


class RequestSink(Protocol):
    """What takes requests to an engine, at any time."""

    def send(self, request: KnownSpeakers) -> None:
        """Send one request."""


def send_known_groups(engine: RequestSink, store: SessionStore, job: JobId) -> None:
    """Send the voices heard in earlier attempts at a file. Raises StorageError."""
    first = 0
    while groups := store.groups(job, first, GROUPS_AT_ONCE):
        engine.send(KnownSpeakers(job, groups))
        first += len(groups)


def speakers_of(store: SessionStore, run: FileRun) -> SpeakerTurns | None:
    """Who speaks when in a file that is transcribed; None if that was not asked.

    If it is not known, its warning says why. Raises StorageError.
    """
    if run.plan is not None and run.plan.channels:
        return SpeakerTurns(SPLIT, turns_by_channel(store.stored_segments(run.job)))
    task = run.speakers
    if task is None:
        return None
    found = store.speakers(run.job)
    if found is not None and found.options == task.options:
        return found
    return SpeakerTurns(task.options, (), without_speakers(run.no_speakers))


def are_known(store: SessionStore, run: FileRun) -> bool:
    """Whether nothing is left to do about the file's speakers. Raises StorageError."""
    if run.speakers is None or run.no_speakers:
        return True
    found = store.speakers(run.job)
    return found is not None and found.options == run.speakers.options


def with_known_names(store: SessionStore, run: FileRun, job: Job) -> Job:
    """The job with the names of the known speakers that were recognised in its file.

    The names that the user gave come before them. Raises StorageError.
    """
    if run.speakers is None or not run.speakers.known or run.no_speakers:
        return job
    found = store.speakers(run.job)
    if found is None or found.options != run.speakers.options:
        return job
    return replace(job, speaker_names=named(found, run.settings.speakers, job) or None)


def named(found: SpeakerTurns, settings: SpeakerSettings, job: Job) -> dict[int, str]:
    """The names of a file's speakers for itself, the recognised ones included."""
    try:
        chosen = speaker_names(settings.speaker_names)
    except ValueError:  # of a session that somebody has edited
        chosen = {}
    names = {
        speaker: name
        for speaker, name in (found.names or {}).items()
        if speaker not in chosen and is_speaker_name(name)
    }
    return {**names, **(job.speaker_names or {})}


def without_speakers(reason: str) -> str:
    """The warning that the speakers of a file are not known."""
    return f"without speakers: {reason or 'they could not be told apart'}"


def spared(run: FileRun, failure: Failure, decision: Retry | GiveUp) -> Retry | GiveUp:
    """The decision, but the file is retried without speakers before it loses anything else."""
    loses = isinstance(decision, GiveUp) or decision.skip_window
    if run.speakers is None or run.no_speakers or not loses:
        return decision
    if not run.is_transcribed and failure.kind not in _MAYBE_BY_LISTENING:
        return decision
    run.no_speakers = failure.title
    return Retry(run.rung)


def doubtful_speakers(turns: tuple[Turn, ...], settings: SpeakerSettings) -> tuple[Finding, ...]:
    """Findings about speakers that are hardly any: part of a noise, or of another voice."""
    by_speaker: dict[int, list[Turn]] = {}
    for turn in turns:
        by_speaker.setdefault(turn.speaker, []).append(turn)
    spoken = {
        speaker: sum(turn.end - turn.start for turn in own) for speaker, own in by_speaker.items()
    }
    least = HARDLY_SHARE * sum(spoken.values())
    return tuple(
        Finding(FindingKind.SPEAKER, own[0].start, own[0].end, _doubt(speaker, spoken, settings))
        for speaker, own in by_speaker.items()
        if spoken[speaker] < least and max(turn.end - turn.start for turn in own) <= HARDLY_SECONDS
    )


def _doubt(speaker: int, spoken: dict[int, float], settings: SpeakerSettings) -> str:
    label = speaker_label(speaker, settings.speaker_name)
    return f"{label} is hardly a speaker ({clock(spoken[speaker])} in all)"
