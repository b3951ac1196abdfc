"""Audio tracks of a media file: which there are, and which one is transcribed.

Also the child process that lists them: `python -m fwtui.audio.tracks` reads a path, as a JSON
string (`path_to_text`), and writes the tracks.
"""

import sys
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from fwtui.core.job import AudioTrack
from fwtui.core.languages import language_code
from fwtui.core.settings import ALL_TRACKS


class TrackChoice(NamedTuple):
    """What the user wants: `track` is a number, a language, `all` (the first one) or None.

    `language`: the code of the language that is transcribed; None: any.
    """

    track: str | None = None
    language: str | None = None


AUTOMATIC = TrackChoice()


class Chosen(NamedTuple):
    """The track to transcribe, and those to try if it is silent, by number; `note`: a warning."""

    number: int
    others: tuple[int, ...] = ()
    note: str = ""


def audio_tracks(container: InputContainer) -> tuple[AudioTrack, ...]:
    """The audio tracks of an open file, numbered from 1, in the order of the file."""
    return tuple(_track(number, one) for number, one in enumerate(container.streams.audio, 1))


def _track(number: int, stream: AudioStream) -> AudioTrack:
    # PyAV sets no context if FFmpeg has no decoder, whatever its stubs say.
    context = getattr(stream, "codec_context", None)
    tags = {name.lower(): value for name, value in stream.metadata.items()}
    return AudioTrack(
        number=number,
        language=track_language(tags.get("language", "")),
        title=_text(tags.get("title") or tags.get("handler_name", "")),
        codec=context.name if context is not None else "",
        channels=stream.channels or 0 if context is not None else 0,
        default=bool(stream.disposition & Disposition.default),
    )


def track_language(tag: str) -> str:
    """The code of the language that a track's tag names; empty if it names none."""
    return language_code(_text(tag)) or "" if tag else ""


def _text(tag: str) -> str:
    # Names that muxers write into every file say nothing.
    text = tag.encode("utf-8", "replace").decode().strip()
    return "" if text in {"SoundHandler", "und"} else text


def choose(tracks: Sequence[AudioTrack], choice: TrackChoice = AUTOMATIC) -> Chosen | None:
    """The track to transcribe of those that can be decoded; None if there is no such number.

    The one that is asked for; else the default one (of several, that in the wanted language); else
    the first in the wanted language; else the first.
    """
    numbers = tuple(track.number for track in tracks)
    wanted = choice.track
    if wanted is not None and wanted.isdecimal():
        return Chosen(int(wanted)) if int(wanted) in numbers else None
    if wanted == ALL_TRACKS:
        return Chosen(numbers[0])
    if wanted is not None:
        code = language_code(wanted)
        found = [track.number for track in tracks if track.language == code]
        if found:
            return Chosen(found[0])
        note = f"no audio track in the language {wanted}" if len(tracks) > 1 else ""
        return _automatic(tracks, choice.language)._replace(note=note)
    return _automatic(tracks, choice.language)


def _automatic(tracks: Sequence[AudioTrack], language: str | None) -> Chosen:
    ordered = sorted(
        tracks,
        key=lambda track: (not track.default, language is None or track.language != language),
    )
    return Chosen(ordered[0].number, tuple(track.number for track in ordered[1:]))


def main() -> None:
    """Write the tracks of the file; nothing if it cannot be opened."""
    from fwtui.audio.media import list_tracks  # it needs this module
    from fwtui.core.paths import text_to_path
    from fwtui.errors import MediaError

    try:
        found = list_tracks(
            text_to_path(msgspec.json.decode(sys.stdin.buffer.readline(), type=str))
        )
    except (MediaError, MemoryError, ValueError):
        found = ()
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main()
