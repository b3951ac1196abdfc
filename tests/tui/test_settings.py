"""The settings screen: every kind of value, profiles, apply, save, escape."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from textual import constants
from textual.theme import BUILTIN_THEMES
from textual.widgets import Button, Input, Static

from fwtui.batch.workspace import Workspace
from fwtui.config.fields import all_fields, find_field, value_of
from fwtui.config.locations import Locations
from fwtui.config.sources import load_keys, load_profiles, load_settings
from fwtui.core.commands import ChangeSettings
from fwtui.core.events import EngineChanged, SettingsChanged
from fwtui.core.settings import ModelSettings, OutputSettings, Settings
from fwtui.errors import ConfigError
from fwtui.tui.glyphs import ASCII
from fwtui.tui.screens.settings import SettingsDialog
from fwtui.tui.settings_draft import Draft, grouped, portable, unit_of
from fwtui.tui.theme import THEMES
from tests.models.folders import english
from tests.tui.driving import NARROW, WIDE, Driver, running, scripted
from tests.tui.fakes import ENGINE, SETTINGS, ScriptedLink, gallery


class Form:
    """The screen under test."""

    def __init__(self, driver: Driver, link: ScriptedLink) -> None:
        assert isinstance(driver.app.screen, SettingsDialog)
        self.driver, self.link, self.screen = driver, link, driver.app.screen

    async def go(self, key: str) -> None:
        self.screen._list.show(find_field(key))
        await self.driver.settle()

    async def press(self, *keys: str) -> None:
        await self.driver.press(*keys)

    async def type(self, key: str, text: str) -> None:
        """Open the value, replace it by `text`; not taken yet."""
        await self.go(key)
        await self.press("enter")
        self.screen._value.value = text
        await self.driver.settle()

    def value(self, key: str) -> object:
        return value_of(self.screen.draft.settings, find_field(key))

    @property
    def help(self) -> str:
        return str(self.screen.query_one("#setting-help", Static).content)

    @property
    def is_typing(self) -> bool:
        return self.screen._value.has_class("open")


@asynccontextmanager
async def form(size: tuple[int, int] = WIDE, settings: Settings = SETTINGS) -> AsyncIterator[Form]:
    link = ScriptedLink(gallery(), settings)
    async with scripted(link, size=size) as driver:
        await driver.press("comma")
        await driver.until_screen("SettingsDialog")
        yield Form(driver, link)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_it_shows_values_marks_and_help(size: tuple[int, int]) -> None:
    async with form(size) as it:
        buttons = ("Apply to this batch", "Save as defaults", "Cancel")
        await it.driver.until_text("Basic", "1 Fast", " model  ", *buttons)
        line = next(line for line in it.driver.text.splitlines() if " model  " in line)
        assert "• model" in line
        assert "large-v3" in line
        await it.go("decoding.vad_max_speech_duration_s")
        for words in ("Split longer speech", "auto", "a number, above 0", "seconds"):
            assert words in it.help
        await it.driver.until_text("vad_max_speech_duration_s")


async def test_every_kind_is_edited_and_applied() -> None:
    async with form() as it:
        await it.type("decoding.language", "german")
        await it.press("enter")
        await it.type("decoding.beam_size", "7")
        await it.press("down")
        assert it.screen._list.current == find_field("decoding.best_of")
        await it.press("right", "right", "left")
        await it.type("decoding.compression_ratio_threshold", "none")
        await it.press("tab")
        await it.go("decoding.vad_filter")
        await it.press("space")
        await it.go("decoding.suppress_blank")
        await it.press("h")
        await it.go("model.device")
        await it.press("right")
        await it.driver.until_text("7 changed")
        await it.press("a")
        await it.driver.until(lambda: it.link.commands)
        decoding = replace(
            SETTINGS.decoding,
            language="de",
            beam_size=7,
            best_of=6,
            compression_ratio_threshold=None,
            vad_filter=True,
            suppress_blank=False,
        )
        model = replace(SETTINGS.model, device="auto")
        assert it.link.commands == [
            ChangeSettings(replace(SETTINGS, decoding=decoding, model=model))
        ]


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("decoding.beam_size", "0", "a whole number, at least 1"),
        ("decoding.beam_size", "1.5", "a whole number, at least 1"),
        ("decoding.patience", "[red]", "decoding.patience cannot be '[red]'"),
        ("decoding.vad_threshold", "1.1", "at most 1, or none"),
        ("decoding.language", "germn", "did you mean german?"),
        ("model.model", "/no/such", "no model in /no/such"),
        ("model.device_index", "99999", "0 to 1023"),
        ("decoding.clip_timestamps", "9,1", "start,end"),
        ("decoding.suppress_tokens", "a,b", "token IDs"),
        ("decoding.max_new_tokens", "300", "at most 224"),
        ("output.output_dir", "/dev/null/x", "/dev/null is a file"),
    ],
)
async def test_a_wrong_value_is_told_and_never_leaves(key: str, text: str, words: str) -> None:
    async with form(NARROW) as it:
        await it.type(key, text)
        assert words in " ".join(it.help.split())
        for wanted in ("enter", "down"):
            await it.press(wanted)
            assert it.is_typing
        it.screen.query_one("#apply", Button).press()
        await it.driver.settle()
        it.screen.query_one("#profile-1", Button).press()
        await it.driver.settle()
        assert it.is_typing
        await it.press("escape")
        assert not it.is_typing
        assert it.screen.draft.settings == SETTINGS
        await it.press("escape")
        assert it.link.commands == []


async def test_a_value_goes_back_to_its_default() -> None:
    async with form() as it:
        await it.go("model.model")
        await it.press("backspace")
        assert it.value("model.model") == "small"
        assert "This batch large-v3" in " ".join(it.help.split())


async def test_profiles_by_key_and_by_mouse() -> None:
    async with form() as it:
        await it.press("1")
        assert (it.value("model.compute_type"), it.value("decoding.beam_size")) == ("int8", 1)
        await it.driver.click("#profile-3")
        await it.driver.until(lambda: it.value("decoding.beam_size") == 10)
        assert it.value("decoding.patience") == 2.0
        assert it.screen.query_one("#profile-3").has_class("on")
        await it.press("2")
        assert it.value("model.compute_type") == "default"
        assert not it.screen.query_one("#profile-3").has_class("on")


async def test_the_mouse_edits_a_value() -> None:
    async with form() as it:
        lines = it.screen._list._lines
        at = lines.index(find_field("decoding.task"))
        await it.driver.click("#settings-list", offset=(41, at))
        await it.driver.until(lambda: it.value("decoding.task") == "translate")
        at = lines.index(find_field("model.local_files_only"))
        await it.driver.click("#settings-list", offset=(5, at))
        assert it.value("model.local_files_only") is False
        assert it.screen._list.current == find_field("model.local_files_only")


async def test_the_filter_finds_by_name_and_help() -> None:
    async with form(NARROW) as it:
        await it.press("slash", *"silero", "enter")
        assert it.screen._list.current == find_field("decoding.vad_filter")
        await it.press("enter")
        assert it.value("decoding.vad_filter") is True
        await it.press("slash", *"zzz")
        await it.driver.until_text("No matching settings")
        await it.press("escape")
        await it.driver.until_text("output_dir")
        await it.driver.until_screen("SettingsDialog")


async def test_what_contradicts_is_told_at_its_setting() -> None:
    async with form() as it:
        await it.go("output.highlight_words")
        await it.press("space")
        await it.go("model.model")
        await it.press("a")
        await it.driver.until(lambda: "highlight_words requires word_timestamps" in it.help)
        assert it.screen._list.current == find_field("output.highlight_words")
        await it.driver.until_screen("SettingsDialog")
        assert it.link.commands == []


async def test_an_error_is_shown_at_the_setting_that_it_is_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where its text names another one first, or none."""

    def refuse(settings: Settings) -> Settings:
        raise ConfigError("--model does not go with that", setting="output.min_gap_ms")

    monkeypatch.setattr("fwtui.tui.screens.settings.validated", refuse)
    async with form() as it:
        await it.press("a")
        assert it.screen._list.current == find_field("output.min_gap_ms")
        assert "model does not go with that" in it.help
        await it.press("j")
        assert "model does not go with that" not in it.help


async def test_what_the_model_cannot_do_is_told_when_it_is_applied(tmp_path: Path) -> None:
    folder = english(tmp_path / "mine")
    async with form(settings=replace(SETTINGS, model=ModelSettings(model=str(folder)))) as it:
        await it.type("decoding.language", "de")
        await it.press("enter", "a")
        await it.driver.until(lambda: "supports English only" in it.help)
        assert it.screen._list.current == find_field("decoding.language")
        await it.press("backspace")
        await it.go("decoding.multilingual")
        await it.press("space", "a")
        await it.driver.until(lambda: it.link.commands)
        await it.driver.until_told("English only")


async def test_escape_and_nothing_changed_send_nothing() -> None:
    async with form() as it:
        await it.press("3", "escape", "right", "enter")
        await it.driver.until_screen("MainScreen")
        await it.press("comma", "a")
        await it.driver.until_screen("MainScreen")
        assert it.link.commands == []


async def test_save_writes_defaults_and_keeps_comments() -> None:
    file = Locations.default().config_file
    file.parent.mkdir(parents=True)
    file.write_text("# mine\n[decoding]\nbeam_size = 2 # two\n")
    async with form() as it:
        await it.press("3", "s")
        await it.driver.until(lambda: "10 # two" in file.read_text())
        await it.driver.until_told("Defaults saved")
        await it.driver.until_screen("SettingsDialog")
        assert file.read_text().startswith("# mine\n[decoding]\nbeam_size = 10 # two\n")
        assert load_settings(file) == it.screen.draft.settings
        assert it.link.commands == []


async def test_a_file_that_cannot_be_changed_is_told() -> None:
    file = Locations.default().config_file
    file.parent.mkdir(parents=True)
    file.write_text("[decoding\n")
    async with form() as it:
        await it.press("s")
        await it.driver.until(lambda: "not valid TOML" in it.help)
        assert file.read_text() == "[decoding\n"


async def test_text_from_outside_is_data() -> None:
    odd = replace(SETTINGS.decoding, initial_prompt="[red]a[/] \x1b[31m\nb [/]")
    async with form(settings=replace(SETTINGS, decoding=odd)) as it:
        await it.go("decoding.initial_prompt")
        await it.driver.until_text("[red]a[/]")
        await it.press("enter", "enter")
        assert it.screen.draft.settings.decoding == odd


async def test_ascii_and_small_terminals() -> None:
    link = ScriptedLink()
    async with scripted(link, size=(40, 12), glyphs=ASCII) as driver:
        await driver.press("comma", "j", "right", "j")
        await driver.until_screen("SettingsDialog")
        await driver.resize(20, 5)
        await driver.press("j", "enter")
        await driver.resize(100, 30)
        await driver.press("escape")
        await driver.until(lambda: driver.screen != "SettingsDialog")  # it asks: there are changes
        await driver.press("right", "enter")
        await driver.until_screen("MainScreen")


async def test_the_header_tells_of_the_next_model() -> None:
    link = ScriptedLink(gallery())
    other = replace(SETTINGS, model=ModelSettings(model="tiny"))
    async with scripted(link) as driver:
        link.emit(SettingsChanged(other))
        await driver.until_text("tiny · auto · auto")
        link.emit(EngineChanged(0, ENGINE))
        await driver.until_text("large-v3 (next: tiny) · cuda:0")


async def test_apply_reaches_the_real_runner() -> None:
    async with running(Workspace(Locations.default()), settings=Settings()) as driver:
        await driver.until(lambda: driver.app.controller.model.session_id)
        await driver.press("comma")
        await driver.until_screen("SettingsDialog")
        await driver.press("1", "a")
        await driver.until_text("small · int8 · auto")
        assert driver.app.controller.model.settings.decoding.beam_size == 1
        assert Path(driver.app.controller.model.settings.output.output_dir).is_absolute()


def test_every_setting_is_in_one_group() -> None:
    shown = [field for _, inside in grouped() for field in inside]
    assert sorted(shown, key=lambda field: field.key) == sorted(
        all_fields(), key=lambda field: field.key
    )


def test_units() -> None:
    units = {field.name: unit_of(field) for field in all_fields() if unit_of(field)}
    assert units == {
        "max_initial_timestamp": "seconds",
        "hallucination_silence_threshold": "seconds",
        "vad_min_speech_duration_ms": "milliseconds",
        "vad_max_speech_duration_s": "seconds",
        "vad_min_silence_duration_ms": "milliseconds",
        "min_gap_ms": "milliseconds",
        "missing_speech_s": "seconds",
        "cancel_seconds": "seconds",
        "stall_seconds": "seconds",
        "hook_seconds": "seconds",
    }


def test_steps_stay_in_range() -> None:
    draft = Draft(Settings())
    beams, device = find_field("decoding.beam_size"), find_field("model.device")
    assert [draft.step(beams, -1) for _ in range(5)] == [True, True, True, True, False]
    assert draft.step(device, -1)
    assert (draft.value(beams), draft.value(device), draft.changes) == (1, "cuda", 2)


def test_a_relative_folder_stays_relative_as_a_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = Settings(output=OutputSettings(output_dir=str(tmp_path)))
    assert portable(here, Settings()) == Settings()
    assert portable(SETTINGS, Settings()) == SETTINGS


async def test_profiles_of_ones_own() -> None:
    file = Locations.default().config_file
    file.parent.mkdir(parents=True)
    file.write_text('# mine\n[keys]\nremove = "D"\n')
    async with form() as it:
        await it.go("decoding.beam_size")
        await it.press("l", "n", *"My talks", "enter")
        await it.driver.until_text("4 My talks")
        assert "# mine" in file.read_text()
        (mine,) = load_profiles(file)
        assert mine.values["decoding.beam_size"] == 6
        assert mine.values["model.model"] == "large-v3"
        await it.press("p")
        assert it.value("decoding.beam_size") == 1, "after the last one comes Fast"
        assert it.value("model.model") == "large-v3"
        await it.press("p", "p")
        assert it.value("decoding.beam_size") == 10
        await it.press("p")
        assert it.value("decoding.beam_size") == 6
        assert it.value("decoding.patience") == 1.0
        await it.press("a")
        await it.driver.until(lambda: it.link.commands)
        it.link.emit(SettingsChanged(it.screen.draft.settings))
        await it.driver.until_text("cuda · My talks")
    assert load_keys(file) == {"remove": ("D",)}
    async with form() as it:
        await it.driver.until_text("4 My talks")
        await it.press("p", "D")
        await it.driver.until_screen("SettingsDialog")
        await it.press("p", "p", "p", "D")
        await it.driver.until_text("Delete the profile My talks?")
        await it.press("right", "enter")
        await it.driver.until(lambda: load_profiles(file) == ())


async def test_the_interface_changes_at_once_and_is_not_the_batchs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(constants, "TEXTUAL_ANIMATIONS", "full")
    async with form() as it:
        assert it.driver.app.animation_level == "full"
        await it.go("interface.theme")
        await it.press("right")
        await it.go("interface.reduced_motion")
        await it.press("space", "a")
        await it.driver.until(lambda: it.driver.app.theme == "fwtui-light")
        await it.driver.until(lambda: it.driver.app.animation_level == "none")
        assert it.link.commands == []
        await it.press("slash")
        assert not it.driver.app.main.query_one("#filter", Input).cursor_blink
        await it.press("escape", "comma")
        await it.driver.until_screen("SettingsDialog")
        await it.driver.until(
            lambda: "changed" not in it.driver.text.replace("* changed, not applied", "")
        )


def test_themes_are_textuals_and_ours() -> None:
    known = BUILTIN_THEMES.keys() | {theme.name for theme in THEMES}
    assert set(find_field("interface.theme").choices) <= known
