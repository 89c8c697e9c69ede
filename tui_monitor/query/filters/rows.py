"""The calls of a filter, the newest first, some at a time."""

from collections.abc import Callable
from contextlib import closing
from itertools import islice

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.timerange import Span
from tui_monitor.query.filters.ast import Node, tests_of
from tui_monitor.query.filters.fields import is_field, label_of
from tui_monitor.query.filters.meaning import Meaning, check_names
from tui_monitor.query.filters.parser import parse
from tui_monitor.query.meant import mistyped
from tui_monitor.query.result import After, CallList
from tui_monitor.store.api import Layer, Reader
from tui_monitor.store.where import Where

MOST = 10_000
"""Calls of one list; who wants more asks for those after them."""


def checked(text: str, reader: Reader) -> tuple[Node, Where]:
    """The tree of a filter and what it asks of the store. Raises `QueryError`, `StoreError`."""
    node = parse(text)
    if any(not is_field(test.name) for test in tests_of(node)):
        check_names(node, text, reader.label_names())
    return node, Meaning(text).of(node)


def listed(
    text: str, span: Span, limit: int, after: After | None, reader: Reader, calendar: Calendar,
    check: Callable[[], None],
) -> CallList:  # fmt: skip
    """At most `limit` calls of a span that pass, behind those that were told already.

    `check` is called between pieces of work and may raise. Raises `QueryError`, `StoreError`.
    """
    node, where = checked(text, reader)
    limit = max(1, min(limit, MOST))
    rest, below = span, None
    if after is not None and after.booked <= span.end:
        rest, below = Span(span.start, after.booked), after.number
    with closing(reader.calls(rest, where, check, below)) as passing:  # pyright: ignore[reportArgumentType]
        found = list(islice(passing, limit + 1))
    calls = tuple(call for call, _ in found[:limit])
    goes_on = After(calls[-1].booked, found[limit - 1][1]) if len(found) > limit else None
    warnings = _warnings(span, reader, calendar)
    if not calls and after is None:
        asked = ((label_of(test.name), test.value.text) for test in tests_of(node) if test.op == "=")
        warnings += tuple(said for one in asked if (said := mistyped(*one, reader)))
    return CallList(text, str(node), span, calls, goes_on, warnings)


def counted(text: str, span: Span, reader: Reader, check: Callable[[], None]) -> int:
    """How many calls of a span pass. Raises as `listed`."""
    return reader.count_calls(span, checked(text, reader)[1], check)


def _warnings(span: Span, reader: Reader, calendar: Calendar) -> tuple[str, ...]:
    raw = reader.holdings()[Layer.RAW]
    said: list[str] = []

    def moment(instant: int) -> str:
        return f"{calendar.local(instant):%Y-%m-%d %H:%M}"

    gone = [hole for hole in raw.gone if max(hole.start, span.start) < min(hole.end, span.end)]
    if gone:
        last = moment(min(span.end, max(hole.end for hole in gone)))
        said.append(f"single calls before {last} are no longer all kept")
    sampled = raw.sampled_in(span)
    if sampled:
        first, last = min(s.span.start for s in sampled), max(s.span.end for s in sampled)
        rarest = max(s.one_in for s in sampled)
        said.append(f"of the calls from {moment(first)} to {moment(last)} a sample of 1 in {rarest} is kept")
    return tuple(said)
