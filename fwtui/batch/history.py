"""What this machine has been measured to do: speed and memory by model, device and options.

One small JSON file in the state folder. It is a help, never a need: one that cannot be read counts
as empty, and one that cannot be written is left as it is.
"""

import contextlib
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fwtui.core.settings import Settings
from fwtui.errors import StorageError
from fwtui.storage.atomic import write_atomic

# What decides speed and memory, by section; a name that this version does not have is left out.
_DECIDING = {
    "model": ("model", "device", "device_index", "compute_type", "threads"),
    "decoding": ("batched", "batch_size", "beam_size", "best_of", "word_timestamps", "vad_filter"),
}
# About so much audio counts: a machine that was busy last month is forgotten.
_REMEMBERED_SECONDS = 10 * 3600.0
_MOST_ENTRIES = 200
_OLD_PEAK = 0.9  # what is left of a peak when a lower one is measured


class Measured(msgspec.Struct, frozen=True):
    """Audio seconds and the seconds that they took; peaks of an engine in MB (0: not known)."""

    audio: float = 0.0
    work: float = 0.0
    ram: float = 0.0
    gpu: float = 0.0

    @property
    def speed(self) -> float:
        """Audio seconds per second of work; 0 if nothing was measured."""
        return self.audio / self.work if self.work > 0 else 0.0

    def and_then(self, new: "Measured") -> "Measured":
        """With a later measurement."""
        left = min(1.0, max(0.0, 1 - new.audio / _REMEMBERED_SECONDS))
        return Measured(
            audio=left * self.audio + new.audio,
            work=left * self.work + new.work,
            ram=_peak(self.ram, new.ram),
            gpu=_peak(self.gpu, new.gpu),
        )


def _peak(old: float, new: float) -> float:
    return max(new, _OLD_PEAK * old) if new else old


class _File(msgspec.Struct):
    version: int = 1
    measured: dict[str, Measured] = {}


def key_of(settings: Settings) -> str:
    """What two batches must have in common for one to say something of the other."""
    parts = [
        f"{name}={getattr(getattr(settings, section), name)}"
        for section, names in _DECIDING.items()
        for name in names
        if hasattr(getattr(settings, section), name)
    ]
    return " ".join(parts)


class History:
    """The measurements in a file; `path` None keeps them in memory only."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._new: dict[str, Measured] = {}
        self._known = _read(path)

    def get(self, settings: Settings) -> Measured:
        """What is known for batches like this; zeros if nothing is."""
        key = key_of(settings)
        known = self._known.get(key, Measured())
        return known.and_then(self._new[key]) if key in self._new else known

    def add(self, settings: Settings, measured: Measured) -> None:
        """Remember a measurement; `save` makes it last."""
        key = key_of(settings)
        before = self._new.get(key, Measured())
        sums = replace(
            measured, audio=before.audio + measured.audio, work=before.work + measured.work
        )
        self._new[key] = replace(sums, ram=max(before.ram, sums.ram), gpu=max(before.gpu, sums.gpu))

    def save(self) -> None:
        """Write what is new, over what other fwtuis wrote meanwhile."""
        if self._path is None or not self._new:
            return
        known = _read(self._path)
        for key, new in self._new.items():
            known[key] = known.pop(key, Measured()).and_then(new)  # the last used at the end
        for key in list(known)[:-_MOST_ENTRIES]:
            del known[key]
        self._known, self._new = known, {}
        data = msgspec.json.format(msgspec.json.encode(_File(measured=known)))
        with contextlib.suppress(StorageError, OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, data, 0o600)


def _read(path: Path | None) -> dict[str, Measured]:
    if path is None:
        return {}
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_File)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return dict(found.measured) if found.version == 1 else {}
