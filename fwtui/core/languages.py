"""The languages that Whisper supports: codes, English names, and what else people call them."""

import re
import unicodedata
from difflib import get_close_matches

# Code, other ISO 639 codes (639-2/T, 639-2/B, 639-3, withdrawn ones) and English names, then "="
# and the language's own names. A name of several words has _ between them.
_TABLE = """
en eng english = english
zh zho chi cmn chinese mandarin = 中文 汉语 漢語 普通话 普通話 国语 國語 zhongwen
de deu ger german = deutsch
es spa spanish castilian = español castellano
ru rus russian = русский
ko kor korean = 한국어 조선말
fr fra fre french = français
ja jpn japanese = 日本語 日本语 にほんご nihongo
pt por portuguese = português
tr tur turkish = türkçe
pl pol polish = polski
ca cat catalan valencian = català valencià
nl nld dut dutch flemish = nederlands vlaams
ar ara arb arabic = العربية عربي
sv swe swedish = svenska
it ita italian = italiano
id ind in indonesian = bahasa_indonesia
hi hin hindi = हिन्दी हिंदी
fi fin finnish = suomi
vi vie vietnamese = tiếng_việt
he heb iw hebrew = עברית
uk ukr ukrainian = українська
el ell gre greek = ελληνικά
ms msa may zsm malay = bahasa_melayu
cs ces cze czech = čeština česky
ro ron rum mo mol romanian moldavian moldovan = română
da dan danish = dansk
hu hun hungarian = magyar
ta tam tamil = தமிழ்
no nor nb nob norwegian bokmål = norsk norsk_bokmål
th tha thai = ไทย ภาษาไทย
ur urd urdu = اردو
hr hrv scr croatian = hrvatski
bg bul bulgarian = български
lt lit lithuanian = lietuvių
la lat latin = latina lingua_latina
mi mri mao maori = māori te_reo_māori
ml mal malayalam = മലയാളം
cy cym wel welsh = cymraeg
sk slk slo slovak = slovenčina slovensky
te tel telugu = తెలుగు
fa fas per pes persian farsi = فارسی
lv lav lvs latvian = latviešu latviski
bn ben bengali bangla = বাংলা
sr srp scc serbian = српски srpski
az aze azj azerbaijani = azərbaycan azərbaycanca azərbaycan_dili
sl slv slovenian slovene = slovenščina slovensko
kn kan kannada = ಕನ್ನಡ
et est ekk estonian = eesti eesti_keel
mk mkd mac macedonian = македонски
br bre breton = brezhoneg
eu eus baq basque = euskara
is isl ice icelandic = íslenska
hy hye arm armenian = հայերեն
ne nep npi nepali = नेपाली
mn mon khk mongolian = монгол
bs bos bosnian = bosanski
kk kaz kazakh = қазақ қазақша қазақ_тілі
sq sqi alb als albanian = shqip
sw swa swh swahili = kiswahili
gl glg galician = galego
mr mar marathi = मराठी
pa pan punjabi panjabi = ਪੰਜਾਬੀ پنجابی
si sin sinhala sinhalese = සිංහල
km khm khmer cambodian = ខ្មែរ ភាសាខ្មែរ
sn sna shona = chishona
yo yor yoruba = yorùbá
so som somali = soomaali
af afr afrikaans = afrikaans
oc oci occitan = occitan lenga_d'òc
ka kat geo georgian = ქართული
be bel belarusian belorussian = беларуская
tg tgk tajik = тоҷикӣ
sd snd sindhi = سنڌي
gu guj gujarati = ગુજરાતી
am amh amharic = አማርኛ
yi yid ydd ji yiddish = ייִדיש יידיש
lo lao lao = ລາວ ພາສາລາວ
uz uzb uzn uzbek = o'zbek ozbek ўзбек
fo fao faroese = føroyskt
ht hat haitian_creole haitian = kreyòl_ayisyen kreyòl
ps pus pbu pashto pushto = پښتو
tk tuk turkmen = türkmen türkmençe
nn nno nynorsk = norsk_nynorsk
mt mlt maltese = malti
sa san sanskrit = संस्कृतम् संस्कृत
lb ltz luxembourgish letzeburgesch = lëtzebuergesch
my mya bur myanmar burmese = မြန်မာ မြန်မာဘာသာ
bo bod tib tibetan = བོད་སྐད་
tl tgl fil tagalog filipino = wikang_tagalog
mg mlg plt malagasy = fiteny_malagasy
as asm assamese = অসমীয়া
tt tat tatar = татар татарча
haw haw hawaiian = ōlelo_hawaii
ln lin lingala = lingála
ha hau hausa = harshen_hausa
ba bak bashkir = башҡорт башҡортса
jw jav jv javanese = basa_jawa
su sun sundanese = basa_sunda
yue yue cantonese = 粵語 粤语 廣東話 广东话 gwongdungwaa
"""


def _entry(line: str) -> tuple[str, str, tuple[str, ...]]:
    """Code, first English name, and every other way to name a language."""
    known, own = line.split(" = ")
    code, *other = known.split()
    names = [word.replace("_", " ") for word in (*other, *own.split())]
    english = next(name for name in names if len(name) > _CODE_LETTERS or name == "lao")
    return code, english, tuple(dict.fromkeys(names))


_CODE_LETTERS = 3
_ENTRIES = tuple(_entry(line) for line in _TABLE.strip().splitlines())

LANGUAGES: dict[str, str] = {code: english for code, english, _ in _ENTRIES}
"""English names by code, in Whisper's order."""

_CODES = {name: code for code, _, names in reversed(_ENTRIES) for name in names}
# Simplified and traditional.
_CODES |= dict.fromkeys("简体中文 簡體中文 繁体中文 繁體中文".split(), "zh")


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


_PLAIN = {_without_accents(name): code for name, code in _CODES.items()}
# Codes of countries that are no code of a language, and dialects: what is meant is likely.
_MEANT = """
jp ja, cn zh, tw zh, hk yue, kr ko, gr el, cz cs, dk da, se sv, ua uk, us en, gb en, au en, nz en,
il he, vn vi, ir fa, at de, ch de, mx es, ee et, al sq, by be, rs sr, kz kk, pk ur, bd bn, np ne,
kh km, ph tl, iq ar, eg ar, sa ar, arz ar, apc ar, ary ar, gsw de, bar de, nds de, sco en, wuu zh,
nan zh, hak zh, dzo bo, prs fa, uig uz, kur fa, hbs sr, sh sr, gle cy, ga cy,
swiss de, austrian de, american en, british en, brazilian pt, mexican es, taiwanese zh
"""
# Names of languages in German, French and Spanish that are far from the English ones.
_MEANT += """,
allemand de, alemán de, aleman de, tedesco de, duits de, anglais en, inglés en, ingles en,
inglese en, engels en, espagnol es, japonais ja, japonés ja, chinois zh, kiswahili sw, baskisch
eu, ungarisch hu, hongrois hu, griechisch el, grec el, niederländisch nl, néerlandais nl,
neerlandés nl, holländisch nl, dari fa, kurdish fa, kurdisch fa, schwedisch sv, suédois sv,
sueco sv, kroatisch hr, 日本 ja, 中国 zh, 中國 zh
"""
_NEIGHBOURS = dict(pair.split() for pair in _MEANT.replace("\n", " ").strip().split(", "))

AUTO = frozenset({"", "auto", "automatic", "autodetect", "auto-detect", "detect"})
"""What people write to have the language detected."""

_NO_LANGUAGE = frozenset({"none", "null", "unknown", "posix", "default", "multiple"})

# A language with script, region, encoding and variant, as in zh-Hans-CN, pt_BR.UTF-8, sr@latin.
_TAG = re.compile(
    r"([a-z]{2,3})(?:[-_](?:[a-z]{2,8}|\d{3}|\d[a-z\d]{3})(?![a-z\d]))+|([a-z]{2,3})(?=[.@])"
)


def language_code(text: str) -> str | None:
    """The code of a language; None if unknown.

    It is given as code (ISO 639-1, 639-2 or 639-3, also with a region or script: `pt-BR`,
    `zh-Hans`), as English name or as the language's own, in any case.
    """
    wanted = " ".join(text.strip().casefold().replace("_", " ").split())
    if wanted in LANGUAGES:
        return wanted
    if code := _CODES.get(wanted) or _PLAIN.get(_without_accents(wanted)):
        return code
    tag = _TAG.match(text.strip().lower())
    if tag is None or text.strip()[tag.end() : tag.end() + 1] not in {"", ".", "@"}:
        return None
    first = tag[1] or tag[2]
    if re.match(r"(zh|zho|chi)[-_]yue\b", tag[0]):
        return "yue"
    return first if first in LANGUAGES else _CODES.get(first)


def nearest_language(text: str) -> str | None:
    """The English name of the language that is probably meant by an unknown name."""
    wanted = text.strip().casefold().replace("_", "-")
    first = re.split(r"[-.@ ]", wanted)[0]
    meant = _NEIGHBOURS.get(wanted) or _NEIGHBOURS.get(first)
    if meant is not None:
        return LANGUAGES[meant]
    if len(wanted) <= _CODE_LETTERS or wanted in _NO_LANGUAGE:
        return None  # nearly every code is near to some other one
    for word in re.findall(r"[^\W\d_]+", wanted):  # "Chinese (Simplified)"
        if len(word) > _CODE_LETTERS and (code := language_code(word)):
            return LANGUAGES[code]
    names = {
        name: code
        for name, code in _CODES.items()
        if len(name) > _CODE_LETTERS or not name.isascii()
    }
    close = get_close_matches(wanted, names, n=1)
    return LANGUAGES[names[close[0]]] if close else None
