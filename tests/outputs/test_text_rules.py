"""Text rules in many languages: ends of sentences, spaces, capitals, lines, markup."""

import re
from html import unescape
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fwtui.config.validate import parse_replacements
from fwtui.core.scripts import clusters, is_mark, width
from fwtui.core.segment import Segment, Transcript, Word
from fwtui.core.settings import OutputSettings
from fwtui.outputs.formats.cues import cues
from fwtui.outputs.formats.edit import edited, tidied
from fwtui.outputs.formats.registry import render
from fwtui.outputs.formats.sentences import Ending, ending
from tests.outputs.cases import segment, spoken

# Each pair of texts is one sentence.
INSIDE = [
    ("en", " We met Dr.", " Smith in May."),
    ("en", " It is Mrs.", " Brown."),
    ("en", " See No.", " 5 for more."),
    ("en", " The U.S.", " Army came."),
    ("en", " J. R. R.", " Tolkien wrote it."),
    ("en", " apples, pears, etc.", " are fruit."),
    ("en", " Well...", " maybe not."),
    ("en", " at 5 p.m.", " on Monday."),
    ("en", " “Really?”", " he asked."),
    ("de", " Am 3.", " Oktober war es."),
    ("de", " Ludwig XIV.", " König von Frankreich."),
    ("de", " Das ist z.B.", " Obst."),
    ("de", " das ist z. B.", " Obst."),
    ("de", " Äpfel, Birnen usw.", " sind Obst."),
    ("de", " Er wohnt bei Fr.", " Müller in der Hauptstr."),
    ("de", " Siehe Abb.", " Zwei."),
    ("fr", " Bonjour M.", " Dupont."),
    ("fr", " Voir éd.", " Gallimard."),
    ("fr", " une ville, p. ex.", " Paris."),
    ("fr", " MM.", " Dupont et Martin."),
    ("es", " p. ej.", " Madrid."),
    ("es", " los EE. UU.", " Tienen."),
    ("pt", " p. ex.", " Lisboa."),
    ("hi", " डॉ.", " सिंह आए"),
    ("ar", " د.", " أحمد"),
    ("es", " La Sra.", " López vino."),
    ("es", " en EE.UU.", " hay."),
    ("pt", " A Dra.", " Silva veio."),
    ("it", " Il dott.", " Rossi."),
    ("nl", " Dit is bijv.", " fruit."),
    ("sv", " det är t.ex.", " frukt."),
    ("sv", " bl.a.", " Stockholm."),
    ("da", " den 3.", " oktober."),
    ("no", " den 17.", " mai."),
    ("fi", " maanantaina 3.", " lokakuuta."),
    ("fi", " se on esim.", " Helsinki."),
    ("et", " 24.", " veebruaril."),
    ("lv", " 18.", " novembrī."),
    ("lv", " plkst.", " Desmitos."),
    ("lt", " Gyvena g.", " Vilniuje."),
    ("pl", " w ul.", " Długiej."),
    ("pl", " Jan III.", " był królem."),
    ("cs", " dne 28.", " října."),
    ("cs", " je to např.", " Praha."),
    ("sk", " dňa 1.", " januára."),
    ("sl", " dne 25.", " junija."),
    ("hr", " dana 30.", " svibnja."),
    ("hu", " 1848. március 15.", " napján."),
    ("hu", " pl.", " Budapest."),
    ("ro", " pe str.", " Mare."),
    ("tr", " Ali Bey ve Doç.", " Veli."),
    ("is", " 17.", " júní."),
    ("ru", " В 1990 гг.", " было так."),
    ("ru", " это т.е.", " Москва."),
    ("ru", " на ул.", " Ленина."),
    ("ru", " проф.", " Иванов."),
    ("uk", " на вул.", " Шевченка."),
    ("bg", " г-н и др.", " хора."),
    ("el", " π.χ.", " Αθήνα."),
    ("el", " ο κ.", " Παπαδόπουλος."),
]
# The first of these is a sentence.
BETWEEN = [
    ("en", " We go home.", " Then we sleep."),
    ("en", " no capitals here.", " then we sleep."),
    ("en", " It was 5.", " Then we left."),
    ("en", " No.", " That is wrong."),
    ("en", " He said hmm.", " Then he left."),
    ("en", " We watched TV.", " Then we left."),
    ("en", " We bought fruit, etc.", " Then we left."),
    ("en", " It was 5 km.", " Then we left."),
    ("en", " “Really?”", " No end"),
    ("de", " Es war 1989.", " Dann fiel sie."),
    ("fr", " Vraiment ?", " Oui."),
    ("fr", " « Oui. »", " Il partit."),
    ("es", " ¿Qué?", " ¡Nada!"),
    ("cs", " Bylo jich 12.", " Potom šli."),
    ("cs", " To je krk.", " A to je prst."),
    ("ru", " и т.д.", " Потом ушли."),
    ("el", " Τι είναι;", " Τίποτα."),
    ("hi", " यह है।", " वह है।"),
    ("ur", " یہ ہے۔", " وہ ہے۔"),
    ("ar", " كيف حالك؟", " بخير."),
    ("fa", " خوبی؟", " بله."),
    ("he", " מה שלומך?", " טוב."),
    ("hy", " Այո։", " Ոչ։"),
    ("am", " ነው።", " አይደለም።"),
    ("ja", "そうです。", "はい。"),
    ("ja", "「そうです。」", "はい。"),
    ("zh", "你好。", "再见。"),
    ("zh", "你好！", "再见。"),
    ("my", "ဟုတ်တယ်။", "မဟုတ်ဘူး။"),
    ("km", "បាទ។", "ទេ។"),
    ("ka", " კი.", " არა."),
    ("ko", " 네.", " 아니요."),
]


def said(language: str, *texts: str) -> Transcript:
    return Transcript(language, tuple(segment(i, i + 1, text) for i, text in enumerate(texts)))


def joined_texts(language: str, *texts: str) -> list[str]:
    output = OutputSettings(join_sentences=True)
    return [one.text for one in edited(said(language, *texts), output).segments]


def tidy(text: str, language: str, *, begins: bool = True) -> str:
    return tidied(text, language, begins=begins)[0]


@pytest.mark.parametrize(("language", "first", "second"), INSIDE)
def test_abbreviations_and_ordinals_do_not_end_a_sentence(
    language: str, first: str, second: str
) -> None:
    assert joined_texts(language, first, second) == [first + second]
    lower = first + second.lower()
    assert tidy(lower, language)[len(first) :] == second.lower()


@pytest.mark.parametrize(("language", "first", "second"), BETWEEN)
def test_other_marks_do(language: str, first: str, second: str) -> None:
    assert joined_texts(language, first, second) == [first, second]


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("th", ["สวัสดีครับ", "วันนี้อากาศดี", "ไปกันเถอะ"]),
        ("lo", ["ສະບາຍດີ", "ມື້ນີ້", "ໄປ"]),
        ("zh", ["今天天气很好", "我们去公园", "然后回家"]),
        ("ja", ["今日は天気がいい", "公園へ行く", "帰る"]),
        ("km", ["សួស្តី", "ថ្ងៃនេះ"]),
    ],
)
def test_without_marks_and_spaces_segments_stay_as_they_are(
    language: str, texts: list[str]
) -> None:
    assert joined_texts(language, *texts) == texts
    assert joined_texts("zh", "今天天气", "很好。", "再见") == ["今天天气很好。", "再见"]


@pytest.mark.parametrize(
    ("language", "text", "right"),
    [
        (
            "fr",
            " quoi ? oui ! vraiment : « oui » ; non .",
            " Quoi ? Oui ! Vraiment : « oui » ; non.",
        ),
        ("fr", " quoi\u202f? oui\u00a0!", " Quoi\u202f? Oui\u00a0!"),
        ("br", " petra ?", " Petra ?"),
        ("en", " what ? yes !", " What? Yes!"),
        ("de", " was ? ja !", " Was? Ja!"),
        ("", " quoi ?", " Quoi ?"),  # the language is not known
        ("en", " nice :) yes", " Nice :) yes"),
        ("en", " iPhone is new. eBay too", " iPhone is new. eBay too"),
        ("ka", " კი. არა", " კი. არა"),  # has capitals, but not for sentences
        ("tr", " iyi. ilk", " İyi. İlk"),
        ("az", " indi", " İndi"),
        ("nl", " ijs. 's ochtends is het", " IJs. 's Ochtends is het"),
        ("hr", " ǆep", " ǅep"),
        ("de", " ßo", " ßo"),
        ("el", " τι ; άρα", " Τι; Άρα"),
        ("es", " ¿qué? ¡nada!", " ¿Qué? ¡Nada!"),
        ("ru", " да. нет", " Да. Нет"),
        ("ja", "今日は　天気 。  hello", "今日は　天気 。  hello"),
        ("th", "สวัสดี  ครับ !", "สวัสดี  ครับ !"),
        ("my", "ဟုတ်  တယ် ။", "ဟုတ်  တယ် ။"),
        ("hi", " यह  है । वह", " यह है । वह"),
        ("ar", " كيف  حالك ؟", " كيف حالك ؟"),
        ("he", " שלום  עולם", " שלום עולם"),
        ("ko", " 네 , 맞아요", " 네, 맞아요"),
    ],
)
def test_tidying_by_language(language: str, text: str, right: str) -> None:
    assert tidy(text, language) == right


@given(text=st.text(max_size=60), language=st.sampled_from(["en", "de", "fr", "zh", "th", "ar"]))
def test_tidying_never_changes_letters_and_is_done_once(text: str, language: str) -> None:
    once = tidy(text, language)
    letters = [one for one in text.casefold() if not one.isspace()]
    assert [one for one in once.casefold() if not one.isspace()] == letters
    assert ending(text, language) in Ending


@pytest.mark.parametrize(
    ("rule", "text", "right"),
    [
        ("राम => X", " राम रामा", " X रामा"),
        ("नमस्ते => N", " नमस्ते नमस्तेजी", " N नमस्तेजी"),
        ("சொல் => X", " சொல் சொல்லு", " X சொல்லு"),
        ("ខ្ញុំ => X", "ខ្ញុំទៅ", "Xទៅ"),
        ("မင်္ဂ => X", "မင်္ဂလာ", "Xလာ"),
        ("عن => X", " عن عند", " X عند"),
    ],
)
def test_corrections_of_whole_words(rule: str, text: str, right: str) -> None:
    (after,) = edited(said("hi", text), OutputSettings(), parse_replacements(rule)).segments
    assert after.text == right


# --- lines ---------------------------------------------------------------------------------------

SENTENCES = {
    "ja": "今日は、とても「いい」天気ですね。ちょっとコーヒーを飲みましょう！それから、公園へ。",
    "zh": "你好，世界。今天（星期一）天气很好，我们去公园吧！然后回家。",
    "th": "วันนี้อากาศดีมากครับ เราจะไปเที่ยวกันที่สวนสาธารณะ แล้วก็กลับบ้านด้วยกัน",
    "km": "ថ្ងៃនេះអាកាសធាតុល្អណាស់យើងទៅសួនច្បារជាមួយគ្នាហើយត្រឡប់មកផ្ទះវិញ",
    "my": "ဒီနေ့ရာသီဥတုအရမ်းကောင်းတယ်ပန်းခြံကိုသွားကြမယ်ပြီးတော့အိမ်ပြန်မယ်",
    "lo": "ມື້ນີ້ອາກາດດີຫຼາຍພວກເຮົາຈະໄປສວນສາທາລະນະແລ້ວກັບບ້ານ",
    "bo": "བོད་སྐད་ནི་བོད་མིའི་སྐད་ཡིག་ཡིན་པས་སློབ་སྦྱོང་བྱེད་དགོས།",
}


def in_words(text: str, size: int) -> Segment:
    """As Whisper splits such scripts: by characters, whatever they are, or not at all."""
    return spoken(0.0, *(text[at : at + size] for at in range(0, len(text), size)))


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("limit", [6, 10, 16])
def test_lines_of_scripts_without_spaces(language: str, size: int, limit: int) -> None:
    text = SENTENCES[language]
    output = OutputSettings(max_line_width=limit, max_line_count=2)
    transcript = Transcript(language, (in_words(text, size),))
    lines = [line for cue in cues(transcript, output) for line in cue.text.split("\n")]
    assert "".join("".join(lines).split()) == "".join(text.split())  # nothing is lost
    for line in lines:
        assert width(line) <= limit
        assert not is_mark(line[0])
        if size < 3:
            assert line[0] not in "、。，！）」ょーっ", lines
            assert line[-1] not in "「（", lines
    (word, *_), last = transcript.segments[0].words or (), transcript.segments[-1].end
    found = list(cues(transcript, output))
    assert found[0].start == word.start * 1000
    assert found[-1].end == round(last * 1000)
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_marks_count_with_their_letter() -> None:
    assert width("नमस्ते") == 4
    assert width("ที่นี่") == 2
    assert list(clusters("e\u0301a👩\u200d🚀x")) == ["e\u0301", "a", "👩\u200d🚀", "x"]
    assert width("plain") == 5


def test_a_paragraph_of_chinese_has_no_spaces() -> None:
    chinese = said("zh", "你好。", "再见。", " Hello.", "好")
    assert b"".join(render(chinese, "md", OutputSettings())).decode() == (
        "**0:00:00** 你好。再见。 Hello. 好\n"
    )


# --- markup --------------------------------------------------------------------------------------

HOSTILE = st.text(
    st.sampled_from(list("<>&-\n\r\t {}\\[]:;/uU1a.,0é\u2028\x0b\x85\0")), max_size=25
)


@given(
    texts=st.lists(HOSTILE, min_size=1, max_size=4), highlight=st.booleans(), timed=st.booleans()
)
def test_no_text_is_read_as_webvtt(texts: list[str], highlight: bool, timed: bool) -> None:
    segments = tuple(
        segment(i, i + 1, text, (Word(i, i + 0.5, text, 0.5), Word(i + 0.5, i + 1, " x", 0.5)))
        if timed
        else segment(i, i + 1, text)
        for i, text in enumerate(texts)
    )
    output = OutputSettings(highlight_words=highlight and timed)
    written = b"".join(render(Transcript("en", segments), "vtt", output)).decode()
    shown = re.split(r"\n\n+", written.removeprefix("WEBVTT\n\n"))
    for block in filter(None, (block.strip("\n") for block in shown)):
        times, *lines = block.split("\n")
        assert re.fullmatch(r"[\d:.]+ --> [\d:.]+", times)
        for line in lines:
            assert "-->" not in line
            assert not re.search(r"<(?!/?u>)|&(?!(amp|lt|gt);)", line)
            assert not line.isspace()
    if not output.highlight_words:
        whole = unescape(re.sub(r"[\d:.]+ --> [\d:.]+", "", written).removeprefix("WEBVTT"))
        given_text = "".join(texts).replace("-->", "->").replace("\0", "\ufffd")
        assert "".join(whole.split()).count("<") == given_text.count("<")
        assert "".join(whole.split()).count("&") == given_text.count("&")


def test_markup_in_a_text_is_shown_in_every_format() -> None:
    words = spoken(0.0, " <u>a</u>", " &", " {b}", " c")
    output = OutputSettings(highlight_words=True)
    vtt = b"".join(render(Transcript("en", (words,)), "vtt", output)).decode()
    assert "<u>&lt;u&gt;a&lt;/u&gt;</u> &amp; {b} c" in vtt
    ass = b"".join(render(Transcript("en", (words,)), "ass", output)).decode()
    assert "<u>a</u> {\\u1}&{\\u0} (b) c" in ass
    plain = said("en", " [00:10.00] [ar:x] <00:12.00> [music]", " &lt; AT&T *")
    lrc = b"".join(render(plain, "lrc", OutputSettings())).decode()
    assert lrc.splitlines()[0] == "[00:00.00](00:10.00) (ar:x) (00:12.00) [music]"
    md = b"".join(render(plain, "md", OutputSettings())).decode()
    assert "\\&lt; AT&T \\*" in md


def test_a_segments_language_is_the_one_that_was_heard_in_it() -> None:
    texts = said("fr", " quoi ?", " what ?")
    own = replace(texts, segments=(texts.segments[0], replace(texts.segments[1], language="en")))
    after = edited(
        own, OutputSettings(tidy_text=True), language_of=lambda one: one.language or "fr"
    )
    assert [one.text for one in after.segments] == [" Quoi ?", " What?"]
