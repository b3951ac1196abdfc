"""Amounts of memory as people write them."""

import pytest

from fwtui.core.text import Amount, parse_amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12GB", Amount(12288)),
        ("1.5 g", Amount(1536)),
        (" 900MiB ", Amount(900)),
        ("2048K", Amount(2)),
        ("1TB", Amount(2**20)),
        ("1048576B", Amount(1)),
        ("80%", Amount(80, is_share=True)),
        ("100 %", Amount(100, is_share=True)),
        ("off", None),
        ("None", None),
        ("", None),
    ],
)
def test_amounts(text: str, amount: Amount | None) -> None:
    assert parse_amount(text) == amount


@pytest.mark.parametrize("text", "12 GB -1GB 101% 0% 0MB 1e3MB 12GBs many".split())
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        parse_amount(text)


def test_a_share_is_of_a_whole() -> None:
    assert (Amount(25, is_share=True).of(800), Amount(300).of(800)) == (200, 300)
