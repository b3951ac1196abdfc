"""What each model would need on this machine, and how fast it has been here."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from fwtui.batch.estimate import PerformanceHistory
from fwtui.core.events import Forecast, MemoryReading
from fwtui.core.settings import ModelSettings, Settings
from fwtui.errors import ModelError
from fwtui.memory.forecast import Needs, forecast, weights_size
from fwtui.models.catalogue import megabytes
from fwtui.models.inventory import Presence, find_model


class ModelNeeds(msgspec.Struct, frozen=True):
    """A model on this machine: the forecast of its memory (None: nothing is known).

    `speed`: times real time, measured in earlier batches with these settings; 0 if it never ran.
    """

    forecast: Forecast | None = None
    speed: float = 0.0

    @property
    def memory(self) -> float:
        """MB that it needs where it runs: on the GPU, or in RAM; 0 if unknown."""
        made = self.forecast
        return 0.0 if made is None else made.gpu_needs or made.needs

    @property
    def free(self) -> float:
        """MB that are free there."""
        made = self.forecast
        return 0.0 if made is None else made.free if made.gpu_free is None else made.gpu_free


def presence_text(settings: ModelSettings) -> str:
    """Whether a model is on this machine, in words; blocks on the disk."""
    try:
        entry = find_model(settings.model, settings)
    except (ModelError, OSError):
        return "not found"
    match entry.presence:
        case Presence.HERE:
            return "downloaded"
        case Presence.FOLDER:
            return "a local folder"
        case Presence.PARTLY:
            return "partly downloaded; the rest is downloaded when you agree"
        case Presence.ABSENT:
            size = f", {megabytes(entry.size / 2**20)}" if entry.size else ""
            return f"not downloaded yet{size}"


def model_needs(
    settings: Settings, names: Iterable[str], reading: MemoryReading, history: Path | None
) -> dict[str, ModelNeeds]:
    """What these models need, each with the other settings as they are; blocks on the disk."""
    known = PerformanceHistory(history)
    found = {}
    for name in names:
        one = replace(settings, model=replace(settings.model, model=name))
        past = known.get(one)
        measured = Needs(past.ram, past.gpu or None) if past.ram > 0 else None
        made = forecast(one, weights_size(one.model), reading, measured)
        found[name] = ModelNeeds(made, past.speed)
    return found
