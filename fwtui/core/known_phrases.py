"""Phrases that Whisper writes where nobody speaks, because its training data had them there.

Credits of subtitles, and farewells of videos; collected from reports about Whisper.
"""

import unicodedata

from fwtui.core.finding import Finding, FindingKind

# As normalised by `_normalised`. These may also be said.
_FAREWELLS = frozenset(
    """
you
thank you
thank you very much
thank you so much
thanks
thanks for watching
thank you for watching
thank you so much for watching
thank you for listening
thanks for listening
thanks for watching and dont forget to like and subscribe
please subscribe
please subscribe to my channel
like and subscribe
subscribe
see you next time
see you in the next video
ill see you in the next video
bye
bye bye
goodbye
oh
so
okay
music
applause
the end
silence
vielen dank
vielen dank fürs zuschauen
danke
danke fürs zuschauen
bis zum nächsten mal
tschüss
merci
merci davoir regardé cette vidéo
merci davoir regardé
abonnezvous
gracias
gracias por ver el video
muchas gracias
suscríbete
hasta la próxima
obrigado
obrigado por assistir
grazie
grazie per aver guardato il video
grazie a tutti
спасибо
спасибо за просмотр
продолжение следует
подписывайтесь на канал
дякую за перегляд
dziękuję
dziękuję za oglądanie
dziękuję za uwagę
teşekkürler
izlediğiniz için teşekkürler
altyazı m k
tack
tack för att ni tittade
takk for at du så på
tak fordi du så med
bedankt voor het kijken
bedankt
kiitos
paldies
paldies par skatīšanos
ačiū
děkuji
děkuji za pozornost
köszönöm
köszönöm hogy megnézted
ご視聴ありがとうございました
ご視聴ありがとうございます
ありがとうございました
チャンネル登録お願いします
チャンネル登録をお願いいたします
おやすみなさい
시청해주셔서 감사합니다
시청해 주셔서 감사합니다
감사합니다
구독과 좋아요 부탁드립니다
谢谢
谢谢观看
感谢观看
謝謝觀看
謝謝大家
谢谢大家
请不吝点赞 订阅 转发 打赏
شكرا
شكرا على المشاهدة
اشتركوا في القناة
תודה רבה
धन्यवाद
cảm ơn các bạn đã theo dõi
hẹn gặp lại
terima kasih
terima kasih telah menonton
""".strip().splitlines()  # noqa: RUF001
)

# Parts of credits, which nobody says.
_CREDITS = (
    "amara org",
    "untertitel im auftrag des zdf",
    "untertitelung des zdf",
    "untertitelung im auftrag des zdf",
    "untertitel von stephanie geiges",
    "copyright wdr",
    "swr 20",
    "untertitel der amara",
    "soustitres réalisés par",
    "soustitrage st 501",
    "soustitrage société radiocanada",
    "sottotitoli e revisione a cura di qtss",
    "sottotitoli creati dalla comunità",
    "subtítulos realizados por la comunidad",
    "subtítulos por la comunidad",
    "legendas pela comunidade",
    "napisy stworzone przez społeczność",
    "ondertitels ingediend door",
    "ondertiteld door",
    "tekstning av nicolai winther",
    "teksting av nicolai winther",
    "undertexter från amara",
    "субтитры сделал dimatorzok",
    "субтитры создавал dimatorzok",
    "субтитры подогнал",
    "редактор субтитров",
    "корректор а егорова",  # noqa: RUF001
    "字幕由",
    "字幕志愿者",
    "字幕by索兰娅",
    "明镜与点点栏目",
    "明鏡與點點欄目",
    "請不吝點贊",
    "mbc 뉴스 이덕영입니다",
    "ترجمة نانسي قنقر",
    "titulky vytvořil johnyx",
    "subtitles by the amara",
    "transcription by castingwords",
    "transcript by rev",
    "subtitles by",
    "altyazı m k",  # noqa: RUF001
    "hãy subscribe cho kênh",
)


def is_credit(text: str) -> bool:
    """Whether the text has credits of subtitles in it."""
    normalised = _normalised(text)
    return any(part in normalised for part in _CREDITS)


def is_known_phrase(text: str) -> bool:
    """Whether the text is one of these phrases, once or several times."""
    normalised = _normalised(text)
    if normalised in _FAREWELLS or is_credit(text):
        return True
    words = normalised.split()
    half = len(words) // 2
    return bool(half) and words[:half] * 2 == words and " ".join(words[:half]) in _FAREWELLS


def unspoken(start: float, end: float, text: str) -> Finding:
    """The finding about text without speech."""
    text = " ".join(text.split())
    short = text if len(text) <= 60 else f"{text[:59]}…"
    known = ", a known phrase of the training data" if is_known_phrase(text) else ""
    return Finding(FindingKind.UNSPOKEN, start, end, f"“{short}”{known}")


def _normalised(text: str) -> str:
    """In lower case, apostrophes and hyphens left out, other signs as spaces."""
    joined = "".join("" if letter in "'’‘-" else letter for letter in text.casefold())  # noqa: RUF001
    return " ".join("".join(x if x.isalnum() or _is_mark(x) else " " for x in joined).split())


def _is_mark(letter: str) -> bool:
    return unicodedata.category(letter).startswith("M")
