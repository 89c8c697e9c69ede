"""A query of ours as the PromQL that a remote server is asked, or why it cannot be asked."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.clock import MS, Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.query import ast as short
from tui_monitor.query.desugar import desugared
from tui_monitor.query.engines.prometheus.mapping import Mapping, not_written
from tui_monitor.query.known import KNOWN
from tui_monitor.query.metrics import BY_NAME, LABEL_ALIASES, Metric, adds_up
from tui_monitor.query.promql.ast import Aggregate, Call, Expr, Matcher, Range, Selector, walk
from tui_monitor.query.promql.printer import printed
from tui_monitor.query.windows import window_of

SAMPLES = 4
"""Samples that a window holds at least; of fewer, growth cannot be told well."""

Placing = Callable[[short.Selector], tuple[Micros, Micros]]
"""The length of a selector's window, and how long before the instant it ends."""


def at_instant(at: Micros, calendar: Calendar) -> Placing:
    """Windows of a query at one instant; calendar periods become what they are at that instant."""

    def placed(selector: short.Selector) -> tuple[Micros, Micros]:
        span = window_of(selector, at, calendar).span
        return span.length, at - span.end

    return placed


def in_steps(step: Micros) -> Placing:
    """Windows of a query over time: each is as long as a step."""
    return lambda selector: (step, selector.offset)


def of_short(node: short.Node, text: str, placing: Placing, interval: Micros, *, native: bool) -> str:
    """The short form in the server's PromQL. Raises `QueryError` for what it cannot know.

    `interval` is the time between two samples there: windows of fewer than `SAMPLES` of them are read from
    longer ones.
    """
    prepared = _prepared(node, text, placing, SAMPLES * interval)
    try:
        expression = _counted(prepared) or desugared(prepared)
    except QueryError as error:
        message = error.message.replace("has no exact form in PromQL", "cannot be asked of the server")
        raise QueryError(
            message, text=text, position=error.position, length=error.length,
            hint='engine = "local" in [query] knows it',
        ) from None  # fmt: skip
    return printed(Mapping(text, native, marked=True).of(expression))


def of_whole(tree: Expr, text: str, *, native: bool) -> str:
    """PromQL in the server's names. Raises `QueryError` for what it cannot know."""
    return printed(Mapping(text, native, marked=False).of(tree))


def selections(node: short.Node) -> Iterator[short.Aggregate]:
    """Everything that a query in the short form reads."""
    match node:
        case short.Aggregate():
            yield node
        case short.Unary():
            yield from selections(node.operand)
        case short.Binary():
            yield from selections(node.left)
            yield from selections(node.right)


def is_own(node: short.Node) -> bool:
    """Whether only the samples that this collector takes of itself, its host and providers are asked for."""
    names = [one.of.metric for one in selections(node)]
    return bool(names) and all(name in KNOWN for name in names)


def is_own_whole(tree: Expr) -> bool:
    """As `is_own`, of PromQL; a selector that names a job asks for somebody's."""
    found = [node for node in walk(tree) if isinstance(node, Selector)]
    return bool(found) and all(
        one.name in KNOWN and not any(m.label in ("job", "instance") and m.value for m in one.matchers)
        for one in found
    )


def _prepared(node: short.Node, text: str, placing: Placing, shortest: Micros) -> short.Node:
    match node:
        case short.Aggregate():
            return _asked(node, text, placing, shortest)
        case short.Unary():
            return replace(node, operand=_prepared(node.operand, text, placing, shortest))
        case short.Binary():
            left, right = (_prepared(side, text, placing, shortest) for side in (node.left, node.right))
            return replace(node, left=left, right=right)
        case _:
            return node


def _asked(node: short.Aggregate, text: str, placing: Placing, shortest: Micros) -> short.Node:
    of = node.of
    _check(node, text)
    matchers = tuple(replace(m, label=_label(of.metric, m.label)) for m in of.matchers)
    by = tuple(_label(of.metric, label) for label in node.by)
    length, offset = placing(of)
    wide = max(length, shortest)
    # To the millisecond, as servers know time.
    window, offset = (-(-one // MS) * MS for one in (wide, offset))
    asked = replace(node, of=replace(of, matchers=matchers, window=window, offset=offset), by=by)
    if wide > length and of.metric in BY_NAME and _adds_up(BY_NAME[of.metric], node):
        return short.Binary("*", asked, short.Number(length / wide))
    return asked


def _label(metric: str, label: str) -> str:
    return LABEL_ALIASES.get(label, label) if metric in BY_NAME else label


def _adds_up(metric: Metric, node: short.Aggregate) -> bool:
    return adds_up(metric, node.how or metric.default_aggregate)


def _check(node: short.Aggregate, text: str) -> None:
    """Raise `QueryError` for what is not written to servers."""
    name = node.of.metric
    metric = BY_NAME.get(name)
    if metric is None:
        if name in KNOWN:
            raise _refused(
                f"{name} is measured here, and cannot be joined with what a server knows", node.of, text
            )
        return
    if metric.source != "calls":
        raise _refused(f"{name} is of events, which are not written to the server", node.of, text)
    known = {*DIMENSIONS, *LABEL_ALIASES}
    for matcher in node.of.matchers:
        if matcher.label not in known:
            raise _refused(not_written(matcher.label), matcher, text)
    for label in node.by:
        if label not in known:
            raise _refused(not_written(label), node, text)


def _refused(message: str, node: short.Selector | short.Aggregate | short.Matcher, text: str) -> QueryError:
    place = node.place
    hint = 'engine = "local" in [query] knows it'
    return QueryError(message, text=text, position=place.position, length=place.length, hint=hint)


def _counted(node: short.Node) -> Expr | None:
    """Growth of a counter that is no metric of calls: as near as a server can tell it."""
    if not isinstance(node, short.Aggregate) or node.of.metric in BY_NAME:
        return None
    how, window = node.how or "sum", node.of.window
    if not node.of.metric.endswith("_total") or how not in ("sum", "rate") or not isinstance(window, int):
        return None
    matchers = tuple(Matcher(m.label, m.op, m.value) for m in node.of.matchers)
    selector = Selector(node.of.metric, matchers, node.of.offset)
    function = "rate" if how == "rate" else "increase"
    return Aggregate("sum", Call(function, (Range(selector, window),)), grouping=node.by)
