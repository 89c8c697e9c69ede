"""What each stretch of a query or a filter is, while it is being typed: for colours. Nothing is refused."""

import re
from dataclasses import dataclass
from typing import Literal

from tui_monitor.query.filters import lexer as filters
from tui_monitor.query.filters.reading import is_filter
from tui_monitor.query.language import is_aggregate
from tui_monitor.query.promql.ast import AGGREGATIONS
from tui_monitor.query.promql.functions.table import TABLE
from tui_monitor.query.typed import GROUPINGS, TOKEN, Typed

MAX_LENGTH = 2_000
"""Characters of a text up to which it is looked at: a key must not wait."""

Sort = Literal["metric", "function", "keyword", "label", "value", "number", "sign", "comment"]

_WORDS = GROUPINGS | {"offset", "bool", "and", "or", "unless", "atan2", "inf", "nan"}
_JOINING = frozenset({"and", "or", "not", "where"})
_QUOTED = re.compile(r""""(?:[^"\\\n]|\\.)*(?:"|\\?$)|'(?:[^'\\\n]|\\.)*(?:'|\\?$)|`[^`]*(?:`|$)""")
_CALLED = re.compile(r"\s*(?:\(|(?:by|without)\b)")
"""What stands behind a function: its arguments, or how an aggregation is grouped."""
_NUMBER = re.compile(r"[-+]?\$?\d[\d_.]*(?:[eE][-+]?\d+)?[A-Za-z%]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The characters `[start, end)` of a text, and what they are."""

    start: int
    end: int
    sort: Sort


def stretches(text: str) -> list[Stretch]:
    """What stands in a text, in its order; blanks and what is nothing in particular are left out."""
    if len(text) > MAX_LENGTH:
        return []
    return _filter(text) if is_filter(text) else _query(text)


def _query(text: str) -> list[Stretch]:
    place, found, variable = Typed(), [], False
    for token in TOKEN.finditer(text):
        kind, written = token.lastgroup or "", token[0]
        sort = _sort(place, kind, token, variable)
        variable = written in ("$", "{") and (variable or written == "$")
        if sort is not None:
            found.append(Stretch(token.start(), token.end(), sort))
        if kind != "blank":
            place.take(kind, written)
    return found


def _sort(place: Typed, kind: str, token: re.Match[str], variable: bool) -> Sort | None:
    """What one token is, where the cursor of `place` has come."""
    text = token[0]
    if kind == "blank":
        return "comment" if text.startswith("#") else None
    if kind in ("sign", "match"):
        return "number" if text == "$" else "sign"
    if kind == "number" or variable:
        return "number"
    if kind == "text":
        names = place.inside == "{" and not place.valued
        return "label" if names or place.inside == "labels" else "value"
    return _name(place, token)


def _name(place: Typed, token: re.Match[str]) -> Sort:
    text = token[0]
    if place.inside in ("{", "labels"):
        return "label"
    if place.inside == "[":
        return "number"
    if text.lower() in _WORDS:
        return "keyword"
    called = _CALLED.match(token.string, token.end()) is not None
    if text in TABLE and called:
        return "function"
    if (text in AGGREGATIONS or is_aggregate(text)) and (place.selected or called):
        return "function"
    return "metric"


def _filter(text: str) -> list[Stretch]:
    found: list[Stretch] = []
    position, compared = 0, False
    while position < len(text):
        blank = filters.BLANK.match(text, position)
        if blank:
            if "#" in blank[0]:
                found.append(Stretch(blank.start() + blank[0].index("#"), blank.end(), "comment"))
            position = blank.end()
            continue
        end, sort = _piece(text, position, compared)
        found.append(Stretch(position, end, sort))
        position, compared = end, sort == "sign" and text[position] not in "()"
    return found


def _piece(text: str, position: int, compared: bool) -> tuple[int, Sort]:
    """Where the piece of a filter that begins here ends, and what it is."""
    quoted = _QUOTED.match(text, position)
    if quoted:
        return quoted.end(), "value" if compared else "label"
    word = (filters.BARE if compared else filters.NAME).match(text, position)
    if word:
        if compared:
            return word.end(), "number" if _NUMBER.fullmatch(word[0]) else "value"
        return word.end(), "keyword" if word[0].lower() in _JOINING else "label"
    operator = filters.OPERATOR.match(text, position)
    return (operator.end() if operator else position + 1), "sign"
