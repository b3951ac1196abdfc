"""Secrets are found whatever they stand in; other words stay."""

import pytest

from fwtui.core.redact import redacted, secrets_in

TOKEN = "hf_" + "AbCdEfGhIjKlMnOpQrStUvWx"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        (f"using {TOKEN}", "using ***"),
        (f"HF_TOKEN={TOKEN} fwtui run", "HF_TOKEN=*** fwtui run"),
        ("HF_TOKEN: abc123", "HF_TOKEN: ***"),
        ("--hf_token abc123 x.mp3", "--hf_token *** x.mp3"),
        ("Authorization: Bearer abc.def-123", "Authorization: ***"),
        ("{'authorization': 'Bearer abcdef123', 'a': 1}", "{'authorization': '***', 'a': 1}"),
        ('"Proxy-Authorization": "Basic dXNlcjpw"', '"Proxy-Authorization": "***"'),
        ("sent Bearer abcdefgh123", "sent Bearer ***"),
        ("get https://bob:pa55@host/x.mp4 now", "get https://***@host/x.mp4 now"),
        ("https://token@hub/api", "https://***@hub/api"),
        ("https://h/x?access_token=abc&lang=en", "https://h/x?access_token=***&lang=en"),
        ("https://h/x?X-Amz-Signature=ab12&y=1", "https://h/x?X-Amz-Signature=***&y=1"),
        ('{"api_key": "abcdef", "model": "small"}', '{"api_key": "***", "model": "small"}'),
        ("password = hunter2", "password = ***"),
        ("ghp_0123456789abcdefghij0123", "***"),
    ],
)
def test_secrets_go(text: str, safe: str) -> None:
    assert redacted(text) == safe
    assert redacted(safe) == safe


@pytest.mark.parametrize(
    "text",
    [
        "Batch start: Memory: 1250 MB (RSS), 2100 MB (VMS), 15.2%",
        "decoding.suppress_tokens = -1, max_new_tokens: 448",
        "https://huggingface.co/Systran/faster-whisper-small/resolve/main/model.bin",
        "bob@example.org: no such file",
        "the bearer of this letter: Token ring.mp3",
        "[File: secret talk.mp3] Starting - Memory: 1300 MB",
    ],
)
def test_other_words_stay(text: str) -> None:
    assert redacted(text) == text


def test_values_of_secret_variables_are_known() -> None:
    environ = {"MY_TOKEN": "unremarkable", "DB_PASSWORD": "short", "HOME": "/home/somebody"}
    assert secrets_in(environ) == ("unremarkable",)
    assert redacted("so unremarkable!", secrets_in(environ)) == "so ***!"


@pytest.mark.parametrize("part", ["x", "-", "a.", "token", "eyJ-", "://", "sk-", "password "])
def test_long_lines_take_no_time(part: str) -> None:
    redacted(part * (2 * 10**5 // len(part)))  # for minutes, if it were not linear
