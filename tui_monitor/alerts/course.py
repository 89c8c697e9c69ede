"""What a rule compared over time: sparks of the last hour, and a chart over any range."""

from collections.abc import Mapping, Sequence

from tui_monitor.alerts import machine
from tui_monitor.alerts.machine import Reading
from tui_monitor.alerts.rules import Rule, compile_rule, read
from tui_monitor.config.settings import RuleSettings
from tui_monitor.model.alert import Alert
from tui_monitor.model.clock import HOUR, MINUTE, Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import Span, step_for
from tui_monitor.query.engine import Engine
from tui_monitor.query.result import Result, Series, labels_of

SPARK_STEP = 5 * MINUTE
SPARK_POINTS = HOUR // SPARK_STEP
MOST_INSTANTS = 60
"""Of one chart: at each the whole condition is asked."""

Spark = tuple[float | None, ...]
_Values = dict[str, float | None]
"""Fingerprint of an alert → value."""


class Sparks:
    """Remembers what each rule with open alerts read at the full five minutes of the last hour.

    What an evaluation read anyway is taken over; only an alert that is new makes the past be asked.
    """

    def __init__(self) -> None:
        self._past: dict[str, tuple[Rule, dict[Micros, _Values]]] = {}

    def draw(
        self, rule: Rule, alerts: Sequence[Alert], readings: Sequence[Reading], engine: Engine, at: Micros
    ) -> dict[str, Spark]:
        """Sparks of a rule's open alerts by fingerprint; the last point is what was read at `at`.

        Blocks on the store where an alert is new.
        """
        wanted = [alert.fingerprint for alert in alerts]
        if not wanted:
            self._past.pop(rule.name, None)
            return {}
        known, past = self._past.get(rule.name, (rule, {}))
        newest = (at - 1) // SPARK_STEP * SPARK_STEP
        instants = [newest - i * SPARK_STEP for i in range(SPARK_POINTS - 2, -1, -1)]
        if known != rule or any(not past.get(t, {}).keys() >= set(wanted) for t in instants):
            past = {t: _values(rule, _asked(rule, engine, t), wanted) for t in instants}
        now = _values(rule, readings, wanted)
        kept = {t: past[t] for t in instants}
        if at % SPARK_STEP == 0:
            kept[at] = now
        self._past[rule.name] = (rule, kept)
        return {print_: (*(past[t][print_] for t in instants), now[print_]) for print_ in wanted}

    def keep_only(self, names: Sequence[str]) -> None:
        """Forget the rules that are gone."""
        self._past = {name: past for name, past in self._past.items() if name in names}


def _asked(rule: Rule, engine: Engine, at: Micros) -> Sequence[Reading]:
    """What the rule says at an instant; nothing where it could not be asked then."""
    try:
        return read(rule, engine, at)
    except MonitorError:
        return ()


def _values(rule: Rule, readings: Sequence[Reading], wanted: Sequence[str]) -> _Values:
    found = {machine.fingerprint(rule.name, reading.labels): reading.value for reading in readings}
    return {print_: found.get(print_) for print_ in wanted}


def instants(span: Span, points: int, interval: Micros) -> list[Micros]:
    """Instants of the evaluations' grid in a span, evenly spaced, the newest last; 60 at most."""
    last = span.end // interval * interval
    points = max(1, min(points, MOST_INSTANTS))
    step = max(1, -(-step_for(span.length, points) // interval)) * interval
    return [t for i in range(points - 1, -1, -1) if (t := last - i * step) > span.start and t > 0]


def chart(rule: Rule | None, alert: Alert, engine: Engine, times: Sequence[Micros]) -> Result:
    """The value and the threshold of one alert at each instant, as they were compared. Blocks on the store.

    The series are told apart by the label `series`. Without its rule the alert's own expression is asked.
    Raises `MonitorError` where nothing can be asked.
    """
    rule = rule or compile_rule(RuleSettings(name=clean(alert.rule), expr=alert.expr), engine)
    if rule.condition is None:
        raise MonitorError(f"the rule {alert.rule} can no longer be asked: {rule.error.splitlines()[-1]}")
    pairs: list[tuple[float | None, float | None]] = []
    error: MonitorError | None = None
    unit = alert.unit
    for at in times:
        reading = None
        try:
            reading = _of(alert, rule, read(rule, engine, at))
        except MonitorError as met:
            error = met
        pairs.append((None, None) if reading is None else (reading.value, reading.threshold))
        unit = reading.unit if reading is not None else unit
    if error is not None and not any(value is not None for value, _ in pairs):
        raise error
    columns: Mapping[str, Spark] = {
        "value": tuple(value for value, _ in pairs),
        "threshold": tuple(threshold for _, threshold in pairs),
    }
    series = tuple(Series(labels_of(series=name), values) for name, values in columns.items())
    span = Span(times[0], times[-1]) if times else None
    return Result(alert.expr, "matrix", tuple(times), series, unit, span=span)


def _of(alert: Alert, rule: Rule, readings: Sequence[Reading]) -> Reading | None:
    """The reading of the alert's own labels; of a rule that has changed, the one that says most of them."""
    for reading in readings:
        if machine.fingerprint(rule.name, reading.labels) == alert.fingerprint:
            return reading
    near = [reading for reading in readings if reading.labels.items() <= alert.labels.items()]
    return max(near, key=lambda reading: len(reading.labels), default=None)
