"""What the engine is asked about speakers, and what it says: voices heard, and turns."""

from typing import Literal

import msgspec

from fwtui.core.failure import Failure
from fwtui.core.settings import ModelSettings, SpeakerSettings
from fwtui.core.speakers import Turn

WINDOWS_AT_ONCE = 6
"""Windows of a group: they go through the model together."""
GROUP_SECONDS = 30.0
"""Audio between the beginnings of two groups."""


class LocalSpeaker(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A speaker as heard in one window; which speaker of the file that is, is not known yet.

    `borders` are frames of the window at which the voice begins, ends, begins, ...; `clean` the
    seconds in which nobody else speaks; `embedding` is what the voice sounds like, as float16
    bytes (little-endian), empty if there is too little of it.
    """

    window: int
    borders: tuple[int, ...]
    clean: float
    embedding: bytes = b""


class SpeakerGroup(msgspec.Struct, frozen=True, gc=False):
    """What was heard in some successive windows; `models` identifies who listened.

    Groups are numbered from 0; one replaces those of the same and of higher numbers.
    """

    index: int
    models: str
    speakers: tuple[LocalSpeaker, ...]


class SpeakerTurns(msgspec.Struct, frozen=True, gc=False):
    """The speakers of a file. `options`: those of the task that it answers.

    `warning` is why they are not known, or not compared with the known ones; empty otherwise.
    `names`: known speakers that were recognised, by number; None: nobody.
    """

    options: str
    turns: tuple[Turn, ...]
    warning: str = ""
    names: dict[int, str] | None = None


class VoicePrintTask(msgspec.Struct, frozen=True):
    """Make a voice print of a recording. Paths as by `path_to_text`; models as in `SpeakerTask`.

    `scratch`: the WAV that may be created, and is deleted.
    """

    path: str
    scratch: str
    model: str = ""
    model_dir: str | None = None


class VoicePrint(msgspec.Struct, frozen=True, gc=False):
    """What the speaker with most speech in a recording sounds like, as in `KnownVoice`.

    `seconds` are this speaker's, `all_seconds` those of all `speakers`.
    """

    model: str
    model_file: str
    vector: bytes
    seconds: float
    all_seconds: float
    speakers: int


class VoicePrintAnswer(msgspec.Struct, frozen=True):
    """The answer to a `VoicePrintTask`: one of both."""

    made: VoicePrint | None = None
    failure: Failure | None = None


class SpeakerTask(msgspec.Struct, frozen=True):
    """How to tell the speakers of a file apart.

    `least` and `most` are numbers of speakers (`most` 0: no limit). `model` is the name or folder
    of the model of voices (empty: the default), `model_dir` the folder of downloaded ones.
    `options` identifies all of that. `at_once`: windows that may be in the model together.
    `known`: the speakers are compared with the known voices, whose file the engine reads.
    """

    kind: Literal["voices", "channels"]
    options: str = ""
    least: int = 1
    most: int = 0
    model: str = ""
    model_dir: str | None = None
    at_once: int = WINDOWS_AT_ONCE
    known: bool = False


def speaker_task(speakers: SpeakerSettings, model: ModelSettings) -> SpeakerTask | None:
    """The task that the settings ask for; None if speakers are not told apart."""
    import hashlib  # imports a cryptographic library

    if speakers.diarize == "off":
        return None
    exact = speakers.num_speakers or 0
    voices = speakers.diarize == "voices"
    task = SpeakerTask(
        speakers.diarize,
        least=exact or speakers.min_speakers or 1,
        most=exact or speakers.max_speakers or 0,
        model=(speakers.diarize_model or "") if voices else "",
    )
    options = hashlib.blake2b(_identity(task), digest_size=8).hexdigest()
    known = voices and speakers.known_speakers
    return msgspec.structs.replace(task, options=options, model_dir=model.model_dir, known=known)


def _identity(task: SpeakerTask) -> bytes:
    """What the turns depend on; names of known speakers change none."""
    fields = msgspec.to_builtins(task)
    del fields["known"]
    return msgspec.json.encode(fields)
