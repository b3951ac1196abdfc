"""The settings of the checks of a transcript."""

from typing import Annotated

import msgspec
from msgspec import Meta


class QualitySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which doubtful passages are looked for and marked. The text itself is never changed."""

    check_text: Annotated[
        bool,
        Meta(description="Mark passages that repeat themselves or that the model was unsure of"),
    ] = True
    low_confidence: Annotated[
        float,
        Meta(le=0, description="With check_text: below this mean log probability it is unsure"),
    ] = -1.0
    check_languages: Annotated[
        bool,
        Meta(description="Mark passages in another language (one more step of the model a window)"),
    ] = True
    check_coverage: Annotated[
        bool,
        Meta(
            description="Mark speech without text also where VAD is not needed otherwise: runs it, "
            "about 7 CPU seconds an hour"
        ),
    ] = False
    missing_speech_s: Annotated[
        Annotated[float, Meta(gt=0)],
        Meta(description="Speech without text is marked from this length on (s)"),
    ] = 2.0
