"""Rules: from a setting to a condition that the query engine answers."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from tui_monitor.alerts.machine import Reading, Watch
from tui_monitor.alerts.scope import budget_of, scope_of
from tui_monitor.alerts.template import KNOWN, comparison, default_summary, fill, unfillable, without_reason
from tui_monitor.config.settings import BudgetSettings, RuleSettings
from tui_monitor.model.alert import RuleState
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import MINUTE, Micros
from tui_monitor.model.errors import MonitorError, QueryError, UnknownMetric
from tui_monitor.model.text import clean
from tui_monitor.query.comparing import Compared, compare
from tui_monitor.query.condition import Condition
from tui_monitor.query.engine import Engine
from tui_monitor.query.result import Labels

WINDOW = 5 * MINUTE
"""Range of a rule's query that names none: an alert is about now."""
MAX_ALERTS = 500
"""Alerts of one rule at a time; more is a rule that groups too finely."""
_MAX_LINE = 2_000
_ALIKE = 0.8
"""From here on an unknown name is taken for a slip of the known one: `latancy`, `eror_rate`."""

Reason = Callable[[Mapping[str, str]], str]
"""Why something is as it is, by an alert's labels; empty where nothing is known."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as configured, with its condition, or with the error that keeps it from having one."""

    settings: RuleSettings
    condition: Condition | None
    error: str = ""
    """Why it cannot be evaluated: the expression with the place pointed at, then the message."""
    warnings: tuple[str, ...] = ()
    calendar: Calendar = field(default_factory=Calendar)
    """Whose days and hours the condition means."""
    shipped: bool = False
    enabled: bool = True
    unknown: str = ""
    """What is said of a metric that nobody has sent yet: the rule has no data until somebody does."""
    misspelt: bool = False
    """Whether that metric is most likely another one that is known."""

    @property
    def name(self) -> str:
        """Its name; unique."""
        return self.settings.name

    @property
    def watched(self) -> bool:
        """Whether it is evaluated."""
        return self.enabled and self.condition is not None

    @property
    def asked(self) -> str:
        """The condition as it is asked: with the ranges that were left out."""
        return str(self.condition) if self.condition else self.settings.expr

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
            enabled=self.enabled,
            evaluated=evaluated,
            error=self.error or error,
            alerts=alerts,
            shipped=self.shipped,
            summary=setting.summary,
            labels=dict(setting.labels),
        )


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a rule. `fatal` where it cannot be evaluated."""

    rule: str
    message: str
    fatal: bool


def compile_rule(
    setting: RuleSettings,
    engine: Engine,
    *,
    budgets: Sequence[BudgetSettings] = (),
    calendar: Calendar | None = None,
    shipped: bool = False,
    disabled: Collection[str] = (),
) -> Rule:
    """The rule with its condition. One that does not parse is kept, with its error.

    A metric that nobody has sent is no error: the rule has no data until somebody does.
    """
    rule = Rule(
        setting,
        None,
        warnings=tuple(
            f"nothing can be filled in for {place}; known are {', '.join(KNOWN)} and $labels.NAME"
            for place in unfillable(setting.summary)
        ),
        calendar=calendar or Calendar(),
        shipped=shipped,
        enabled=setting.enabled and setting.name not in disabled,
    )
    try:
        condition = condition_of(setting, budgets)
        missing = checked(condition, engine)
    except MonitorError as error:
        return replace(rule, error=_told(error))
    if missing is None:
        return replace(rule, condition=condition)
    return replace(rule, condition=condition, unknown=_told(missing), misspelt=misspelt(missing))


def condition_of(setting: RuleSettings, budgets: Sequence[BudgetSettings]) -> Condition:
    """The rule's condition as it is asked. Raises `QueryError`, or `MonitorError` for an unknown budget."""
    condition = Condition.parse(setting.expr)
    budget = budget_of(setting, condition, budgets)
    return condition.bound(WINDOW, budget and budget.amount_usd, scope_of(budget))


def checked(condition: Condition, engine: Engine) -> UnknownMetric | None:
    """The first metric that nobody has sent, if any. Raises `QueryError` for a senseless condition."""
    missing: UnknownMetric | None = None
    for tree in condition.trees():
        try:
            engine.check(condition.text, tree)
        except UnknownMetric as error:
            missing = missing or error
    return missing


def misspelt(error: UnknownMetric) -> bool:
    """Whether the metric is most likely a known one with a slip in it."""
    return SequenceMatcher(None, error.name, error.meant).ratio() >= _ALIKE


def _told(error: MonitorError) -> str:
    message = error.pointed() if isinstance(error, QueryError) else error.message
    hint = f" ({error.hint})" if error.hint else ""
    # The spaces before the mark are what points at the place.
    lines = (message + hint).splitlines()
    return "\n".join(" " * (len(line) - len(line.lstrip(" "))) + clean(line, _MAX_LINE) for line in lines)


def compile_rules(
    settings: Iterable[RuleSettings],
    engine: Engine,
    *,
    shipped: Iterable[RuleSettings] = (),
    disabled: Collection[str] = (),
    budgets: Sequence[BudgetSettings] = (),
    calendar: Calendar | None = None,
) -> tuple[Rule, ...]:
    """All rules, broken and disabled ones too: a person's own in their order, then the shipped ones.

    A rule of one's own replaces the shipped one of that name.
    """
    own = list(settings)
    names = {setting.name for setting in own}
    ours = [setting for setting in shipped if setting.name not in names]
    known = {"budgets": budgets, "calendar": calendar, "disabled": disabled}
    return (
        *(compile_rule(setting, engine, **known) for setting in own),
        *(compile_rule(setting, engine, **known, shipped=True) for setting in ours),
    )


def check(rules: Iterable[Rule]) -> list[Problem]:
    """What is wrong with the rules; disabled ones are looked at as well.

    A metric nobody has sent is an error where a known name is nearly the same. A shipped rule that a remote
    server cannot answer is none: nobody here has written it.
    """
    problems: list[Problem] = []
    for rule in rules:
        if rule.error:
            problems.append(Problem(rule.name, rule.error, fatal=not rule.shipped))
        if rule.unknown and not rule.shipped:
            problems.append(Problem(rule.name, rule.unknown, fatal=rule.misspelt))
        problems.extend(Problem(rule.name, text, fatal=False) for text in rule.warnings)
    return problems


def read(rule: Rule, engine: Engine, at: Micros, *, reason: Reason | None = None) -> list[Reading]:
    """What the rule says at one instant, one reading per set of labels. Blocks on the store.

    `reason` tells more about an alert with some labels. Raises `QueryError` or `StoreError` from the engine,
    and `MonitorError` when the rule's own labels make two sets equal or when it holds for more than
    `MAX_ALERTS` sets.
    """
    assert rule.condition is not None, "only a rule with a condition can be read"
    verdict = compare(rule.condition, engine, at, rule.calendar)
    readings = [_reading(rule, compared, verdict.unit, reason) for compared in verdict.series]
    _refuse_twins(readings)
    return readings


def _reading(rule: Rule, compared: Compared, unit: str, reason: Reason | None) -> Reading:
    labels = alert_labels(compared.labels, rule.settings.labels)
    value, threshold, text = compared.value, compared.threshold, rule.settings.summary
    if not compared.holds:
        # Nobody reads it, and there may be many.
        summary = ""
    elif text:
        told = comparison(value, rule.watch.op, threshold, compared.usual, unit)
        why = (reason(labels) if reason is not None else "") or without_reason(told, unit)
        summary = fill(text, labels, value, threshold, unit, why, told)
    else:
        summary = default_summary(rule.name, labels, value, rule.watch.op, threshold, unit)
    return Reading(labels, value, threshold, compared.holds, unit, summary)


def alert_labels(series: Labels, own: Mapping[str, str]) -> dict[str, str]:
    """An alert's labels: the series' known ones, and the rule's over them."""
    known = {name: value for name, value in series if value and name != "__name__"}
    return known | {name: clean(value) for name, value in own.items() if value}


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
