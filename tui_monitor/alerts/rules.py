"""Rules: from a setting to a condition that the query engine answers."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tui_monitor.alerts.machine import Reading, Watch
from tui_monitor.alerts.template import default_summary, fill, unfillable
from tui_monitor.config.settings import RuleSettings
from tui_monitor.model.alert import RuleState
from tui_monitor.model.clock import MINUTE, Micros
from tui_monitor.model.errors import MonitorError, QueryError
from tui_monitor.model.text import clean
from tui_monitor.query.ast import Aggregate, Binary, Node, Unary
from tui_monitor.query.condition import Condition
from tui_monitor.query.engine import Engine
from tui_monitor.query.parser import parse
from tui_monitor.query.result import Labels, Result

WINDOW = 5 * MINUTE
"""Range of a rule's query that names none: an alert is about now."""
MAX_ALERTS = 500
"""Alerts of one rule at a time; more is a rule that groups too finely."""
_MAX_LINE = 2_000

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as configured, with its condition, or with the error that keeps it from having one."""

    settings: RuleSettings
    condition: Condition | None
    error: str = ""
    """Why it cannot be evaluated: the expression with the place pointed at, then the message."""
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Its name; unique."""
        return self.settings.name

    @property
    def watched(self) -> bool:
        """Whether it is evaluated."""
        return self.settings.enabled and self.condition is not None

    @property
    def asked(self) -> str:
        """The condition as it is asked: with the ranges that were left out."""
        condition = self.condition
        return f"{condition.left} {condition.op} {condition.right}" if condition else self.settings.expr

    @property
    def watch(self) -> Watch:
        """The rule as the state machine knows it."""
        setting = self.settings
        op = self.condition.op if self.condition else ""
        return Watch(setting.name, self.asked, op, setting.severity, setting.for_ or 0)

    def state(self, alerts: int, evaluated: Micros | None = None, error: str = "") -> RuleState:
        """The rule as people see it, with its open alerts and how its last evaluation went."""
        setting = self.settings
        return RuleState(
            name=setting.name,
            expr=setting.expr,
            severity=setting.severity,
            for_us=setting.for_ or 0,
            enabled=setting.enabled,
            evaluated=evaluated,
            error=self.error or error,
            alerts=alerts,
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a rule. `fatal` where it cannot be evaluated."""

    rule: str
    message: str
    fatal: bool


def compile_rule(setting: RuleSettings, engine: Engine) -> Rule:
    """The rule with its condition. One that does not parse is kept, with its error."""
    warnings = tuple(
        f"nothing can be filled in for {place}; known are $value, $threshold and $labels.NAME"
        for place in unfillable(setting.summary)
    )
    try:
        condition = Condition.parse(setting.expr)
        # The whole, so that an error points into what was written.
        engine.check(setting.expr)
    except MonitorError as error:
        message = error.pointed() if isinstance(error, QueryError) else error.message
        hint = f" ({error.hint})" if error.hint else ""
        lines = [clean(line, _MAX_LINE) for line in (message + hint).splitlines()]
        return Rule(setting, None, "\n".join(lines), warnings)
    left, right = windowed(condition.left), windowed(condition.right)
    return Rule(setting, replace(condition, left=left, right=right), warnings=warnings)


def windowed(query: str) -> str:
    """The query with `WINDOW` wherever it names no range. Raises `QueryError`."""
    node = parse(query)
    known = _windowed(node)
    return query if known == node else str(known)


def _windowed(node: Node) -> Node:
    match node:
        case Aggregate() if node.of.window is None:
            return replace(node, of=replace(node.of, window=WINDOW))
        case Unary():
            return replace(node, operand=_windowed(node.operand))
        case Binary():
            return replace(node, left=_windowed(node.left), right=_windowed(node.right))
        case _:
            return node


def compile_rules(settings: Iterable[RuleSettings], engine: Engine) -> tuple[Rule, ...]:
    """All rules, broken ones too, in their order."""
    return tuple(compile_rule(setting, engine) for setting in settings)


def check(settings: Iterable[RuleSettings], engine: Engine) -> list[Problem]:
    """What is wrong with the rules; disabled ones are looked at as well."""
    problems: list[Problem] = []
    for rule in compile_rules(settings, engine):
        if rule.error:
            problems.append(Problem(rule.name, rule.error, fatal=True))
        problems.extend(Problem(rule.name, text, fatal=False) for text in rule.warnings)
    return problems


def read(rule: Rule, engine: Engine, at: Micros) -> list[Reading]:
    """What the rule says at one instant, one reading per set of labels. Blocks on the store.

    Raises `QueryError` or `StoreError` from the engine, and `MonitorError` when the rule's own labels make
    two sets equal or when it holds for more than `MAX_ALERTS` sets.
    """
    condition = rule.condition
    assert condition is not None, "only a rule with a condition can be read"
    left, right = engine.instant(condition.left, at), engine.instant(condition.right, at)
    unit = left.unit or right.unit
    holds = _COMPARE[condition.op]
    readings: list[Reading] = []
    for series, value, threshold in _pairs(left, right):
        labels = alert_labels(series, rule.settings.labels)
        summary = _summary(rule, labels, value, threshold, unit)
        readings.append(Reading(labels, value, threshold, holds(value, threshold), unit, summary))
    _refuse_twins(readings)
    return readings


def alert_labels(series: Labels, own: Mapping[str, str]) -> dict[str, str]:
    """An alert's labels: the series' known ones, and the rule's over them."""
    known = {name: value for name, value in series if value and name != "__name__"}
    return known | {name: clean(value) for name, value in own.items() if value}


def _pairs(left: Result, right: Result) -> Iterable[tuple[Labels, float, float]]:
    """(labels, left, right) of series with equal labels; a lone unlabelled side meets every series."""
    lefts, rights = _known(left), _known(right)
    if set(rights) == {()}:
        return [(labels, value, rights[()]) for labels, value in lefts.items()]
    if set(lefts) == {()}:
        return [(labels, lefts[()], threshold) for labels, threshold in rights.items()]
    return [(labels, value, rights[labels]) for labels, value in lefts.items() if labels in rights]


def _known(result: Result) -> dict[Labels, float]:
    """Values that are there; NaN is no data either."""
    values = ((series.labels, series.value) for series in result.series)
    return {labels: value for labels, value in values if value is not None and value == value}


def _summary(rule: Rule, labels: dict[str, str], value: float, threshold: float, unit: str) -> str:
    text = rule.settings.summary
    if text:
        return fill(text, labels, value, threshold, unit)
    return default_summary(rule.name, labels, value, rule.watch.op, threshold, unit)


def _refuse_twins(readings: Sequence[Reading]) -> None:
    seen = {tuple(sorted(reading.labels.items())) for reading in readings}
    if len(seen) < len(readings):
        raise MonitorError(
            "the rule's labels make two alerts look the same",
            hint="leave out of `labels` what the expression groups by",
        )
    holding = sum(reading.holds for reading in readings)
    if holding > MAX_ALERTS:
        raise MonitorError(
            f"the rule holds for {holding} sets of labels; {MAX_ALERTS} are allowed",
            hint="group by fewer labels",
        )
