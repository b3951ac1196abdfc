"""Languages are understood as people write them."""

import pytest

from fwtui.core.languages import LANGUAGES, language_code, nearest_language
from fwtui.core.settings import DecodingSettings, Settings

REGIONS = ("US", "BR", "419", "Hans", "Hant-TW", "CN.UTF-8", "DE@euro")


@pytest.mark.parametrize("code", LANGUAGES)
def test_regions_and_scripts_do_not_matter(code: str) -> None:
    for region in REGIONS:
        as_locale = region.replace("-", "_")
        for tag in (f"{code}-{region}", f"{code}_{as_locale}", f" {code.upper()}-{region} "):
            assert language_code(tag) == code


KNOWN = {
    "en": "eng English ENGLISH en_GB.UTF-8",
    "de": "deu ger Deutsch DEUTSCH de_AT de-1996 de-CH-1901",
    "fr": "fra fre français Francais FRANÇAIS fr-CA",
    "es": "spa español espanol castellano Castilian es-419",
    "zh": "zho chi cmn 中文 汉语 普通话 简体中文 繁體中文 Mandarin zh-Hans zh_CN zh-HK",
    "yue": "yue 粵語 Cantonese yue-HK zh-yue",
    "pt": "por português portugues pt-BR",
    "el": "ell gre ελληνικά ελληνικα",
    "tr": "tur Türkçe turkce",
    "ja": "jpn 日本語",
    "no": "nor nob nb nb-NO Norsk bokmål",
    "nn": "nno Nynorsk",
    "he": "heb iw עברית",
    "fa": "fas per Farsi فارسی",
    "cs": "ces cze Čeština cestina",
    "tl": "tgl fil Filipino",
    "sr": "srp sr@latin sr-Latn-RS српски",
    "jw": "jv jav",
    "my": "mya bur မြန်မာ",
    "haw": "haw",
}


def test_codes_and_own_names_are_known() -> None:
    for code, names in KNOWN.items():
        for name in names.split():
            assert (name, language_code(name)) == (name, code)
    assert language_code("haitian_creole") == language_code("kreyòl ayisyen") == "ht"
    assert language_code("norsk bokmål") == "no"


UNKNOWN = {
    "germna": "german", "deutch": "german", "portugese": "portuguese", "ukranian": "ukrainian",
    "mandrin": "chinese", "русски": "russian", "jp": "japanese", "cn": "chinese", "gr": "greek",
    "cz": "czech", "ua": "ukrainian", "jp-JP": "japanese", "gsw": "german", "swiss": "german",
    "Chinese (Simplified)": "chinese", "simplified_chinese": "chinese",
    "English(US)": "english",
    "Brazilian Portuguese": "portuguese", "Allemand": "german", "Baskisch": "basque",
    "Dari": "persian", "Englisch": "english",
    "american english": "english", "svensk": "swedish", "italien": "italian",
}  # fmt: skip


def test_a_wrong_name_gets_a_sensible_neighbour() -> None:
    for name, meant in UNKNOWN.items():
        assert (name, language_code(name), nearest_language(name)) == (name, None, meant)
    for nonsense in ("xx", "qqq", "klingon", "xx-YY", "none", "null", "de-", "-", "12", "e n"):
        assert language_code(nonsense) is None
        assert nearest_language(nonsense) is None


@pytest.mark.parametrize("text", ["auto", "AUTO", " Auto ", "detect", "", "auto-detect"])
def test_auto_means_to_detect(text: str) -> None:
    from fwtui.config.validate import validated

    settings = Settings(decoding=DecodingSettings(language=text))
    assert validated(settings).decoding.language is None
