"""The same decoding with as little memory as it can do with: pure."""

from msgspec.structs import replace

from fwtui.core.settings import DecodingSettings


def narrowed(decoding: DecodingSettings) -> tuple[DecodingSettings, str]:
    """One beam and one attempt at each temperature, and what that is called; "" if it is so now.

    CTranslate2 keeps what the encoder said of a window once for each attempt, but once for all
    beams: an engine with `small` in int8 takes 947 MB if `best_of` is 5, and 472 MB if it is 1
    (docs/benchmarks.md).
    """
    names = []
    if decoding.beam_size > 1:
        names.append("beam size")
        decoding = replace(decoding, beam_size=1)
    if decoding.attempts > 1:
        names.append("best of")
        decoding = replace(decoding, best_of=1)
    return decoding, f"{' and '.join(names)} 1" if names else ""
