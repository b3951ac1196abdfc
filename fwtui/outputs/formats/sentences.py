"""Where sentences end, by language. Pure.

The rules are cautious: where it is not clear, a sentence goes on, because a capital that is wrong
is worse than one that is missing.
"""

import re
import unicodedata
from enum import Enum, auto
from functools import lru_cache

from fwtui.core.scripts import is_mark

# Unicode's sentence terminals of the scripts that Whisper writes, without the full stop. An
# ellipsis is one only before a capital.
_MARKS = frozenset(
    "!?\u203c\u203d\u2047\u2048\u2049\u2e2e"
    "\u061f\u06d4\u0589\u05c3\u0964\u0965\u0df4"  # Arabic, Armenian, Hebrew, Indic, Sinhala
    "\u104b\u1362\u1367\u1368\u17d4\u17d5\u0f0d\u0f0e\u1803\u1809"  # Burmese ... Mongolian
    "\u3002\uff0e\uff01\uff1f\uff61"
)
_GREEK_QUESTION = frozenset(";\u037e")
_QUOTES = frozenset("\"'")
_CLOSING = frozenset({"Pe", "Pf", "Pi"})
# Signs and marks of music around the text.
_AROUND = frozenset("\u266a\u266b\u266c*_")

# Their ordinals are written with a full stop ("3. Oktober", "XIV. Ludwig").
_ORDINALS = frozenset(
    "bs cs da de et eu fi fo hr hu is lb lv mk nn no pl sk sl sq sr tk tr".split()
)
# Those with capitals in the middle of sentences, where a capital says nothing.
_NOUN_CAPITALS = frozenset({"de", "lb"})
_ORDINAL = re.compile(r"(?:^|[^\w.,:])(?:\d{1,3}|[IVXLCDM]{1,7})$")
_INITIALS = re.compile(r"(?:^|[^\w'’])(?:[^\W\d]\.)*[^\W\d]$")
_AMOUNT = re.compile(r"\d\s*[^\W\d]+$")  # a unit: "5 km"
# The vowel signs of Indic scripts are no letters to `re`.
_SIGNS = r"\u0300-\u036f\u0900-\u0963\u0966-\u0d7f"
_LAST_WORD = re.compile(rf"[\w{_SIGNS}'’\-]+(?:\.[\w{_SIGNS}'’\-]+)*$")

# Abbreviations by language, in lower case, without the full stop at their end. Those with single
# letters only ("z.B.", "e.g.") and those without vowels ("Dr.", "Mrs.") need no entry.
_BEFORE = {
    "": "prof rev hon gen col capt sgt lt cmdr adm maj gov sen rep pres supt messrs mme mlle "
    "ste approx dept est ext e.g i.e cf viz al ave blvd",
    "de": "abb abs abt allg bspw bzw ca dipl dr ebd ehem einschl evtl exkl fam frl geb ggf ggfs hl "
    "hrsg inkl ing insb jhd lt mio mrd möbl nr phil prof rd s.o s.u sen sog sogen st "
    "stellv str tel u.a ungef urspr usw verf vgl vorm wg z.t zit zz zzgl",
    "fr": "adj apr av boul ex mm chap dir éd édit env fasc hab janv juil mgr min oct réf suiv tél "
    "trad univ",
    "es": "ej uu admón apdo art aprox avda cap cía dña "
    "depto dpto ed ee.uu excmo gral ilmo izq izda "
    "lic máx mín núm pág págs párr prov sra sras srta tel ud uds vda vol ing arq",
    "pt": "ex aprox art av cap cia dep dra ed eng exa exmo ilmo máx mín núm obs pág págs prof "
    "profa sra sras srta tel vol",
    "it": "arch art avv cap cfr dott dott.ssa ecc.mo es fig geom gen ing lit mons on pag pagg "
    "prof proff prof.ssa rag rif sec seg segg sig sigg sig.na sig.ra tab tel vol",
    "ca": "aprox av dra núm pàg prof sra srta tel",
    "ro": "alin art bd dl dna dra dvs etc ex nr ord pag prof str tel jud",
    "nl": "blz bijv bv ca dhr drs enz evt excl fam gebr i.p.v incl ing jl jr mevr mr nl o.a "
    "prof resp sr st t.a.v t.o.v tel vnl zgn zr",
    "da": "adj adr alm bl.a ca dvs eks etc evt f.eks fhv fx hhv inkl ifm jf kap kgl kl maks mfl "
    "mht mia mio nr osv pga pr skt stk tlf vedr",
    "no": "adr bl.a ca dvs eks evt f.eks fork forts inkl iht jf kap kgl kl maks mfl mht mill "
    "mrd nr pga pkt pr st tlf vedr",
    "sv": "adr avd bl.a ca dir dvs etc ev exkl f.d f.n fig forts fr.o.m förf inkl jfr kap kl "
    "kungl mfl mill milj mots möjl nr obs osv resp s.k st t.ex t.o.m tel",
    "is": "a.m.k frh hr kl m.a nr o.fl sbr skv t.d þ.e",
    "fi": "ao em eaa esim fil fm ilm ko ks kts lis maist mm mom mrd myöh nim nro os prof puh "
    "pvm r.y so tri ts tuom vast vrt vs yht yo ym",
    "et": "dots eks ing jm kirj k.a lk lp lüh mag näit nr nt nim prof sealh sh st tel tn u v.a vrd",
    "lv": "akad apm apr dec doc dz febr g.k inž iel jan jūl jūn kand kgs kpt lpp mag min nov "
    "nodaļ okt piem plkst prof red sal sept t.i t.s tel tūkst utml",
    "lt": "akad dab doc dr egz gen gim gyd inž įst kt kun mjr mokyt mot nr pan pav pgl plg prof "
    "pvz red rež sav skg str šv tel tūkst vad vyr žr",
    "pl": "al ang art b.m bp cd cz dr doc dot dyr fot gen godz hab inż jw kard kier ks kś kpt "
    "lek łac m.in mgr min np nr ob orig os pl płk pok por pow poz prof przyp pseud r.ż "
    "red ref rtm rys s.a sp św sygn śp tab tel tj tys tzn tzw ub ul ur wg woj ww wyd zł "
    "zob",
    "cs": "apod arch atp bc bl cca č čj čl doc dr el fa hl hod ing jv kap kpt kr kt lat max mgr "
    "mil min mj mjr mld mr např nar něm nj nr obr odd odst okr op p.o pol popř por pozn "
    "pplk prof přib příp prům ps r.č resp red roč s.r.o sl srov st str sv tab tel tis tj "
    "tř tzn tzv ul vl vyd zák zejm zvl",
    "sk": "akad angl atď č čl doc dr el fr gen hl hod ing kap kpt kt lat max mgr mil min mjr ml "
    "mld mod mr n.l nem napr nar nám nr obr odd odst okr ot plk por pozn pr predn prof "
    "príp r.č red resp roč s.r.o sl spol st str sv tab tel tis tzn tzv ul zák zv",
    "sl": "čl doc dr fr g gl gor idr ing inž itn itd jan kr lat mag max min mr nar npr ob okr "
    "oz pog poz pr preds prim prof r.č red roj sl sp st str sv št tel tj tor ur vel z.o.o",
    "hr": "akad br čl doc dr dipl dr.sc đ fra gosp gđa gđica ing inž itd kn lat mag mil min "
    "mons mr npr obr odn pok pr prim prof r.br sc sl st str sv tel tj tzv ul usp vlč zv",
    "hu": "ált ápr aug bek bp dec dr feb febr fej fszt gr hrsz hsz id ifj ill in jan jeg júl "
    "jún kb kft kiad kk krt lásd m.a máj márc max megj mk mob ms nov nr nyrt okt özv pc "
    "pl pld prof pu r.k rend rt stb sz szept szerk szla tc tel tk tsz tul tv uo ún ui u.i "
    "ut vö",
    "tr": "alb apt as av bağ bkz bl cad çev doç dz ecz ed gn gön haz hst hz ing krş mah mak mat "
    "md mim müh nö nr öğr örn prof sf sn st şb tic tğm tuğg üniv ünl uzm vb vd yb yrd yy "
    "yzb",
    "az": "akad b.e bax dos dr prof və.s küç",
    "sq": "dmth dr fq ing nr prof p.sh sh shih tel",
    "eu": "adib or etab zk kap jn and",
    "cy": "e.e dr y.b tud gw parch",
    "ru": "акад арх бул в.ч вып гл гос гр доц долл дер др ж.д зав зам изд им инж ин-т исп ист "
    "канд кв кн ком кор корп лат лит макс мин млн млрд напр нар наст обл оз ок пер пл пом "
    "пос пр просп проф разд ред рус руб сан св сек сел см соч спец ст стр студ т.е т.к "
    "тел тыс ул ун-т уст фр франц хим ч.т чел шт экз эт яз",
    "uk": "акад арк буд бул вул гл грн гр доц див ім ін інж кан кв кн ко-во культ лат м.б макс "
    "мін млн млрд напр нім о-в обл оз пл пор пос пров прибл просп проф ред рос р-н св см "
    "смт стор ст т.зв тел тис укр ун-т франц",
    "be": "акад вул гл гр доц ім кн напр обл пл праф рус руб св см стар тыс тэл",
    "bg": "акад бул вж г-н г-жа гл гр доц др ж.к инж изд им кв кап лв мин млн млрд напр обл ок "
    "пл пр проф рус св см сп стр сл т.е т.нар т.н тел ул хил чл",
    "sr": "акад бр br чл čl доц doc др dr дин din инж inž итд млн мр mr напр npr о.г обр одн "
    "odn проф prof сл sl ст св sv стр str тј tj тзв tzv ул ul",
    "mk": "акад бр бул доц д-р др инж итн ул проф св стр тел т.е т.н",
    "el": "αι αρ αρθ αριθ βλ γεν δηλ δις δρ εκ εκατ ελλ επ εκδ ηλ ι.χ καθ κ.κ κεφ κλπ λ.χ μ.χ "
    "ό.π π.χ παρ περ πρβλ σ.σ σελ στρ συγκ τηλ τ.μ τόμ χγρ χιλ χλμ ν.δ",
    "ar": "د أ م ص ج ط",
    "fa": "ص ج",
    "hi": "डॉ प्रो श्री सं पं कु",
    "id": "bpk dr drs hlm ir jl jln kab kec kel no prof sdr ttg tgl tn ny yth",
    "ms": "dr hj jln no prof sdn tn",
    "vi": "tp ts ths gs bs q p",
    "sw": "dkt bi mhe k.m n.k",
    "af": "asb bl bv ca dr ds ens mev mej mnr nl prof st",
    "gl": "art av cap dra núm páx prof sra tel",
}
# Those that end a sentence as often as not: it depends on what follows.
_PERHAPS = {
    "": "etc inc ltd co corp bros jr sr esq a.m p.m a.d b.c ph.d m.d",
    "de": "usw usf etc u.s.w u.v.m u.a.m gmbh co ag n.chr v.chr o.ä u.ä",
    "fr": "etc cie s.a j.-c",
    "es": "etc s.a s.l c.v a.c d.c ee.uu",
    "pt": "etc ltda s.a a.c d.c",
    "it": "ecc s.p.a s.r.l a.c d.c",
    "ca": "etc",
    "ro": "etc ș.a ş.a s.a",
    "nl": "enz e.d e.a etc n.v b.v",
    "da": "osv m.m m.fl o.l mv o.s.v",
    "no": "osv m.m m.fl o.l mv o.s.v",
    "sv": "osv m.m m.fl o.d o.s.v etc",
    "is": "o.s.frv o.fl m.m",
    "fi": "jne yms ym jms ynnä eaa",
    "et": "jne jms jmt",
    "lv": "utt u.c u.tml utml",
    "lt": "t.t pan kt",
    "pl": "itd itp etc",
    "cs": "atd apod aj",
    "sk": "atď apod a.i",
    "sl": "itd ipd idr",
    "hr": "itd i.t.d i.dr",
    "hu": "stb kft rt zrt",
    "tr": "vb vs",
    "sq": "etj",
    "eu": "etab",
    "ru": "т.д т.п др пр руб гг н.э",
    "uk": "т.д т.п т.ін ін грн",
    "be": "т.д інш",
    "bg": "т.н др пр лв",
    "sr": "итд itd сл",
    "mk": "итн др",
    "el": "κ.λπ κλπ κ.ά κ.α π.μ μ.μ κ.ο.κ",
    "id": "dll dsb dst tbk",
    "ms": "dll dsb bhd",
    "vi": "v.v",
    "af": "ens",
    "sw": "n.k k.k",
}
# Abbreviations before a number only; "no." and "art." are words otherwise.
_NUMBERED = frozenset(
    "no nos num art arts sec fig figs ch chap vol p pp par jan feb mar apr jun jul aug sep sept "
    "oct nov dec mr st tab app op bk ver".split()
)
_VOWELS = frozenset("aeiouyаеёиоуыэюяіїєўαεηιουωәөүұ")
_SYLLABIC = frozenset("bs cs hr mk sk sl sr".split())
# Words without vowels that are no abbreviations; and those of one or two repeated letters.
_VOICELESS = frozenset(
    "brr cwm grr hm hmm hmpf hmph mhm mhmm mm mmm nth pff pfft phh pst psst sh shh shhh tch thx "
    "tsk tss zzz гм хм м-м ммм тсс тс шш".split()
)
_KIN = {"nn": "no", "fo": "da", "bs": "hr", "sr": "sr", "yue": "zh", "lb": "de", "br": "fr"}
_KIN |= {"oc": "fr", "tl": "es", "ht": "fr", "jw": "id", "su": "id"}


# Characters at the end of a text that are looked at.
_FAR = 80


class Ending(Enum):
    """Whether a text ends a sentence."""

    NO = auto()
    PERHAPS = auto()
    """Only if what follows begins like a sentence."""
    YES = auto()


def ending(text: str, language: str) -> Ending:
    """Whether a text ends a sentence, in a language given by Whisper's code ("" if unknown)."""
    core = stripped = text.rstrip()[-_FAR:]
    while core and (_closes(core[-1]) or core[-1].isspace()):
        core = core[:-1]
    if not core:
        return Ending.NO
    if core[-1] == "…" or core.endswith(".."):
        return Ending.PERHAPS
    quoted = any(map(_is_quote, stripped[len(core) :]))
    sure = Ending.PERHAPS if quoted else Ending.YES
    if core[-1] in _MARKS or (language == "el" and core[-1] in _GREEK_QUESTION):
        return sure
    if core[-1] != ".":
        return Ending.NO
    found = _full_stop(core[:-1], language)
    return sure if found is Ending.YES else found


def begins_sentence(following: str, before: str, language: str) -> bool:
    """Whether what follows the text `before` may begin a sentence, if `before` may end one."""
    first = next((one for one in following if one.isalnum()), "")
    match ending(before, language):
        case Ending.NO:
            return False
        case Ending.YES:
            return not (first.isdecimal() and _last_word(before) in _NUMBERED)
        case _:
            return first.istitle() or not (first.islower() or first.isdecimal())


def _full_stop(text: str, language: str) -> Ending:
    """What a full stop after this text is."""
    if language in _ORDINALS and _ORDINAL.search(text):
        return Ending.NO if language in _NOUN_CAPITALS else Ending.PERHAPS
    word = _last_word(text)
    before, perhaps = _abbreviations(_KIN.get(language, language))
    if word in perhaps:
        return Ending.PERHAPS
    if word == "i" and language == "en":
        return Ending.YES
    if word in before or (_INITIALS.search(text) and text[-1].lower() != text[-1].upper()):
        return Ending.NO
    if not _is_voiceless(word, text, language):
        return Ending.YES
    return Ending.PERHAPS if _AMOUNT.search(text) else Ending.NO


def _is_voiceless(word: str, text: str, language: str) -> bool:
    """Whether a word of Latin or Cyrillic letters without vowels is an abbreviation: "Dr"."""
    if len(word) < 2 or word in _VOICELESS or len(set(word)) == 1 or not word.isalpha():
        return False
    if text.endswith(word.upper()) or unicodedata.name(word[0])[:5] not in {"LATIN", "CYRIL"}:
        return False  # "BBC" is a name; other scripts have other vowels
    letters = {unicodedata.normalize("NFD", letter)[0] for letter in word}
    vowels = _VOWELS | {"r", "l", "р", "л"} if language in _SYLLABIC else _VOWELS
    if language == "cy":
        vowels |= {"w"}
    return not letters & vowels


def _last_word(text: str) -> str:
    found = _LAST_WORD.search(text.rstrip(". "))
    return found[0].lower() if found else ""


@lru_cache(maxsize=8)
def _abbreviations(language: str) -> tuple[frozenset[str], frozenset[str]]:
    """Those in the middle of sentences, and those that may end one: the language's and English."""
    both = [
        frozenset(
            f"{table[''] if language in {'', 'en'} or table is _BEFORE else ''} "
            f"{table.get(language, '')}".split()
        )
        for table in (_BEFORE, _PERHAPS)
    ]
    return both[0] - both[1], both[1]


def _closes(character: str) -> bool:
    return (
        character in _QUOTES
        or character in _AROUND
        or is_mark(character)
        or unicodedata.category(character) in _CLOSING
    )


def _is_quote(character: str) -> bool:
    return (
        character in _QUOTES
        or character in "」』》〉"
        or unicodedata.category(character) in {"Pf", "Pi"}
    )
