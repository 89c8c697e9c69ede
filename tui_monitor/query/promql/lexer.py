"""From text to tokens. Each knows its place, so that every error can point at it.

Strictly PromQL's tokens, or those of the whole language: amounts with units (`5%`, `$0.05`, `1.5s`, `10k`),
quantiles (`p99.9`) and the `~` of filters besides.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tui_monitor.model.errors import QueryError
from tui_monitor.model.text import clean
from tui_monitor.query.language import check_whole
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
    """One token: `text` as written; `value` what a quoted text says.

    `number` is in seconds for durations, and with its `unit` worked in: `5%` is 0.05, `10k` is 10000.
    """

    kind: Kind
    text: str
    start: int
    value: str = ""
    number: float = 0.0
    unit: str = ""
    """Of a number: `%`, `$`, `k`, `M`, `G`, `T` or none."""

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
_QUANTILE = re.compile(r"p\d{1,3}\.\d{1,6}(?![\w.])", re.ASCII)
_SIGN = re.compile(r"=~|!~|!=|==|>=|<=|</|>/|[=<>+\-*/%^(){}\[\],:@]")
_HEX = re.compile(r"0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*", re.ASCII)
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+", re.ASCII)
_NUMBER = re.compile(r"(?:\d+(?:_\d+)*\.?(?:\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?", re.ASCII)
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])", re.ASCII)
_LENGTHS = re.compile(rf"(?:{_LENGTH.pattern})+", re.ASCII)
_MULTIPLES = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_REMAINDER = re.compile(r"\s*(?!(?:and|or|unless)\b)[\w.(${]", re.ASCII)
"""What stands behind a `%` that is no unit: an operand."""
_OCTAL = re.compile(r"0[0-7_]+", re.ASCII)
_RUN_ON = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
_PAIRS = {")": "(", "]": "[", "}": "{"}


def tokens(text: str, *, strict: bool = True) -> list[Token]:
    """All tokens, the end included; `strict` where only PromQL's are wanted. Raises `QueryError`."""
    if len(text) > MAX_LENGTH:
        raise QueryError(
            f"the expression has {len(text):,} characters; {MAX_LENGTH:,} are allowed", text=text[:200]
        )
    check_whole(text)
    return list(_scan(text, strict))


def _scan(text: str, strict: bool) -> Iterator[Token]:
    position = 0
    opened: list[Token] = []
    while True:
        blank = _BLANK.match(text, position)
        position = blank.end() if blank else position
        if position >= len(text):
            _all_closed(text, opened)
            yield Token(Kind.END, "", len(text))
            return
        token = None if strict else _ours(text, position)
        token = token or _next(text, position, bool(opened) and opened[-1].text == "[")
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
        return quoted(text, position)
    if _NUMBER.match(text, position):
        return _number(text, position)
    sign = _SIGN.match(text, position)
    if sign:
        return Token(Kind.SIGN, sign[0], position)
    raise QueryError(f"unexpected character {clean(char) or 'of no shape'}", text=text, position=position)


def _ours(text: str, position: int) -> Token | None:
    """A token that PromQL does not have, if one stands here."""
    char = text[position]
    if char == "~":
        return Token(Kind.SIGN, char, position)
    if char == "$":
        return _amount(text, position)
    if char == "p":
        name = _QUANTILE.match(text, position)
        return Token(Kind.NAME, name[0], position) if name else None
    if char.isdecimal() or char == ".":
        return _measured(text, position)
    return None


def _measured(text: str, position: int) -> Token | None:
    """A number with a unit; `None` for one without, and for what is no number."""
    lengths = _LENGTHS.match(text, position)
    if lengths and not _RUN_ON.match(text, lengths.end()):
        micros = sum(float(n) * durations.UNITS[unit] for n, unit in _LENGTH.findall(lengths[0]))
        if micros > durations.GREATEST:
            raise _no_length(text, position, lengths[0], "it is too long")
        return Token(Kind.DURATION, lengths[0], position, number=micros / 1e6)
    plain = None if _HEX.match(text, position) else _NUMBER.match(text, position)
    if plain is None:
        return None
    number, end = float(plain[0].replace("_", "")), plain.end()
    if text[end : end + 1] == "%" and not _REMAINDER.match(text, end + 1):
        return Token(Kind.NUMBER, text[position : end + 1], position, number=number / 100, unit="%")
    run_on = _RUN_ON.match(text, end)
    if run_on is None:
        return None
    unit = run_on[0]
    if unit not in _MULTIPLES:
        raise QueryError(
            f"unknown unit {clean(unit, 40)}",
            text=text, position=end, length=len(unit),
            hint="units are ms s m h d w y for time, k M G T for large numbers, % and $",
        )  # fmt: skip
    written = text[position : run_on.end()]
    return Token(Kind.NUMBER, written, position, number=number * _MULTIPLES[unit], unit=unit)


def _amount(text: str, position: int) -> Token:
    plain = _NUMBER.match(text, position + 1)
    if text.startswith(("$__", "${__"), position):
        raise QueryError(
            "nothing is known here of what a variable stands for", text=text, position=position,
            hint="$__range and its like stand in queries of panes and of `tui-monitor query`",
        )  # fmt: skip
    if plain is None or _RUN_ON.match(text, plain.end()):
        raise QueryError("expected an amount after $, like $0.05", text=text, position=position)
    number = float(plain[0].replace("_", ""))
    return Token(Kind.NUMBER, text[position : plain.end()], position, number=number, unit="$")


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
        hint = "units go from the greatest to the least, each once: y w d h m s ms"
        raise _no_length(text, position, written, hint)
    return Token(Kind.DURATION, written, position, number=length / 1e6)


def _no_length(text: str, position: int, written: str, hint: str) -> QueryError:
    message = f"not a length of time: {clean(written, 40)}"
    return QueryError(message, text=text, position=position, length=len(written), hint=hint)


def quoted(text: str, position: int) -> Token:
    """The quoted text that begins at a mark. Raises `QueryError`."""
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
