"""Secrets taken out of text that is logged or shown."""

import re
from collections.abc import Mapping

HIDDEN = "***"
_SHORTEST = 8
"""Characters of a value that is looked for as it stands; shorter ones are words as well."""

_KEYS = r"(?:api|access|secret|private|service|signing|integration)[_-]?key"
_SECRET_NAME = re.compile(rf"{_KEYS}|token\b|secret|passw(?:or)?d|webhook|credential", re.IGNORECASE)

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Authorization: Bearer abc …, in a header, a dict or JSON.
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # scheme://user:password@host, or a token alone
    (re.compile(r"(\b[a-z][a-z0-9+.-]{0,30}://)[^\s/@]+@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    # https://hooks.slack.com/services/T…/B…/…
    (
        re.compile(r"(hooks\.slack\.com/|://[^\s/]+/[^\s?#]*?webhooks?/)[^\s\"']+", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    # name=value, "name": "value", name: value, for names that mean a secret
    (
        re.compile(
            # Looked for from the beginning of a word only: from each letter, a long word would take minutes.
            rf"((?<![\w-])[\w-]*(?:{_KEYS}|token|secret|passw(?:or)?d)['\"]?\s*[=:]\s*)(['\"]?)(?!\*\*\*)[^\s'\",;&}}\])]+",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    # Keys that are known by their looks.
    (
        re.compile(
            r"\b(?:sk|rk|gsk|xai|ghp|gho|glpat|hf|pplx|nvapi|csk|tuim)[-_][A-Za-z0-9_-]{12,}"
            r"|\bxox[a-z]-[A-Za-z0-9-]{8,}|\bAIza[A-Za-z0-9_-]{20,}|\bAKIA[A-Z0-9]{12,}"
            r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+"
        ),
        HIDDEN,
    ),
)

_ADDRESS = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s\"'<>]+")
_PARAMETER = re.compile(r"([?&;][^=&;#]{1,80}=)[^&;#]+")


def names_a_secret(name: str) -> bool:
    """Whether a key or variable of this name holds a secret. A number of `tokens` is none."""
    return bool(_SECRET_NAME.search(name))


def without_parameters(text: str) -> str:
    """The text with stars for the parameters' values in its addresses: of a key's name nothing is sure."""
    return _ADDRESS.sub(lambda found: _PARAMETER.sub(rf"\1{HIDDEN}", found[0]), text)


class Redactor:
    """Takes known secrets, and what looks like one, out of text."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._exact: re.Pattern[str] | None = None

    def learn(self, secret: str) -> None:
        """A value that must never appear from now on."""
        if len(secret) < _SHORTEST or secret in self._known:
            return
        self._known.add(secret)
        longest_first = sorted(self._known, key=len, reverse=True)
        self._exact = re.compile("|".join(re.escape(value) for value in longest_first))

    def learn_variables(self, environ: Mapping[str, str]) -> None:
        """The values of variables that are named like a secret."""
        for name, value in environ.items():
            if names_a_secret(name):
                self.learn(value)

    def clean(self, text: str) -> str:
        """The text with stars for each secret."""
        if self._exact is not None:
            text = self._exact.sub(HIDDEN, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text
