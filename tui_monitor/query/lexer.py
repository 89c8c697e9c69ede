"""From text to tokens. Each knows its place, so that every error can point at it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tui_monitor.model.errors import QueryError
from tui_monitor.model.text import clean

MAX_LENGTH = 10_000
"""Characters of a query."""

TIME_UNITS: dict[str, float] = {
    "ms": 1, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7, "w": 6.048e8, "y": 3.1536e10,
}  # fmt: skip
"""Lengths of time in milliseconds."""
PREFIXES: dict[str, float] = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


class Kind(StrEnum):
    """What a token is."""

    NAME = "name"
    NUMBER = "number"
    TEXT = "text"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `text` as written; `value` what a quoted text says; `number` and `unit` of a number."""

    kind: Kind
    text: str
    position: int
    value: str = ""
    number: float = 0.0
    unit: str = ""

    @property
    def length(self) -> int:
        """Characters; 1 at the end of the query."""
        return max(1, len(self.text))

    def shown(self) -> str:
        """The token as an error names it."""
        return "the end" if self.kind is Kind.END else clean(self.text, 40)


_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)+")
_NAME = re.compile(r"p\d{1,3}\.\d{1,6}(?![\w.])|[A-Za-z_:][A-Za-z0-9_:]*", re.ASCII)
_SIGN = re.compile(r"=~|!~|!=|==|>=|<=|[=<>+\-*/%^(){}\[\],]")
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_LENGTHS = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdwy])){2,}(?![A-Za-z0-9_.])", re.ASCII)
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])", re.ASCII)
_WORD = re.compile(r"\w+")
_OPERAND = re.compile(r"[\w.($]")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_SIMPLE = {
    "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v",
    "\\": "\\", '"': '"', "'": "'", "/": "/",
}  # fmt: skip


def tokens(text: str) -> list[Token]:
    """All tokens, the end included. Raises `QueryError`."""
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"the query has {len(text):,} characters; {MAX_LENGTH:,} are allowed",
            text=text[:200],
            position=0,
        )
    return list(_scan(text))


def _scan(text: str) -> Iterator[Token]:
    position = 0
    while True:
        blank = _BLANK.match(text, position)
        position = blank.end() if blank else position
        if position >= len(text):
            yield Token(Kind.END, "", len(text))
            return
        token = _next(text, position)
        yield token
        position += len(token.text)


def _next(text: str, position: int) -> Token:
    char = text[position]
    name = _NAME.match(text, position)
    if name:
        return Token(Kind.NAME, name[0], position)
    if char in "\"'`":
        return _quoted(text, position)
    if char == "$":
        return _amount(text, position)
    if _NUMBER.match(text, position):
        return _number(text, position)
    sign = _SIGN.match(text, position)
    if sign:
        return Token(Kind.SIGN, sign[0], position)
    raise QueryError(f"unexpected character {clean(char) or 'of no shape'}", text=text, position=position)


def _number(text: str, position: int) -> Token:
    many = _LENGTHS.match(text, position)
    if many:
        length = sum(float(number) * TIME_UNITS[unit] for number, unit in _LENGTH.findall(many[0]))
        return Token(Kind.NUMBER, many[0], position, number=_finite(text, position, length), unit="ms")
    plain = _NUMBER.match(text, position)
    assert plain is not None
    number, end = _finite(text, position, float(plain[0])), plain.end()
    word = _WORD.match(text, end)
    if word:
        unit = word[0]
        if unit not in TIME_UNITS and unit not in PREFIXES:
            raise QueryError(
                f"unknown unit {clean(unit, 40)}",
                text=text, position=end, length=len(unit),
                hint="units are ms s m h d w y for time, k M G T for large numbers, % and $",
            )  # fmt: skip
        return Token(Kind.NUMBER, text[position : word.end()], position, number=number, unit=unit)
    # `5%` is a share, `5 % 2` and `5%2` are remainders.
    if text[end : end + 1] == "%" and not _OPERAND.match(text, end + 1):
        return Token(Kind.NUMBER, text[position : end + 1], position, number=number, unit="%")
    return Token(Kind.NUMBER, plain[0], position, number=number)


def _amount(text: str, position: int) -> Token:
    plain = _NUMBER.match(text, position + 1)
    if plain is None:
        raise QueryError("expected an amount after $", text=text, position=position)
    number = _finite(text, position, float(plain[0]))
    return Token(Kind.NUMBER, f"${plain[0]}", position, number=number, unit="$")


def _finite(text: str, position: int, number: float) -> float:
    if number == float("inf"):
        raise QueryError("the number is too large", text=text, position=position)
    return number


def _quoted(text: str, position: int) -> Token:
    mark = text[position]
    end = position + 1
    while end < len(text) and text[end] != mark:
        if text[end] == "\n" and mark != "`":
            break
        end += 2 if text[end] == "\\" and mark != "`" else 1
    if end >= len(text) or text[end] != mark:
        raise QueryError(f"the text is not closed; expected {mark}", text=text, position=position)
    inner = text[position + 1 : end]
    value = inner if mark == "`" else _unescaped(text, position + 1, inner)
    return Token(Kind.TEXT, text[position : end + 1], position, value=value)


def _unescaped(text: str, start: int, inner: str) -> str:
    def plain(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if code and int(code, 16) <= 0x10FFFF:
            return chr(int(code, 16))
        if match[4] not in _SIMPLE:
            raise QueryError(
                f"unknown escape {clean(match[0], 12)}",
                text=text, position=start + match.start(), length=len(match[0]),
                hint="write a backslash as \\\\",
            )  # fmt: skip
        return _SIMPLE[match[4]]

    return _ESCAPE.sub(plain, inner) if "\\" in inner else inner
