"""From the text of a filter to its tokens.

What stands behind an operator is a value up to the next blank or bracket: `gpt-4o`, `$0.05`, `1.5s`. That a
character means one thing in a name and another in a value is why a query's tokens do not do here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tui_monitor.model.errors import QueryError
from tui_monitor.model.text import clean
from tui_monitor.query.language import check_whole
from tui_monitor.query.promql import lexer
from tui_monitor.query.promql.ast import Place

MAX_LENGTH = 10_000
"""Characters of a filter."""
BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)+")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*", re.ASCII)
OPERATOR = re.compile(r"=~|!~|!=|>=|<=|[=<>~]")
BARE = re.compile(r"[^\s()\"'`\[\]{},#=<>~!]+")
_BRACKET = re.compile(r"[()]")


class Kind(StrEnum):
    """What a token is."""

    NAME = "name"
    OPERATOR = "operator"
    VALUE = "value"
    BRACKET = "bracket"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token as written; `value` is what it says, without quotes."""

    kind: Kind
    text: str
    position: int
    value: str = ""
    quoted: bool = False

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.position, max(1, len(self.text)))

    @property
    def word(self) -> str:
        """A name without quotes, in lower case, as keywords are compared; empty for everything else."""
        return self.text.lower() if self.kind is Kind.NAME and not self.quoted else ""

    def shown(self) -> str:
        """The token as an error names it."""
        return "the end" if self.kind is Kind.END else clean(self.text, 40)


def tokens(text: str) -> list[Token]:
    """All tokens, the end included. Raises `QueryError`."""
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"the filter has {len(text):,} characters; {MAX_LENGTH:,} are allowed", text=text[:200]
        )
    check_whole(text)
    return list(_scan(text))


def _scan(text: str) -> Iterator[Token]:
    position, compared = 0, False
    while True:
        blank = BLANK.match(text, position)
        position = blank.end() if blank else position
        if position >= len(text):
            yield Token(Kind.END, "", len(text))
            return
        token = _next(text, position, Kind.VALUE if compared else Kind.NAME)
        yield token
        compared = token.kind is Kind.OPERATOR
        position += len(token.text)


def _next(text: str, position: int, wanted: Kind) -> Token:
    if text[position] in "\"'`":
        quoted = lexer.quoted(text, position)
        return Token(wanted, quoted.text, position, quoted.value, quoted=True)
    word = (BARE if wanted is Kind.VALUE else NAME).match(text, position)
    if word:
        return Token(wanted, word[0], position, word[0])
    for kind, pattern in ((Kind.OPERATOR, OPERATOR), (Kind.BRACKET, _BRACKET)):
        found = pattern.match(text, position)
        if found:
            return Token(kind, found[0], position)
    shown = clean(text[position]) or "of no shape"
    hint = "a value with blanks, brackets or signs in it stands in quotes"
    raise QueryError(f"unexpected character {shown}", text=text, position=position, hint=hint)


def number(text: str) -> tuple[float, str] | None:
    """The number and its unit (`ms`, `usd`, `ratio` or none), as in a query; a sign may stand before it."""
    sign = text[:1] if text[:1] in ("-", "+") else ""
    try:
        found = lexer.tokens(text[len(sign) :], strict=False)
    except QueryError:
        return None
    if len(found) != 2 or found[0].kind not in (lexer.Kind.NUMBER, lexer.Kind.DURATION):
        return None
    token = found[0]
    value, unit = token.number, {"$": "usd", "%": "ratio"}.get(token.unit, "")
    if token.kind is lexer.Kind.DURATION:
        value, unit = value * 1000, "ms"
    return (-value if sign == "-" else value, unit) if abs(value) != float("inf") else None
