"""What real models can do, and what is said of settings that they cannot follow."""

from pathlib import Path

import pytest

from fwtui.batch.start_checks import check_settings
from fwtui.config.fields import Value, apply
from fwtui.core.settings import Settings
from fwtui.errors import FwtuiError, ModelError
from fwtui.models.capabilities import capabilities, supported_languages


def of(folder: Path, **values: Value) -> Settings:
    keys = {f"decoding.{name}": value for name, value in values.items()}
    return apply(Settings(), {"model.model": str(folder), **keys})


def test_languages_tokens_and_bands(base: Path, tiny_en: Path) -> None:
    multilingual, english = capabilities(base), capabilities(tiny_en)
    assert (len(multilingual.languages), multilingual.tokens, multilingual.mels) == (99, 51865, 80)
    assert (english.languages, english.tokens, english.mels) == (("en",), 51864, 80)
    assert not multilingual.is_pruned
    assert supported_languages(tiny_en) == ("en",)


@pytest.mark.parametrize(
    ("english", "values"),
    [
        (True, {"language": "de"}),
        (True, {"task": "translate"}),
        (True, {"suppress_tokens": "51864"}),
        (False, {"language": "yue"}),
        (False, {"suppress_tokens": "-1,51865"}),
    ],
)
def test_what_they_cannot(
    english: bool, values: dict[str, Value], base: Path, tiny_en: Path
) -> None:
    with pytest.raises(FwtuiError) as caught:
        check_settings(of(tiny_en if english else base, **values))
    assert caught.value.setting == f"decoding.{next(iter(values))}"


def test_a_copy_that_was_cut_off_or_mixed_up(base: Path, tiny_en: Path, tmp_path: Path) -> None:
    for number, change in enumerate(("cut", "tokenizer", "vocabulary")):
        folder = tmp_path / str(number)
        folder.mkdir()
        for file in tiny_en.iterdir():
            (folder / file.name).symlink_to(file)
        if change == "cut":
            (folder / "model.bin").unlink()
            with (tiny_en / "model.bin").open("rb") as whole:
                (folder / "model.bin").write_bytes(whole.read(40_000_000))
        else:
            name = "tokenizer.json" if change == "tokenizer" else "vocabulary.json"
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(base / name)
        with pytest.raises(ModelError, match="is damaged") as caught:
            check_settings(of(folder))
        assert caught.value.hint
