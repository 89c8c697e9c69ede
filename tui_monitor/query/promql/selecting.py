"""Reading what stands between braces and after a selector: matchers, names, instants and lengths."""

from typing import cast

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.query.promql import durations
from tui_monitor.query.promql.ast import NAME, At, Bound, Matcher, MatchOp, Selector
from tui_monitor.query.promql.cursor import Cursor
from tui_monitor.query.promql.lexer import Kind, Token
from tui_monitor.query.promql.matchers import takes_empty
from tui_monitor.query.promql.quoting import is_label, is_utf8
from tui_monitor.query.regex import PatternError

_OPS = ("=", "!=", "=~", "!~")


def selector(cursor: Cursor, name: Token | None, *, labels_only: bool = False) -> Selector:
    """A selector whose metric name, if it stands before the braces, has been passed.

    With `labels_only` it may take every series: it only says which labels are looked at.
    """
    start = name.start if name else cursor.token.start
    metric, matchers = (name.text if name else ""), []
    if cursor.at("{"):
        metric, matchers = _braces(cursor, metric)
    found = Selector(metric, tuple(matchers), place=cursor.since(start))
    if not (metric or labels_only) and all(takes_empty(matcher) for matcher in matchers):
        cursor.fail_at(
            "a selector needs a name or a matcher that does not take the empty text", found.place,
            hint='say which metric: name{label="value"}',
        )  # fmt: skip
    return found


def _braces(cursor: Cursor, metric: str) -> tuple[str, list[Matcher]]:
    cursor.expect("{", "before matchers")
    matchers: list[Matcher] = []
    while not cursor.at("}"):
        label = cursor.token
        if label.kind is Kind.TEXT and cursor.ahead().text in (",", "}"):
            if metric:
                cursor.fail(f"the metric has a name already: {metric}")
            metric = _named(cursor, cursor.take())
        else:
            matcher = _matcher(cursor)
            if matcher.label == NAME and metric and matcher.op == "=":
                cursor.fail_at(f"the metric has a name already: {metric}", matcher.place)
            matchers.append(matcher)
        if not cursor.taken(",") and not cursor.at("}"):
            cursor.fail(f"expected , or }} after a matcher, not {cursor.token.shown()}")
    cursor.expect("}", "after the matchers")
    return metric, matchers


def _named(cursor: Cursor, token: Token) -> str:
    if not token.value or not is_utf8(token.value):
        cursor.fail("a name is a text of UTF-8 that is not empty", token)
    return token.value


def _matcher(cursor: Cursor) -> Matcher:
    start = cursor.token.start
    name = label(cursor)
    op = cursor.token
    if op.kind is not Kind.SIGN or op.text not in _OPS:
        cursor.fail(f"expected one of {' '.join(_OPS)} after {name}, not {op.shown()}")
    cursor.take()
    value = cursor.token
    if value.kind is not Kind.TEXT:
        cursor.fail(f"expected a text in quotes, not {value.shown()}")
    cursor.take()
    matcher = Matcher(name, cast("MatchOp", op.text), value.value, place=cursor.since(start))
    try:
        takes_empty(matcher)
    except PatternError as error:
        cursor.fail(f"not a regular expression: {error}", value)
    return matcher


def label(cursor: Cursor) -> str:
    """A label's name: a word, or a text in quotes."""
    token = cursor.token
    if token.kind is Kind.TEXT:
        return _named(cursor, cursor.take())
    if token.kind is not Kind.NAME:
        cursor.fail(f"expected a label's name, not {token.shown()}")
    if not is_label(token.text):
        cursor.fail(f"not a label's name: {token.shown()}", hint="put names with : in quotes")
    return cursor.take().text


def labels(cursor: Cursor) -> tuple[str, ...]:
    """Labels between parentheses."""
    cursor.expect("(", "before labels")
    names: list[str] = []
    while not cursor.at(")"):
        names.append(label(cursor))
        if not cursor.taken(",") and not cursor.at(")"):
            cursor.fail(f"expected , or ) after a label, not {cursor.token.shown()}")
    cursor.expect(")", "after the labels")
    return tuple(names)


def length(cursor: Cursor, what: str, *, signed: bool = False) -> Micros:
    """A length of time, or a number of seconds; µs. Above 0 unless it may be `signed`."""
    token = cursor.token
    negative = False
    if signed and token.text in ("-", "+"):
        negative = cursor.take().text == "-"
    seconds = _seconds(cursor, what)
    micros = round(seconds * SECOND)
    if not signed and micros <= 0:
        cursor.fail(f"{what} is longer than 0", token)
    return -micros if negative else micros


def _seconds(cursor: Cursor, what: str) -> float:
    token = cursor.token
    if token.kind not in (Kind.NUMBER, Kind.DURATION):
        cursor.fail(f"expected {what} like 5m, not {token.shown()}")
    if not token.number * SECOND <= durations.GREATEST:
        cursor.fail(f"{what} is too long")
    return cursor.take().number


def instant(cursor: Cursor) -> At:
    """What follows an `@`: seconds since the epoch, `start()` or `end()`."""
    token = cursor.token
    if token.word in ("start", "end"):
        cursor.take()
        cursor.expect("(", f"after {token.text}")
        cursor.expect(")", f"after {token.text}(")
        return Bound(token.word == "end")
    negative = False
    if token.text in ("-", "+"):
        negative = cursor.take().text == "-"
    if cursor.token.kind not in (Kind.NUMBER, Kind.DURATION):
        cursor.fail(
            f"expected an instant after @, not {cursor.token.shown()}",
            hint="an instant is a number of seconds since the epoch, start() or end()",
        )
    seconds = _seconds(cursor, "the time since the epoch")
    return round(-seconds * SECOND if negative else seconds * SECOND)
