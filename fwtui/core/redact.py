"""Redaction: removes secrets from texts that are logged or exported."""

import re
from collections.abc import Iterable, Mapping

HIDDEN = "***"
_SHORTEST = 8  # shorter values may be common words

# No pattern looks far ahead, since a line may be a megabyte long.
_NAME = r"(?:token|secret|passw(?:or)?d|api[_-]?key|access[_-]?key|signature|credentials?)"
_SECRET_NAME = re.compile(r"TOKEN|SECRET|PASSW|API_?KEY|ACCESS_?KEY|CREDENTIAL", re.IGNORECASE)
# In lower case; most lines have none of these.
_HINTS = (
    ":// authorization bearer token secret passw key signature credential hf_ gho_ ghp_ ghs_ ghr_"
    " ghu_ github_pat_ sk- akia xox eyj"
).split()

_PATTERNS = (  # compiled on first use, since few lines contain secrets
    # https://user:password@host
    (r"(://)[^\s/@'\"]+@", rf"\1{HIDDEN}@"),
    # Authorization: Bearer ..., also in JSON or Python
    (
        r"(?i)(\b(?:proxy-)?authorization['\"]?\s*[:=]\s*['\"]?)"
        r"(?:(?:bearer|basic|digest|token)\s+)?[^\s'\",;]+",
        rf"\1{HIDDEN}",
    ),
    (r"(?i)(\bbearer\s+)[\w.~+/=-]{8,}", rf"\1{HIDDEN}"),
    # HF_TOKEN=..., ?access_token=..., "password": "..."
    (rf"(?i)({_NAME}['\"]?\s*[=:]\s*['\"]?)[^\s'\"&,;)\]}}]{{3,}}", rf"\1{HIDDEN}"),
    # --hf_token ...
    (rf"(?i)(--(?:\w[\w-]{{0,30}})?{_NAME}\s+)\S+", rf"\1{HIDDEN}"),
    # Tokens recognised by their form: Hugging Face, GitHub, OpenAI, AWS, Slack, JWT
    (
        r"\b(?:hf_[A-Za-z0-9]{16,}|gh[opsru]_\w{20,}|github_pat_\w{20,}|sk-[\w-]{20,}"
        r"|AKIA[0-9A-Z]{16}|xox[abprs]-[\w-]{10,}|eyJ[\w-]{10,200}\.[\w-]{10,}\.[\w-]*)",
        HIDDEN,
    ),
)


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without what looks like a secret, and without the given secrets."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return text
    for pattern, instead in _PATTERNS:
        text = re.sub(pattern, instead, text)
    return text


def secrets_in(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables with names of secrets, the longest first."""
    found = {
        value
        for name, value in environ.items()
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST
    }
    return tuple(sorted(found, key=len, reverse=True))
