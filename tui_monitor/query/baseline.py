"""What is usual at this hour: the median of the same hour on the last seven days."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from statistics import median
from typing import NamedTuple
from weakref import WeakKeyDictionary

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import HOUR, MINUTE, SECOND, Micros, from_datetime
from tui_monitor.model.errors import UnknownMetric
from tui_monitor.query.engine import Engine
from tui_monitor.query.metrics import BY_NAME, Metric, Sampled, adds_up
from tui_monitor.query.promql.ast import Binary, Expr, Number, Paren, Summary, children, walk, with_children
from tui_monitor.query.promql.parser import parsed, read
from tui_monitor.query.promql.printer import printed
from tui_monitor.query.result import Labels, Result
from tui_monitor.query.windows import DEFAULT_RANGE

DAYS = 7
MIN_DAYS = 3
"""Days with data in that hour below which nothing is usual."""
REFRESH = 5 * MINUTE
REFRESH_NOTHING = 30 * SECOND
"""Where nothing is usual yet: a past that is being imported is seen soon, and looking for it costs little."""
_GRID = 5 * MINUTE
_NOTHING = Paren(parsed("vector(0) > 0"))
"""An expression that never has a value."""
_KEPT = 64

Usual = Mapping[Labels, float]
"""Labels of a series → its baseline; without those that have too few days."""


class _Kept(NamedTuple):
    version: int | None
    made: Micros
    value: Usual

    @property
    def good_for(self) -> Micros:
        return REFRESH if self.value else REFRESH_NOTHING


class Baselines:
    """The baselines of one engine, kept per query and hour. Any thread may ask.

    A kept one is made anew at most every five minutes, or half a minute while nothing is usual, and only when
    the data changed: a late import or a correction is seen that much later at the latest.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: OrderedDict[tuple[str, Calendar, Micros], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def of(
        self, node: Expr, at: Micros, calendar: Calendar, *, version: int | None = None,
        now: Micros | None = None,
    ) -> Usual:  # fmt: skip
        """What is usual for a query asked at one instant, one value for each of its series.

        An average, a share or a quantile is that of the hour; what adds up (calls, tokens, money) is
        brought to the length of the query's own window: of 120 calls in the hour, 10 are usual in 5
        minutes. Windows of an hour and longer are compared whole with those that ended at the same time of
        day. `version` is the data's, where the asker knows it; `now` the present, where that is not `at`.
        Blocks on the store; raises `QueryError` and `StoreError`.
        """
        ends = same_times(at, calendar) if longest(node) >= HOUR else same_hours(at, calendar)
        now = at if now is None else now
        key = (printed(node), calendar, ends[0])
        with self._lock:
            kept = self._kept.get(key)
            unchanged = kept is not None and version is not None and kept.version == version
            if kept and (unchanged or now - kept.made < kept.good_for):
                self._kept.move_to_end(key)
                return kept.value
        value = self._compute(printed(whole_hours(node, self._engine)), ends)
        with self._lock:
            self._kept[key] = _Kept(version, now, value)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return value

    def _compute(self, query: str, ends: list[Micros]) -> Usual:
        days: dict[Labels, list[float]] = {}
        for end in ends:
            for labels, value in values_of(ask(self._engine, query, end)).items():
                days.setdefault(labels, []).append(value)
        return {labels: median(values) for labels, values in days.items() if len(values) >= MIN_DAYS}


def same_hours(instant: Micros, calendar: Calendar) -> list[Micros]:
    """The ends of the user's same clock hour on each of the last seven days, the newest first.

    Hours are left-open like every range: 12:00 sharp belongs to the hour that ends then.
    """
    first = calendar.local(instant - 1).replace(minute=0, second=0, microsecond=0)
    return [from_datetime(first - timedelta(days=day)) + HOUR for day in range(1, DAYS + 1)]


def same_times(instant: Micros, calendar: Calendar) -> list[Micros]:
    """The same time of the user's day on each of the last seven days, to five minutes, the newest first."""
    wall = calendar.local(instant // _GRID * _GRID)
    return [from_datetime(wall - timedelta(days=day)) for day in range(1, DAYS + 1)]


def longest(node: Expr) -> Micros:
    """The longest window in a query; calendar periods have none that is known."""
    return max((_length(one) for one in walk(node) if isinstance(one, Summary)), default=0)


def _length(node: Summary) -> Micros:
    window = DEFAULT_RANGE if node.window is None else node.window
    return 0 if isinstance(window, str) else window


def whole_hours(node: Expr, engine: Engine) -> Expr:
    """The query over whole hours, with what adds up brought back to the length of its own window."""
    if not isinstance(node, Summary):
        return with_children(node, [whole_hours(part, engine) for part in children(node)])
    window = node.window
    if window is None or isinstance(window, str) or window >= HOUR:
        return node
    hour = replace(node, window=HOUR)
    return Paren(Binary("/", hour, Number(HOUR / window))) if summed(node, engine) else hour


def summed(node: Summary, engine: Engine) -> bool:
    """Whether the aggregate adds up over time, so that nothing at all is 0 of it."""
    found: Metric | Sampled | None = BY_NAME.get(node.metric)
    if found is None:
        kind = engine.type_of(node.metric)
        if kind is None:
            return False
        found = Sampled(node.metric, kind)
    return adds_up(found, node.how or found.default_aggregate)


def ask(engine: Engine, query: str, at: Micros, tree: Expr | None = None) -> Result:
    """The engine's answer; a metric that nobody has sent yet has no data. `tree` as of `Engine.check`."""
    while True:
        try:
            return engine.instant(query, at) if tree is None else engine.instant(query, at, tree=tree)
        except UnknownMetric as error:
            # What stands beside it, behind `or` and before `unless`, is asked for all the same.
            node = read(query) if tree is None else tree
            tree = _without(node, error.name)
            if tree == node or isinstance(node, Summary):
                return Result(query, "vector", (at,), ())


def _without(node: Expr, metric: str) -> Expr:
    """The expression with no data in place of a metric."""
    if isinstance(node, Summary) and node.metric == metric:
        return replace(_NOTHING, place=node.place)
    return with_children(node, [_without(part, metric) for part in children(node)])


def values_of(result: Result) -> dict[Labels, float]:
    """Values that are there; NaN is no data either."""
    values = ((series.labels, series.value) for series in result.series)
    return {labels: value for labels, value in values if value is not None and value == value}


_BY_ENGINE: "WeakKeyDictionary[Engine, Baselines]" = WeakKeyDictionary()


def baselines_of(engine: Engine) -> Baselines:
    """The baselines kept for this engine, as long as it lives."""
    kept = _BY_ENGINE.get(engine)
    if kept is None:
        kept = _BY_ENGINE[engine] = Baselines(engine)
    return kept
