"""Amounts of memory as people write them: `12GB`, `900 MB`, `80%`, or `off`."""

import re

import msgspec

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(%|[KMGT]i?B?|B)", re.IGNORECASE)
_MEGABYTES = {"B": 2**-20, "K": 2**-10, "M": 1.0, "G": 2.0**10, "T": 2.0**20}
OFF = frozenset({"", "off", "none"})
FORMS = "an amount such as 12GB or 900MB, a share such as 80%, or off"


class Amount(msgspec.Struct, frozen=True):
    """`number` MB (2**20 bytes), or percent of a whole."""

    number: float
    is_share: bool = False

    def of(self, whole: float) -> float:
        """The amount in MB, where the whole is so many MB."""
        return self.number / 100 * whole if self.is_share else self.number


def parse_amount(text: str) -> Amount | None:
    """The amount that a text means; None: switched off. Raises ValueError for anything else."""
    word = text.strip()
    if word.lower() in OFF:
        return None
    found = _AMOUNT.fullmatch(word)
    if found is None or float(found[1]) <= 0:
        raise ValueError(text)
    number, unit = float(found[1]), found[2].upper()
    if unit == "%":
        if number > 100:
            raise ValueError(text)
        return Amount(number, is_share=True)
    return Amount(number * _MEGABYTES[unit[0]])
