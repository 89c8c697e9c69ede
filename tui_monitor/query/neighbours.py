"""Calls around one: what happened before and after it, in its session, to its user, in its project."""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice

from tui_monitor.model.call import Call
from tui_monitor.model.clock import HOUR, MINUTE, SECOND, Micros
from tui_monitor.model.timerange import Span
from tui_monitor.query.filters.fields import text_of
from tui_monitor.query.result import Neighbours
from tui_monitor.store.api import Reader
from tui_monitor.store.where import EVERY, HasLabel, Where

MOST = 5
"""Calls on each side that have a label in common, and so far from it in time at most:"""
REACH = 6 * HOUR
_ANY = 2
"""Any calls on each side."""
_LABELS = ("session", "trace_id", "user", "project")
_WIDTHS = (SECOND, MINUTE, 20 * MINUTE, REACH)
_ENOUGH = 200
"""Calls that are read to find those next to an instant."""


def around(call: Call, reader: Reader, check: Callable[[], None]) -> tuple[Neighbours, ...]:
    """The calls around one, by what they have in common; what has no neighbour is left out.

    `check` is called between pieces of work and may raise. Raises `StoreError`.
    """
    found = [_of("", "", EVERY, _ANY, call, reader, check)]
    for label in _LABELS:
        value = text_of(call, label)
        if value:
            where = HasLabel(label, value.__eq__)
            found.append(_of(label, value, where, MOST, call, reader, check))
    return tuple(one for one in found if one.before or one.after)


def _of(
    label: str, value: str, where: Where, most: int, call: Call, reader: Reader, check: Callable[[], None]
) -> Neighbours:
    same: list[Call] | None = None
    """Those of the same instant that are told before it; none once it has left."""
    before: list[Call] = []
    for other in _newest(Span(call.booked - REACH, call.booked), where, reader, check):
        if (other.source, other.source_key) == (call.source, call.source_key):
            same, before = before, []
        else:
            before.append(other)
        if len(before) >= most and before[-1].booked < call.booked:
            break
    if same is None:
        same, before = [], [other for other in before if other.booked < call.booked]
    after = same[-most:]
    if len(after) < most:
        after = [*_following(call.booked, where, most - len(after), reader, check), *after]
    return Neighbours(label, value, tuple(before[:most]), tuple(reversed(after)))


def _newest(span: Span, where: Where, reader: Reader, check: Callable[[], None]) -> Iterator[Call]:
    with closing(reader.calls(span, where, check)) as passing:  # pyright: ignore[reportArgumentType]
        yield from (call for call, _ in islice(passing, _ENOUGH))


def _following(
    instant: Micros, where: Where, most: int, reader: Reader, check: Callable[[], None]
) -> list[Call]:
    """The next calls after an instant, the newest first.

    Lists begin with the newest call, so a span is looked for that has just enough of them.
    """
    low, width = 0, 0
    for width in _WIDTHS:
        if reader.count_calls(Span(instant, instant + width), where, check) >= most:
            break
        low = width
    while width - low > 1 and reader.count_calls(Span(instant, instant + width), where, check) > _ENOUGH:
        half = (low + width) // 2
        enough = reader.count_calls(Span(instant, instant + half), where, check) >= most
        low, width = (low, half) if enough else (half, width)
    return list(_newest(Span(instant, instant + width), where, reader, check))[-most:]
