"""The main screen's filters: of the queue by name or state, of the log by text."""

from typing import TYPE_CHECKING

from textual.screen import Screen

from fwtui.tui.widgets.lines import LineView
from fwtui.tui.widgets.log import LogView
from fwtui.tui.widgets.queue import QueueTable

if TYPE_CHECKING:
    from textual.widgets import Input


class Filtering(Screen[None]):
    """For the main screen. A filter's field is made when it is opened for the first time."""

    queue: QueueTable
    log_view: LogView

    def __init__(self) -> None:
        super().__init__()
        self._fields: dict[LineView, Input] = {}

    async def action_filter(self) -> None:
        """Type what to show."""
        await self._type(self.queue, "filter", "Filter by name, or is:failed")

    async def action_filter_log(self) -> None:
        """Type what to show of the log."""
        await self._type(self.log_view, "log-filter", "Text in the log")

    async def _type(self, view: LineView, name: str, hint: str) -> None:
        from textual.widgets import Input

        field = self._fields.get(view)
        if field is None:
            field = self._fields[view] = Input(placeholder=hint, id=name)
            await self.mount(field, after=view)
        field.add_class("open")
        field.focus()
        # So that the first letter does not wait for a hundred thousand of them.
        model = self.queue.model
        self.call_after_refresh(lambda: model.names_of(model.order))

    def on_input_changed(self, event: "Input.Changed") -> None:
        """Filter while typing."""
        if event.input is self._fields.get(self.queue):
            self.queue.set_filter(event.value)
            self.queue.post_message(QueueTable.CursorMoved())
        elif event.input is self._fields.get(self.log_view):
            self.log_view.set_filter(event.value)

    def on_input_submitted(self, event: "Input.Submitted") -> None:
        """Keep the filter and go back to the rows."""
        if not event.input.value:
            event.input.remove_class("open")
        view = self.queue if event.input is self._fields.get(self.queue) else self.log_view
        view.focus()

    def clear_filter(self) -> None:
        """Show the whole queue."""
        field = self._fields.get(self.queue)
        if field is not None:
            field.value = ""
        self.queue.set_filter("")

    def end_filter(self) -> bool:
        """Close the log's filter if the focus is there, else the queue's; False: none is open."""
        log = self._fields.get(self.log_view)
        in_log = log is not None and self.focused in {log, self.log_view}
        return (in_log and self._ended(self.log_view)) or self._ended(self.queue)

    def _ended(self, view: LineView) -> bool:
        field = self._fields.get(view)
        if field is None or not field.has_class("open"):
            return False
        field.value = ""
        field.remove_class("open")
        view.focus()
        return True
