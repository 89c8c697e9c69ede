"""From PromQL to tokens. Each knows its place, so that every error can point at it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tui_monitor.model.errors import QueryError
from tui_monitor.model.text import clean
from tui_monitor.query.promql import durations
from tui_monitor.query.promql.quoting import UnknownEscape, unescaped

MAX_LENGTH = 100_000
"""Characters of an expression."""


class Kind(StrEnum):
    """What a token is."""

    NAME = "name"
    NUMBER = "number"
    DURATION = "duration"
    TEXT = "text"
    SIGN = "sign"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `text` as written; `value` what a quoted text says; `number` in seconds for durations."""

    kind: Kind
    text: str
    start: int
    value: str = ""
    number: float = 0.0

    @property
    def end(self) -> int:
        """The place after its last character."""
        return self.start + len(self.text)

    @property
    def word(self) -> str:
        """A name in lower case, as keywords are compared; empty for everything else."""
        return self.text.lower() if self.kind is Kind.NAME else ""

    def shown(self) -> str:
        """The token as an error names it."""
        return "the end" if self.kind is Kind.END else clean(self.text, 40)


_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\r\n]*)+")
_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*", re.ASCII)
_NAME_IN_BRACKETS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_SIGN = re.compile(r"=~|!~|!=|==|>=|<=|</|>/|[=<>+\-*/%^(){}\[\],:@]")
_HEX = re.compile(r"0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*", re.ASCII)
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+", re.ASCII)
_NUMBER = re.compile(r"(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?", re.ASCII)
_OCTAL = re.compile(r"0[0-7_]+", re.ASCII)
_RUN_ON = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
_PAIRS = {")": "(", "]": "[", "}": "{"}


def tokens(text: str) -> list[Token]:
    """All tokens, the end included. Raises `QueryError`."""
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"the expression has {len(text):,} characters; {MAX_LENGTH:,} are allowed", text=text[:200]
        )
    return list(_scan(text))


def _scan(text: str) -> Iterator[Token]:
    position = 0
    opened: list[Token] = []
    while True:
        blank = _BLANK.match(text, position)
        position = blank.end() if blank else position
        if position >= len(text):
            _all_closed(text, opened)
            yield Token(Kind.END, "", len(text))
            return
        token = _next(text, position, bool(opened) and opened[-1].text == "[")
        if token.kind is Kind.SIGN:
            _nest(text, token, opened)
        yield token
        position = token.end


def _nest(text: str, token: Token, opened: list[Token]) -> None:
    """Keep track of brackets: what a name is depends on them."""
    if token.text in "([{":
        opened.append(token)
    elif token.text in _PAIRS:
        if not opened or opened[-1].text != _PAIRS[token.text]:
            raise QueryError(f"unexpected {token.text}", text=text, position=token.start)
        opened.pop()


def _all_closed(text: str, opened: list[Token]) -> None:
    if opened:
        raise QueryError(f"{opened[-1].text} is not closed", text=text, position=opened[-1].start)


def _next(text: str, position: int, in_brackets: bool) -> Token:
    char = text[position]
    name = (_NAME_IN_BRACKETS if in_brackets else _NAME).match(text, position)
    if name:
        return Token(Kind.NAME, name[0], position)
    if char in "\"'`":
        return _quoted(text, position)
    if _NUMBER.match(text, position):
        return _number(text, position)
    sign = _SIGN.match(text, position)
    if sign:
        return Token(Kind.SIGN, sign[0], position)
    raise QueryError(f"unexpected character {clean(char) or 'of no shape'}", text=text, position=position)


def _number(text: str, position: int) -> Token:
    for pattern in (_HEX, _DURATION, _NUMBER):
        match = pattern.match(text, position)
        if match and not _RUN_ON.match(text, match.end()):
            break
    else:
        plain = _NUMBER.match(text, position)
        assert plain is not None
        rest = _RUN_ON.match(text, plain.end())
        end = rest.end() if rest else plain.end()
        raise QueryError(
            f"not a number: {clean(text[position:end], 40)}",
            text=text, position=position, length=end - position,
            hint="units of time are y w d h m s ms",
        )  # fmt: skip
    if pattern is _DURATION:
        return _duration(text, position, match[0])
    digits = match[0].replace("_", "")
    if pattern is _HEX:
        return Token(Kind.NUMBER, match[0], position, number=_integer(int(digits, 16)))
    number = _integer(int(digits, 8)) if _OCTAL.fullmatch(match[0]) else float(digits)
    return Token(Kind.NUMBER, match[0], position, number=number)


def _integer(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _duration(text: str, position: int, written: str) -> Token:
    length = durations.parsed(written)
    if length is None:
        raise QueryError(
            f"not a length of time: {clean(written, 40)}",
            text=text, position=position, length=len(written),
            hint="units go from the greatest to the least, each once: y w d h m s ms",
        )  # fmt: skip
    return Token(Kind.DURATION, written, position, number=length / 1e6)


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
    if mark == "`":
        return Token(Kind.TEXT, text[position : end + 1], position, value=inner)
    try:
        return Token(Kind.TEXT, text[position : end + 1], position, value=unescaped(inner))
    except UnknownEscape as error:
        raise QueryError(
            f"unknown escape {clean(error.written, 12)}",
            text=text, position=position + 1 + error.position, length=len(error.written),
            hint="write a backslash as \\\\",
        ) from None  # fmt: skip
