"""An answer about an earlier span beside the one about the present."""

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span
from tui_monitor.query.result import Result, Series


async def asked_of(before: Span, ask: Callable[[Micros], Awaitable[Result]]) -> Result | None:
    """What `ask` answers, at some instant, about the span `before`; None where its range cannot be that.

    A period that is over, like `[yesterday]`, is asked for right behind its end.
    """
    for at in (before.end, before.end + 1):
        result = await ask(at)
        if result.span is None or result.span.end == before.end:
            return result
    return None


def moved(then: Result, offset: Micros, times: Sequence[Micros]) -> Result:
    """The answer `then` at later times: what it had `offset` µs before each of them.

    Where steps do not fall on each other the nearest one counts; where none is within half a step, nothing.
    Nor is a step that is cut off by the end of the time told beside one that is longer or shorter.
    """
    step = max((b - a for a, b in pairwise(times)), default=1)
    now, before = _lengths(times), _lengths(then.times)
    at = [_nearest(then.times, time - offset, step) for time in times]
    at = [n if n is None or now[m] == before[n] else None for m, n in enumerate(at)]
    series = tuple(
        Series(one.labels, tuple(None if n is None else one.values[n] for n in at)) for one in then.series
    )
    return replace(then, times=tuple(times), series=series)


def _lengths(times: Sequence[Micros]) -> list[Micros]:
    """Of each step that ends so; the first is whole, where there are others."""
    found = [b - a for a, b in pairwise(times)]
    return [max(found, default=0), *found]


def _nearest(times: Sequence[Micros], wanted: Micros, step: Micros) -> int | None:
    n = bisect_left(times, wanted)
    there = [m for m in (n - 1, n) if 0 <= m < len(times)]
    near = min(there, key=lambda m: abs(times[m] - wanted), default=None)
    return None if near is None or abs(times[near] - wanted) * 2 > step else near
