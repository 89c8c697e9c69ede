"""Reading the short form: what follows a metric's name and labels, and aggregates around a metric."""

from dataclasses import replace
from typing import cast

from tui_monitor.model.calendar import Period
from tui_monitor.model.clock import DAY, MS, Micros
from tui_monitor.query.language import (
    AGGREGATES,
    GIVEN,
    RESERVED,
    SPENDS,
    is_aggregate,
    is_period,
    quote,
)
from tui_monitor.query.promql import selecting
from tui_monitor.query.promql.ast import Call, Expr, Given, Place, Range, Selector, Summary
from tui_monitor.query.promql.cursor import Cursor
from tui_monitor.query.promql.lexer import Kind, Token

LONGEST: Micros = 100 * 365 * DAY
"""Of a window or an offset of the short form."""
_SHORTEST: Micros = MS
_ENDS = frozenset({"and", "or", "unless", "atan2", "offset", "anchored", "smoothed"})
"""Words that may follow a selector in PromQL."""


def convertible(node: Selector) -> bool:
    """Whether a selector says nothing that the short form cannot."""
    return bool(node.name) and node.at is None and not node.edges


def summary(cursor: Cursor, node: Selector | Range, how: str = "", by: tuple[str, ...] = ()) -> Summary:
    """The selector as a short form. Raises `QueryError` for a length that is none."""
    of = node.selector if isinstance(node, Range) else node
    window = node.length if isinstance(node, Range) else None
    named = Place(of.place.start, max(1, min(of.place.length, len(of.name) + 2 * (not _plain(cursor, of)))))
    for length in (window, abs(of.offset) or None):
        if length is not None and not _SHORTEST <= length <= LONGEST:
            cursor.fail_at("a length of time is between 1 ms and 100 years", node.place)
    return Summary(
        of.name, of.matchers, None if window is None else _whole(window), how, by, _whole(of.offset),
        named=named, told=named, place=node.place,
    )  # fmt: skip


def _plain(cursor: Cursor, of: Selector) -> bool:
    return cursor.text.startswith(of.name, of.place.start)


def _whole(length: Micros) -> Micros:
    return round(length / MS) * MS


def suffixed(cursor: Cursor, node: Expr) -> Expr | None:
    """The node with the aggregate or the grouping that follows it; `None` where neither does.

    Raises `QueryError` for a word that has no meaning there.
    """
    token = cursor.token
    if token.kind is not Kind.NAME or token.word in _ENDS:
        return None
    if isinstance(node, Call):
        of = node.args[0] if node.function == "rate" and len(node.args) == 1 else None
        if token.text != "by" or not isinstance(of, Range) or not convertible(of.selector):
            return None
        node = replace(summary(cursor, of, "rate"), told=Place(node.place.start, 4), place=node.place)
    elif isinstance(node, Selector | Range):
        if not convertible(node.selector if isinstance(node, Range) else node):
            return None
        if token.text != "by" and not is_aggregate(token.text):
            _expected(cursor)
        node = summary(cursor, node)
    elif not isinstance(node, Summary):
        return None
    return _grouped(cursor, node) if token.text == "by" else _aggregated(cursor, node)


def _grouped(cursor: Cursor, node: Summary) -> Summary:
    if node.by:
        cursor.fail("expected an operator or the end, not by", hint="there is a grouping already")
    cursor.take()
    by = tuple(dict.fromkeys(selecting.labels(cursor)))
    return replace(node, by=by, place=cursor.since(node.place.start))


def _aggregated(cursor: Cursor, node: Summary) -> Summary:
    token = cursor.token
    if not is_aggregate(token.text):
        _expected(cursor)
    if node.how:
        hint = f"there is an aggregate already: {node.how}"
        cursor.fail(f"expected an operator or the end, not {token.shown()}", hint=hint)
    cursor.take()
    told = Place(token.start, len(token.text))
    return replace(node, how=token.text, told=told, place=cursor.since(node.place.start))


def _expected(cursor: Cursor) -> None:
    token = cursor.token
    hint = cursor.meant(token.text, [*AGGREGATES, "by", "offset", "and", "or", "unless"])
    cursor.fail(
        f"expected an aggregate, by(…), offset, an operator or the end, not {token.shown()}",
        hint=hint or "aggregates are avg sum min max count rate p95 …",
    )


def calendar(cursor: Cursor, node: Expr) -> Summary | None:
    """The node with the calendar period whose bracket was just opened; `None` for another range."""
    token = cursor.token
    if token.kind is not Kind.NAME or not is_period(token.text):
        return None
    if isinstance(node, Selector) and convertible(node):
        node = summary(cursor, node)
    if not isinstance(node, Summary) or node.window is not None:
        return cursor.fail(f"expected a range like 5m, not {token.shown()}")
    cursor.take()
    cursor.expect("]", "after the range")
    return replace(node, window=cast("Period", token.text), place=cursor.since(node.place.start))


def windowed(cursor: Cursor, node: Summary, length: Micros, token: Token) -> Summary:
    """A short form with a range that stands behind its aggregate."""
    if node.window is not None:
        cursor.fail("expected an operator or the end, not [", token, hint="there is a range already")
    if not _SHORTEST <= length <= LONGEST:
        cursor.fail("a length of time is between 1 ms and 100 years", token)
    return replace(node, window=_whole(length), place=cursor.since(node.place.start))


def opens_call(word: str, following: Token) -> bool:
    """Whether an aggregate that is no word of PromQL stands around a metric: `p95(latency)`."""
    if not is_aggregate(word):
        return False
    return following.word == "by" or (following.text == "(" and word != "rate")


def call(cursor: Cursor) -> Summary:
    """`p95(latency[5m]) by(model)` and `p95 by(model) (latency[5m])`."""
    how = cursor.take()
    by = _by(cursor)
    cursor.expect("(", f"after {how.text}")
    of = selecting.selector(cursor, cursor.take() if cursor.token.kind is Kind.NAME else None)
    node: Expr = of
    if not convertible(of):
        cursor.fail_at(f"{how.text} is of a metric by its name", of.place)
    while not cursor.at(")"):
        node = _inside(cursor, node)
    cursor.take()
    inner = node if isinstance(node, Summary) else summary(cursor, cast("Selector | Range", node))
    by = by or _by(cursor)
    if by and inner.by:
        cursor.fail_at("by(…) stands there twice", inner.place)
    told = Place(how.start, len(how.text))
    if inner.how:
        cursor.fail_at(f"{inner.how} inside {how.text}: one aggregate is enough", inner.told)
    return replace(inner, how=how.text, by=by or inner.by, told=told, place=cursor.since(how.start))


def _by(cursor: Cursor) -> tuple[str, ...]:
    if cursor.token.word != "by":
        return ()
    cursor.take()
    return tuple(dict.fromkeys(selecting.labels(cursor)))


def _inside(cursor: Cursor, node: Expr) -> Expr:
    """One of a range, an offset and a grouping within the parentheses of an aggregate."""
    token = cursor.token
    if cursor.taken("["):
        found = calendar(cursor, node)
        if found is not None:
            return found
        length = selecting.length(cursor, "a range")
        cursor.expect("]", "after the range")
        whole = node if isinstance(node, Summary) else summary(cursor, cast("Selector", node))
        return windowed(cursor, whole, length, token)
    if token.word == "offset":
        cursor.take()
        whole = node if isinstance(node, Summary) else summary(cursor, cast("Selector", node))
        return replace(whole, offset=selecting.length(cursor, "an offset", signed=True))
    found = suffixed(cursor, node)
    return found or cursor.fail(f"expected [range], offset or ), not {token.shown()}")


def given(cursor: Cursor, token: Token, *, words: bool) -> Given | None:
    """A word that only rules know. Raises `QueryError` where none is read; `None` for what was spent."""
    word = token.text
    if not words:
        hint = f"a metric of that name is written {{{quote(word)}}}"
        if word in SPENDS:
            hint = f"as a query it is cost [{SPENDS[word]}] sum"
        cursor.fail(f"{word} stands in the condition of an alert rule only", token, hint)
    if word in SPENDS:
        return None
    if cursor.ahead().text == "{":
        cursor.fail(f"{word} is a value already", token, f"write {word} by itself")
    cursor.take()
    return Given(word, place=Place(token.start, len(word)))


def is_given(word: str, following: Token) -> bool:
    """Whether the name is a word of rules; `baseline(…)` is a function."""
    return word in GIVEN and following.text != "("


def is_reserved(word: str) -> bool:
    """Whether the name is a word of the language, to be quoted as a metric."""
    return word in RESERVED


def spent(cursor: Cursor, node: Summary) -> Summary:
    """`daily_spend` and its like as the cost of their period. Raises `QueryError` for another aggregate."""
    word = node.metric
    if node.window is not None:
        cursor.fail_at(
            f"{word} has its range already: [{SPENDS[word]}]", node.named, "ask for cost, and any range"
        )
    if node.how not in ("", "sum"):
        cursor.fail_at(f"what was spent is a sum; {node.how} of it has no meaning", node.told)
    return replace(node, metric="cost", window=SPENDS[word], scoped=True)
