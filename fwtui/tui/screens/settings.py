"""The settings: change them for this batch, or save them as defaults or as a profile."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.message import Message
from textual.message_pump import MessagePump
from textual.widgets import Button, Input, Static

from fwtui.config.fields import Field, find_field, value_of
from fwtui.config.locations import Locations
from fwtui.config.profiles import PROFILES, Profile, custom_profile, profile_of, with_profile
from fwtui.config.save import delete_profile, save_profile, save_settings
from fwtui.config.sources import load_profiles, load_settings
from fwtui.config.validate import validated
from fwtui.core.settings import Settings
from fwtui.errors import FwtuiError, ModelError
from fwtui.tui.formatting import FieldRow, StyledText, clean, fields, shown_path, width
from fwtui.tui.glyphs import Glyphs
from fwtui.tui.keymap import with_keys
from fwtui.tui.keys import bindings
from fwtui.tui.screens import NARROW_WIDTH
from fwtui.tui.screens.dialog import ConfirmDialog, Dialog, DialogBox, frame
from fwtui.tui.settings_draft import (
    Draft,
    allowed_values,
    edited_text,
    portable,
    shown_value,
    unit_of,
)
from fwtui.tui.widgets.settings import VALUE_COLUMN, ProfileBar, SettingsList


def describe_setting(field: Field, draft: Draft, glyphs: Glyphs, *, narrow: bool) -> Content:
    """Name, help, range, default and unit; in few lines where there is little room."""
    rows = list(_rows(field, draft, narrow=narrow))
    if narrow:
        dot = f" {glyphs.dot} "
        facts = dot.join(f"{row.label}: {row.value}" for row in rows)
        return Content.assemble((field.description, ""), ("\n" + facts, "$ink-dim"))
    title = (f"{field.name}\n\n", "bold $primary")
    parts: list[StyledText] = []
    for choice in field.choices:
        chosen = choice == draft.value(field)
        mark = glyphs.bullet if chosen else " "
        parts.append((f"\n  {mark} {choice}", "$accent" if chosen else ""))
    heading = ("\n\nChoices" if parts else "", "$ink-dim")
    return Content.assemble(title, f"{field.description}\n\n", fields(rows), heading, *parts)


def _rows(field: Field, draft: Draft, *, narrow: bool) -> Iterator[FieldRow]:
    yield FieldRow("Default", shown_value(field, field.default))
    if draft.is_changed(field):
        yield FieldRow("This batch", shown_value(field, value_of(draft.base, field)))
    if narrow or field.kind != "choice":
        yield FieldRow("Allowed", allowed_values(field))
    if unit := unit_of(field):
        yield FieldRow("Unit", unit)
    if not narrow:
        yield FieldRow("Settings file", f"[{field.section}] {field.name}")


def describe_error(error: FwtuiError, glyphs: Glyphs) -> Content:
    """What is wrong and what would be right; option names without the dashes."""
    title = clean(error.title).replace("--", "")
    hint = clean(error.hint).replace("--", "")
    return Content.assemble(
        (f"{glyphs.failed} {title}", "bold $error"), (f"\n{hint}" if hint else "", "$error")
    )


def key_hints(node: MessagePump, room: int, glyphs: Glyphs) -> str:
    """The most important keys, as many as fit into `room` cells."""
    arrows = "<- ->" if glyphs.ascii else "\u2190\u2192"
    hints = (
        with_keys(node, "{setting_edit} edit"),
        f"{arrows} change",
        with_keys(node, "{setting_reset} reset"),
        with_keys(node, "{setting_filter} find"),
        with_keys(node, "{setting_apply} apply"),
        with_keys(node, "{setting_save} save"),
        "Esc cancel",
    )
    dot = f" {glyphs.dot} "
    lines = (dot.join(hints[:count]) for count in range(len(hints), 0, -1))
    return next((line for line in lines if width(line) <= room), "")


class ProfilesRead(Message):
    """The user's profiles, as they are in the settings file now; for the app."""

    def __init__(self, profiles: tuple[Profile, ...]) -> None:
        super().__init__()
        self.profiles = profiles


class ValueInput(Input):
    """Lies over the value that is edited; moving away accepts the value."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "accept(-1)", show=False),
        Binding("down,tab", "accept(1)", show=False),
        Binding("shift+tab", "accept(-1)", show=False),
    ]

    class Accepted(Message):
        """The value is accepted, and the cursor moves by `lines`."""

        def __init__(self, lines: int) -> None:
            super().__init__()
            self.lines = lines

    def action_accept(self, lines: int) -> None:
        self.post_message(self.Accepted(lines))


class SettingsDialog(Dialog[Settings | None]):
    """Gives the settings to apply, or None; saves defaults and profiles itself."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("settings")
    escape_result = None

    def __init__(
        self,
        used: Settings,
        glyphs: Glyphs,
        file: Path | None = None,
        *,
        use: str = "Apply to this batch",
    ) -> None:
        super().__init__()
        self._use = use
        self.draft = Draft(used)
        self._saved: Settings | None = None  # as defaults
        self._glyphs = glyphs
        self._file = file or Locations.default().config_file
        self._list = SettingsList(self.draft, glyphs, id="settings-list")
        self._value = ValueInput(id="setting-value", select_on_focus=True)
        self._filter = Input(placeholder="Find in names and descriptions", id="settings-filter")
        self._profile_name = Input(placeholder="Profile name", id="profile-name")
        self._bar = ProfileBar(f"{glyphs.bullet} not the default   * changed, not applied")
        self._help = Static("", markup=False, id="setting-help")
        self._editing: Field | None = None
        self._error: FwtuiError | None = None
        self._error_at: Field | None = None

    def compose(self) -> ComposeResult:
        over = Container(self._list, self._value, id="settings-over")
        left = Vertical(over, self._filter, self._profile_name)
        left.id = "settings-left"
        yield frame(
            "Settings",
            self._bar,
            Container(left, self._help, id="settings-body"),
            buttons=(
                Button("Cancel", id="close"),
                Button("Save as defaults", id="save"),
                Button(self._use, id="apply", variant="primary"),
            ),
            id="settings-dialog",
        )

    def on_mount(self) -> None:
        self._list.focus()
        self._show()
        self._read_profiles()

    @work(group="profiles", exit_on_error=False)
    async def _read_profiles(self) -> None:
        try:
            own = await asyncio.to_thread(load_profiles, self._file)
        except FwtuiError as error:
            self._show_error(error)
            return
        await self._bar.set_own(own)
        self.post_message(ProfilesRead(own))
        self._show()

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002
        self._show()
        if self._editing is not None:
            self.call_after_refresh(self._place_value)

    # What is seen.

    def _show(self) -> None:
        """Draw everything that depends on the draft, the cursor and the error."""
        self._list.refresh()
        field = self._list.current
        narrow = self.size.width < NARROW_WIDTH
        help_text = Content("")
        if field is not None:
            help_text = describe_setting(field, self.draft, self._glyphs, narrow=narrow)
        if self._error is not None:
            error = describe_error(self._error, self._glyphs)
            help_text = Content("\n" if narrow else "\n\n").join((error, help_text))
        self._help.update(help_text)
        self._bar.mark(self._chosen)
        box = self.query_one("#settings-dialog", DialogBox)
        changes = self.draft.changes
        new = f" {self._glyphs.dot} {changes} changed" if changes else ""
        box.set_title(f"Settings{new}")
        box.border_subtitle = Content(key_hints(self, box.outer_size.width - 6, self._glyphs))

    def on_settings_list_setting_highlighted(self) -> None:
        if self._editing is None and self._list.current is not self._error_at:
            self._error = None
        self._show()

    # Changing values.

    def action_edit(self) -> None:
        if isinstance(self.focused, Button):
            self.focused.press()
            return
        field = self._list.current
        if field is None or self._editing is not None:
            return
        if field.kind == "bool":
            self._step(field, -1 if self.draft.value(field) else 1)
        elif field.kind == "choice":
            self._step(field, 1)
        else:
            self._edit(field)

    def on_settings_list_edit_requested(self) -> None:
        self._list.focus()
        self.call_later(self.action_edit)

    def action_step(self, by: int) -> None:
        field = self._list.current
        if isinstance(self.focused, Button):
            self.action_focus_button(by)
        elif field is not None:
            self._step(field, by)

    def _step(self, field: Field, by: int) -> None:
        self._error = None
        self.draft.step(field, by)
        self._show()

    def action_reset(self) -> None:
        field = self._list.current
        if field is not None:
            self._error = None
            self.draft.put(field, field.default)
            self._show()

    @property
    def _chosen(self) -> Profile | None:
        """The profile whose values these are."""
        return profile_of(self.draft.settings, self._bar.profiles[len(PROFILES) :])

    def action_profile(self, number: int) -> None:
        if self._finish() and number < len(self._bar.profiles):
            self.draft.settings = with_profile(self.draft.settings, self._bar.profiles[number])
            self._show()

    def action_next_profile(self) -> None:
        chosen, profiles = self._chosen, self._bar.profiles
        number = profiles.index(chosen) + 1 if chosen in profiles else 0
        self.action_profile(number % len(profiles))

    def on_profile_bar_profile_selected(self, event: ProfileBar.ProfileSelected) -> None:
        self.action_profile(event.number)

    def action_name_profile(self) -> None:
        if self._finish():
            self._profile_name.add_class("open")
            chosen = self._chosen
            self._profile_name.value = chosen.name if chosen is not None and chosen.complete else ""
            self._profile_name.focus()

    @work(exclusive=True, group="save", exit_on_error=False)
    async def _save_profile(self, name: str) -> None:
        self._profile_name.remove_class("open")
        self._list.focus()
        if not name:
            return
        try:
            profile = custom_profile(name, validated(self.draft.settings))
            await asyncio.to_thread(save_profile, self._file, profile)
        except FwtuiError as error:
            self._show_error(error)
            return
        self.notify(clean(f"Profile {name} saved"), markup=False)
        self._read_profiles()

    @work(exclusive=True, group="save", exit_on_error=False)
    async def action_delete_profile(self) -> None:
        chosen = self._chosen
        if chosen is None or not chosen.complete:
            self.notify("Only custom profiles can be deleted", markup=False)
            return
        question = f"Delete the profile {clean(chosen.name)}?\n\nThe settings do not change."
        if not await self.app.push_screen_wait(ConfirmDialog("Delete", question, "Delete", "Keep")):
            return
        try:
            await asyncio.to_thread(delete_profile, self._file, chosen.name)
        except FwtuiError as error:
            self._show_error(error)
        self._read_profiles()

    def _edit(self, field: Field) -> None:
        self._editing = field
        self._list.locked = True
        self._value.value = edited_text(self.draft.value(field))
        self._value.placeholder = field.unset if field.optional else ""
        self._value.add_class("open")
        self._place_value()
        self._value.focus()

    def _place_value(self) -> None:
        column = VALUE_COLUMN - 1
        self._value.styles.offset = (column, self._list.cursor_y)
        self._value.styles.width = max(8, self._list.size.width - column - 1)

    def _finish(self) -> bool:
        """Accept the value that is being typed; False: it is not allowed, and typing continues."""
        field = self._editing
        if field is None:
            self._error = None
            return True
        if not self._check():
            self._value.focus()
            return False
        self.draft.put(field, self.draft.typed(field, self._value.value))
        self._close_value()
        return True

    def _close_value(self) -> None:
        self._editing = self._error = None
        self._list.locked = False
        self._value.remove_class("open", "wrong")
        self._list.focus()
        self._show()

    def _check(self) -> bool:
        field = self._editing
        self._error = None
        if field is not None:
            try:
                self.draft.typed(field, self._value.value)
            except FwtuiError as error:
                self._error = error
        self._value.set_class(self._error is not None, "wrong")
        self._show()
        return self._error is None

    def on_value_input_accepted(self, event: ValueInput.Accepted) -> None:
        if self._finish():
            self._list.action_go(event.lines)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input is self._value:
            self._finish()
            return
        if event.input is self._profile_name:
            self._save_profile(self._profile_name.value.strip())
            return
        if not self._filter.value:
            self._filter.remove_class("open")
        self._list.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        if event.input is self._filter:
            self._list.set_filter(event.value)
        elif self._editing is not None:
            self._check()

    def action_filter(self) -> None:
        if self._finish():
            self._filter.add_class("open")
            self._filter.focus()

    # The end.

    def action_leave(self) -> None:
        if self._editing is not None:
            self._close_value()
        elif self._profile_name.has_class("open"):
            self._profile_name.remove_class("open")
            self._list.focus()
        elif self._filter.has_class("open"):
            self._filter.value = ""
            self._filter.remove_class("open")
            self._list.focus()
        else:
            self.action_close()

    @property
    def unsaved(self) -> str:
        changes = self.draft.changes
        if not changes or self.draft.settings == self._saved:
            return ""
        count = "1 change is" if changes == 1 else f"{changes} changes are"
        return f"{count} neither applied nor saved as defaults."

    def action_apply(self) -> None:
        settings = self._usable()
        if settings is not None:
            self.dismiss(settings)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def action_save(self) -> None:
        settings = self._usable()
        if settings is None:
            return
        try:
            await asyncio.to_thread(_save, self._file, settings)
        except FwtuiError as error:
            self._show_error(error)
            return
        self._saved = settings
        self.notify(clean(f"Defaults saved in {shown_path(str(self._file))}"), markup=False)

    def _usable(self) -> Settings | None:
        if not self._finish():
            return None
        try:
            settings = validated(self.draft.settings)
            self._notify_warnings(settings)
        except FwtuiError as error:
            self._show_error(error)
            return None
        return settings

    def _notify_warnings(self, settings: Settings) -> None:
        """Show what will have no effect, or not the wanted one. Raises UsageError."""
        from fwtui.batch.start_checks import check_settings

        try:
            found = check_settings(settings)
        except ModelError as error:  # the model may come later; the batch will say so
            found = (f"{error.title}. {error.hint}",)
        for text in found:
            self.notify(clean(text).replace("--", ""), severity="warning", markup=False)

    def _show_error(self, error: FwtuiError) -> None:
        """Show an error beside the setting that it is about."""
        if error.setting:
            self._list.show(find_field(error.setting))
        self._error, self._error_at = error, self._list.current
        self._show()


def _save(file: Path, settings: Settings) -> None:
    save_settings(file, portable(settings, load_settings(file)))
