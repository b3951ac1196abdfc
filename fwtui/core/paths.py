"""Paths as text that JSON can hold, whatever bytes they consist of."""

import os
import re
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote, unquote_to_bytes, urlsplit

StrPath = str | os.PathLike[str]

# Marks names that are not valid Unicode; no path contains a NUL.
_MARK = "\0"


def expand_home(path: StrPath) -> Path:
    """The path with the home directory for `~`; unchanged where there is no such user or home.

    `Path.expanduser` raises RuntimeError then.
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111


def path_to_text(path: StrPath) -> str:
    """The path as valid Unicode; undecodable names are percent-encoded after a NUL."""
    text = os.fspath(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return _MARK + quote_from_bytes(os.fsencode(text))
    return text


def text_to_path(text: str) -> Path:
    """The inverse of `path_to_text`."""
    if text.startswith(_MARK):
        return Path(os.fsdecode(unquote_to_bytes(text[1:])))
    return Path(text)


_LINK = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f<>:\"/\\|?*]+")
_MOST = 120


def is_link(text: str) -> bool:
    """Whether a text is a link (http or https) rather than a path."""
    return _LINK.fullmatch(text) is not None


def link_name(url: str) -> str:
    """A name for the file of a link until it is downloaded: its file name, or site and page."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "link"
    last = unquote(parts.path.rpartition("/")[2])
    if re.search(r"\w\.\w{2,5}$", last):
        return _NOT_IN_NAMES.sub(" ", last).strip()[-_MOST:]
    host = parts.hostname or ""
    page = unquote(" ".join(part for part in (parts.path, parts.query) if part))
    name = _NOT_IN_NAMES.sub(" ", f"{host.removeprefix('www.')} {page}")
    return " ".join(name.split())[:_MOST].rstrip(" .") or "link"


# The files found in folders and patterns; a file that is given by name may have any suffix. Those
# of the formats that FFmpeg decodes and that recorders, phones, cameras, telephony, broadcasting
# and speech corpora use. Not: formats of games, playlists, and names that are rarely recordings
# (.mod, .dat, .ps, .sub).
VIDEO_SUFFIXES = frozenset(
    ".360 .3g2 .3gp .3gp2 .3gpp .3gpp2 .amv .asf .avi .axv .cmfv .dav .dif .divx .dv .dvd "
    ".dvr-ms .evo .f4v .flv .fmp4 .gxf .insv .ismv .ivr .kux .lrv .m1v .m2p .m2t .m2ts .m2v "
    ".m4v .mj2 .mjpeg .mk3d .mkv .mov .mp4 .mp4v .mpe .mpeg .mpeg4 .mpg .mpg2 .mts .mxf .nsv "
    ".nut .nuv .ogm .ogv .ogx .pva .qt .rm .rmvb .rv .svcd .tod .tp .trp .ts .ty .vob .vro "
    ".webm .wmv .wtv .xvid".split()
)
MEDIA_SUFFIXES = VIDEO_SUFFIXES | frozenset(
    ".16sv .3ga .722 .8svx .aa3 .aac .ac3 .act .adts .aea .aif .aifc .aiff .aiffc .amb .amr "
    ".amrwb .aob .ape .apl .aptx .aptxhd .au .avr .awb .axa .bwf .caf .cmfa .dff .dsf .dss "
    ".dts .dtshd .eac3 .ec3 .f4a .f4b .fap .flac .g722 .g723_1 .g729 .gsm .iff .ircam .isma "
    ".laf .latm .lc3 .loas .m1a .m2a .m4a .m4b .m4r .mac .mka .mlp .mmf .mp+ .mp1 .mp2 .mp3 "
    ".mpa .mpc .mpga .msbc .nist .oga .ogg .oma .omg .opus .osq .paf .pvf .qcp .qoa .qta .ra "
    ".rco .rf64 .rifx .rka .sbc .sf .shn .sln .snd .sox .sph .spx .tak .tco .thd .tta .voc "
    ".vqe .vqf .vql .w64 .wav .wave .weba .wma .wsd .wv .wve .xwma".split()
)
# The suffixes of transcripts.
OUTPUT_SUFFIXES = frozenset(
    ".txt .vtt .srt .tsv .json .lrc .ass .csv .md .docx .html .rttm".split()
)
REPORT_PREFIX = "fwtui-report-"
# Ends the name of the text of an unfinished file.
UNFINISHED = " (unfinished)"

# Folders that systems, storage devices and programs keep for themselves, in lower case.
_SYSTEM_FOLDERS = frozenset(
    "$recycle.bin|recycler|recycled|system volume information|lost+found|@eadir|#recycle|@recycle|"
    "#snapshot|@recently-snapshot|@snapshot|~snapshot|@__thumb|@tmp|@database|@sharebin|@appstore|"
    "@synologydrive|@trash|__macosx|trashbox|network trash folder|temporary items|"
    "thevolumesettingsfolder|files_trashbin|files_versions|$windows.~bt|$windows.~ws|msocache|"
    "stversions|resource.frk|appledouble".split("|")
)
_LOST_CHAINS = re.compile(r"found\.\d{3}")


def is_kept_out(folder: str) -> bool:
    """Whether a folder's name says that it is hidden, a bin, or a system's own.

    Such folders are searched only if they are named.
    """
    name = folder.lower()
    return (
        name.startswith(".") or name in _SYSTEM_FOLDERS or _LOST_CHAINS.fullmatch(name) is not None
    )


def absolute_text(path: str) -> str:
    """A path, pattern or link of the command line as `path_to_text`, for another folder and day."""
    return path if is_link(path) else path_to_text(expand_home(path).absolute())


def searchable(text: str) -> str:
    """The name to search for that `absolute_text` has made a text: a path, pattern or link."""
    return text if is_link(text) else str(text_to_path(text))
