"""A query of ours as the PromQL that a remote server is asked, or why it cannot be asked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.clock import MS, Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.query.desugar import desugared
from tui_monitor.query.engines.prometheus.mapping import Mapping, not_written
from tui_monitor.query.known import KNOWN
from tui_monitor.query.metrics import BY_NAME, LABEL_ALIASES, Metric, adds_up
from tui_monitor.query.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    Matcher,
    Number,
    Paren,
    Range,
    Selector,
    Subquery,
    Summary,
    children,
    walk,
    with_children,
)
from tui_monitor.query.promql.lowering import lowered
from tui_monitor.query.promql.printer import printed
from tui_monitor.query.windows import DEFAULT_RANGE, window_of

SAMPLES = 4
"""Samples that a window holds at least; of fewer, growth cannot be told well."""

Placing = Callable[[Summary], tuple[Micros, Micros]]
"""The length of a short form's window, and how long before the instant it ends."""


def at_instant(at: Micros, calendar: Calendar) -> Placing:
    """Windows of a query at one instant; calendar periods become what they are at that instant."""

    def placed(node: Summary) -> tuple[Micros, Micros]:
        span = window_of(node, at, calendar).span
        return span.length, at - span.end

    return placed


def in_steps(step: Micros) -> Placing:
    """Windows of a query over time: each is as long as a step."""
    return lambda node: (step, node.offset)


def own_windows(node: Summary) -> tuple[Micros, Micros]:
    """The window that a short form names itself, as within a subquery."""
    window = DEFAULT_RANGE if node.window is None else node.window
    return (0 if isinstance(window, str) else window), node.offset


def of(tree: Expr, text: str, placing: Placing, interval: Micros, *, native: bool) -> str:
    """A query in the server's PromQL. Raises `QueryError` for what it cannot know.

    `interval` is the time between two samples there: windows of short forms that hold fewer than `SAMPLES` of
    them are read from longer ones.
    """
    mapped = Mapping(text, native, marked=False).of(lowered(tree, text))
    return printed(_Plain(text, interval, native).of(mapped, placing))


def selections(tree: Expr) -> Iterator[Summary]:
    """The short forms of a query."""
    return (node for node in walk(tree) if isinstance(node, Summary))


def is_count(tree: Expr) -> bool:
    """Whether calls or tokens are counted."""
    if not isinstance(tree, Summary) or tree.metric not in BY_NAME:
        return False
    metric = BY_NAME[tree.metric]
    how = tree.how or metric.default_aggregate
    return how == "count" or (how == "sum" and metric.unit in ("requests", "tokens"))


def is_own(tree: Expr) -> bool:
    """Whether only the samples that this collector takes of itself, its host and providers are asked for.

    A selector that names a job asks for somebody's.
    """
    found = [node for node in walk(tree) if isinstance(node, Selector | Summary)]
    return bool(found) and all(map(_is_own, found))


def _is_own(node: Selector | Summary) -> bool:
    if isinstance(node, Summary):
        return node.metric in KNOWN
    return node.name in KNOWN and not any(m.label in ("job", "instance") and m.value for m in node.matchers)


@dataclass(frozen=True, slots=True)
class _Plain:
    """Puts PromQL in place of short forms."""

    text: str
    interval: Micros
    native: bool

    def of(self, node: Expr, placing: Placing) -> Expr:
        match node:
            case Summary():
                return self._summary(node, placing)
            case Number():
                return Number(node.value, node.duration)
            case Subquery():
                placing = own_windows
        return with_children(node, [self.of(part, placing) for part in children(node)])

    def _summary(self, node: Summary, placing: Placing) -> Expr:
        prepared = _asked(node, self.text, placing, SAMPLES * self.interval)
        try:
            expression = _counted(prepared) or desugared(prepared)
        except QueryError as error:
            message = error.message.replace("has no exact form in PromQL", "cannot be asked of the server")
            raise QueryError(
                message, text=self.text, position=node.place.start, length=node.place.length,
                hint='engine = "local" in [query] knows it',
            ) from None  # fmt: skip
        mapped = Mapping(self.text, self.native, marked=True).of(expression)
        return Paren(mapped) if isinstance(mapped, Binary) else mapped


def _asked(node: Summary, text: str, placing: Placing, shortest: Micros) -> Expr:
    _check(node, text)
    matchers = tuple(replace(m, label=_label(node.metric, m.label)) for m in node.matchers)
    by = tuple(_label(node.metric, label) for label in node.by)
    length, offset = placing(node)
    wide = max(length, shortest)
    # To the millisecond, as servers know time.
    window, offset = (-(-one // MS) * MS for one in (wide, offset))
    asked = replace(node, matchers=matchers, window=window, offset=offset, by=by)
    if wide > length and node.metric in BY_NAME and _adds_up(BY_NAME[node.metric], node):
        return Binary("*", asked, Number(length / wide))
    return asked


def _label(metric: str, label: str) -> str:
    return LABEL_ALIASES.get(label, label) if metric in BY_NAME else label


def _adds_up(metric: Metric, node: Summary) -> bool:
    return adds_up(metric, node.how or metric.default_aggregate)


def _check(node: Summary, text: str) -> None:
    """Raise `QueryError` for what is not written to servers."""
    name = node.metric
    metric = BY_NAME.get(name)
    if metric is None:
        if name in KNOWN:
            raise _refused(
                f"{name} is measured here, and cannot be joined with what a server knows", node, text
            )
        return
    if metric.source != "calls":
        raise _refused(f"{name} is of events, which are not written to the server", node, text)
    how = node.how or metric.default_aggregate
    if not metric.allows(how):
        raise _refused(f"{how} of {name} has no meaning", node, text)
    known = {*DIMENSIONS, *LABEL_ALIASES}
    for matcher in node.matchers:
        if matcher.label not in known:
            raise _refused(not_written(matcher.label), matcher, text)
    for label in node.by:
        if label not in known:
            raise _refused(not_written(label), node, text)


def _refused(message: str, node: Summary | Matcher, text: str) -> QueryError:
    place = node.place
    hint = 'engine = "local" in [query] knows it'
    return QueryError(message, text=text, position=place.start, length=place.length, hint=hint)


def _counted(node: Expr) -> Expr | None:
    """Growth of a counter that is no metric of calls: as near as a server can tell it."""
    if not isinstance(node, Summary) or node.metric in BY_NAME:
        return None
    how, window = node.how or "sum", node.window
    if not node.metric.endswith("_total") or how not in ("sum", "rate") or not isinstance(window, int):
        return None
    selector = Selector(node.metric, node.matchers, node.offset)
    function = "rate" if how == "rate" else "increase"
    return Aggregate("sum", Call(function, (Range(selector, window),)), grouping=node.by)
