"""The model of a batch is not on this machine: download it, choose another, or not now."""

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Button

from fwtui.batch.model_needs import ModelNeeds
from fwtui.models.catalogue import with_size
from fwtui.tui.formatting import clean, memory_size
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keys import bindings
from fwtui.tui.screens.dialog import Dialog, frame, scrolled, text

MissingChoice = Literal["download", "other", "later"]


class MissingModelDialog(Dialog[MissingChoice]):
    """Asks what to do; the first focus is on the download."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("missing"),
        Binding("q", "leave", show=False),
    ]
    keys = "missing"
    escape_result: MissingChoice = "later"

    def __init__(self, model: str, needs: ModelNeeds, glyphs: Glyphs) -> None:
        super().__init__()
        self._model, self._needs, self._glyphs = model, needs, glyphs

    def compose(self) -> ComposeResult:
        yield frame(
            "Model not downloaded",
            scrolled(text(self._question)),
            buttons=(
                Button("Not now", id="close"),
                Button("Choose another", id="other"),
                Button("Download", id="download", variant="primary"),
            ),
        )

    @property
    def _question(self) -> str:
        lines = [f"The model {clean(with_size(self._model))} is not on this machine."]
        made = self._needs.forecast
        if made is not None:
            what = "GPU memory" if made.gpu_needs is not None else "memory"
            fits = "it fits" if made.fits else "it does not fit"
            lines.append(
                f"It needs about {memory_size(self._needs.memory)} of {what}; "
                f"{memory_size(self._needs.free)} is free: {fits}."
            )
        if self._needs.speed:
            speed = f"{self._needs.speed:.1f}{self._glyphs.times}"
            lines.append(f"In earlier batches here it ran at {speed} real time.")
        lines += [
            "",
            "Download now? The batch starts when it is ready.",
            '"Choose another" lists all models with their sizes and what fits, and takes a folder.',
        ]
        return "\n".join(lines)

    def on_mount(self) -> None:
        self.query_one("#download").focus()

    def action_download(self) -> None:
        self.dismiss("download")

    def action_other(self) -> None:
        self.dismiss("other")
