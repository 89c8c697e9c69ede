"""A short form as PromQL that gives the same numbers.

What is unknown is no 0 in the short form, so sums stand behind a guard: `… and calls > 0`. Quantiles of
latencies agree within 1 %. What PromQL cannot say exactly is refused with the reason: calendar periods,
extremes of single calls, quantiles of tokens and money, means of two measures at once (`tokens`), counts of
cache and rate limit events, calls under way, counters and quantiles of stored samples.
"""

from collections.abc import Collection

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.query.known import KNOWN
from tui_monitor.query.language import quantile_of
from tui_monitor.query.metrics import BY_NAME, Kind, Metric, Sum
from tui_monitor.query.promql.ast import (
    SETS,
    Aggregate,
    Binary,
    Call,
    Cardinality,
    Expr,
    Given,
    Matcher,
    Matching,
    MatchOp,
    Number,
    Paren,
    Range,
    Selector,
    Subquery,
    Summary,
    children,
    with_children,
)
from tui_monitor.query.promql.lowering import is_measured, lowered
from tui_monitor.query.promql.parser import read
from tui_monitor.query.promql.printer import printed
from tui_monitor.query.windows import DEFAULT_RANGE

_OVER_TIME = {"avg": "avg", "sum": "avg", "min": "min", "max": "max", "count": "count"}


def desugared(tree: Expr, window: Micros | None = None) -> Expr:
    """The query in plain PromQL; over time each window is as long as a step, which is `window` in µs.

    Raises `QueryError` for what PromQL cannot say.
    """
    return _plain(lowered(tree, printed(tree)), window)


def _plain(node: Expr, window: Micros | None) -> Expr:
    match node:
        case Number():
            return Number(node.value, node.duration and not node.written)
        case Summary():
            return _Asked(node, window).expression()
        case Given():
            raise _refused(node, f"{node.name} stands in the condition of an alert rule only")
        case Subquery():
            # Within a subquery each window is as long as it says.
            return with_children(node, [_inner(_plain(node.expr, None))])
    return with_children(node, [_operand(node, part, window) for part in children(node)])


def _operand(node: Expr, part: Expr, window: Micros | None) -> Expr:
    plain = _plain(part, window)
    return _inner(plain) if isinstance(node, Binary) and is_measured(part) else plain


def _inner(node: Expr) -> Expr:
    return Paren(node) if isinstance(node, Binary) else node


def explained(text: str, window: Micros | None = None) -> tuple[str, str]:
    """A query as PromQL in its usual spelling, and why it has none: one of both is empty.

    `window` as of `desugared`. Raises `QueryError` for what is no query.
    """
    tree = read(text)
    try:
        return printed(desugared(tree, window)), ""
    except QueryError as error:
        return "", error.message


def _refused(node: Summary | Given, message: str) -> QueryError:
    place = node.place
    return QueryError(message, text=printed(node), position=place.start, length=place.length)


def _op(op: str, left: Expr, right: "Expr | float") -> Expr:
    """An operation; parentheses where its sides are operations too."""
    sides = [Number(float(side)) if isinstance(side, int | float) else side for side in (left, right)]
    matching = None if isinstance(sides[1], Number) or isinstance(sides[0], Number) else Matching()
    if op in SETS:
        matching = Matching(Cardinality.MANY_TO_MANY)
    return Binary(op, _inner(sides[0]), _inner(sides[1]), matching=matching)


class _Asked:
    """One selector with its aggregate."""

    def __init__(self, node: Summary, window: Micros | None) -> None:
        self._node = node
        of = node
        if isinstance(of.window, str) and window is None:
            raise self._refuse(f"a calendar period like [{of.window}] has no length")
        self._window = window or (of.window if isinstance(of.window, int) else DEFAULT_RANGE)
        self._matchers = tuple(Matcher(one.label, one.op, one.value) for one in of.matchers)

    def expression(self) -> Expr:
        metric = BY_NAME.get(self._node.metric)
        if metric is None:
            return self._of_samples()
        how = self._node.how or metric.default_aggregate
        if metric.kind is Kind.SCORE:
            return self._scored(metric, how)
        if metric.source != "calls":
            raise self._refuse(f"{metric.name} has no exact form in PromQL")
        if metric.kind is Kind.RATIO:
            return self._ratio(metric)
        if metric.kind is Kind.COUNT:
            found = self._total(metric.name)
            if metric.name != "requests":
                found = _op("or", found, _op("*", self._calls(), 0))
            return self._per_second(how, found, self._calls())
        return self._measured(metric, how)

    def _measured(self, metric: Metric, how: str) -> Expr:
        latency = metric.kind is Kind.LATENCY
        known = self._total(f"{metric.name}_count")
        total = self._total(f"{metric.name}_sum" if latency else metric.name)
        quantile = quantile_of(how)
        if latency and quantile is not None:
            return Call(
                "histogram_quantile", (Number(quantile), self._guarded(self._total(metric.name), known))
            )
        if quantile is not None or how in ("min", "max"):
            raise self._refuse(f"{how} of single calls has no exact form in PromQL")
        if how in ("avg", "count") and len(metric.sum.measures) > 1:
            raise self._refuse(f"{how} of {metric.name} has no exact form in PromQL")
        if how == "avg":
            return _op("/", total, _op(">", known, 0))
        if how == "count":
            known = _op("or", known, _op("*", self._calls(), 0))
            return self._guarded(known, self._calls())
        return self._per_second(how, total, known)

    def _ratio(self, metric: Metric) -> Expr:
        assert metric.over is not None
        if metric.sum.measures != ("calls",):
            part, whole = (f"{one.measures[0]}_tokens" for one in (metric.sum, metric.over))
            share = _op("/", self._total(part), _op(">", self._total(whole), 0))
            return self._guarded(share, self._total(f"{part}_count"))
        above, below = (self._total("requests", _outcome(one)) for one in (metric.sum, metric.over))
        return _op("/", _op("or", above, _op("*", below, 0)), _op(">", below, 0))

    def _scored(self, metric: Metric, how: str) -> Expr:
        if metric.elapsed or quantile_of(how) is not None:
            raise self._refuse(f"{how} of {metric.name} has no exact form in PromQL")
        if how == "avg":
            return _op("/", self._over_time("sum", "sum"), self._over_time("sum", "count"))
        return self._over_time("sum" if how == "count" else how, how)

    def _of_samples(self) -> Expr:
        name = self._node.metric
        known = KNOWN.get(name)
        how = self._node.how or ("sum" if name.endswith("_total") else "avg")
        counter = known.type == "counter" if known else name.endswith("_total")
        if counter or how not in _OVER_TIME:
            raise self._refuse(f"{how} of the samples of {name} has no exact form in PromQL")
        return self._over_time("sum" if how == "count" else how, _OVER_TIME[how])

    def _over_time(self, how: str, function: str) -> Expr:
        inner = Call(f"{function}_over_time", (self._range(self._node.metric),))
        return Aggregate(how, inner, grouping=self._node.by)

    def _total(self, name: str, more: tuple[Matcher, ...] = ()) -> Expr:
        return Aggregate("sum", Call("increase", (self._range(name, more),)), grouping=self._node.by)

    def _range(self, name: str, more: tuple[Matcher, ...] = ()) -> Range:
        return Range(Selector(name, (*self._matchers, *more), self._node.offset), self._window)

    def _calls(self) -> Expr:
        return self._total("requests")

    def _per_second(self, how: str, total: Expr, known: Expr) -> Expr:
        found = _op("/", total, self._window / SECOND) if how == "rate" else total
        same = found == known
        return _op(">", found, 0) if same else self._guarded(found, known)

    def _guarded(self, found: Expr, known: Expr) -> Expr:
        return Binary("and", Paren(found) if isinstance(found, Binary) else found, _op(">", known, 0),
                      matching=Matching(Cardinality.MANY_TO_MANY))  # fmt: skip

    def _refuse(self, message: str) -> QueryError:
        return _refused(self._node, message)


def _outcome(of: Sum) -> tuple[Matcher, ...]:
    """The matchers of the calls that count."""
    found: list[Matcher] = []
    if of.statuses:
        found.append(_one_of("status", of.statuses))
    if of.categories:
        found.append(_one_of("error_category", of.categories))
    if of.without:
        found.append(_one_of("error_category", of.without, negated=True))
    return tuple(found)


def _one_of(label: str, values: Collection[str], *, negated: bool = False) -> Matcher:
    """A matcher of these plain values: a regular expression only where there are several."""
    op: MatchOp = "!=" if negated else "="
    if len(values) > 1:
        op = "!~" if negated else "=~"
    return Matcher(label, op, "|".join(sorted(values)))
