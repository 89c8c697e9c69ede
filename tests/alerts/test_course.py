"""Sparks and charts of alerts show what their rules compared."""

import pytest

from tests.alerts.test_evaluator import evaluator, only
from tui_monitor.alerts.course import MOST_INSTANTS, instants
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND
from tui_monitor.model.timerange import Span
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.result import Result

RULE = {"name": "busy", "expr": "requests [1h] sum by(provider) > 2"}


class Counting(LocalEngine):
    """Notes the instants it is asked for."""

    def __init__(self, *given) -> None:
        super().__init__(*given)
        self.asked: list[int] = []

    def instant(self, text: str, at: int) -> Result:
        if "requests" in text:
            self.asked.append(at)
        return super().instant(text, at)


@pytest.fixture
def engine(store):
    from tui_monitor.model.calendar import Calendar

    return Counting(store, Calendar())


async def test_a_spark_is_of_the_rules_own_window_and_ends_in_what_was_compared(
    engine, alert_store, clock, put
):
    # One call every ten minutes: in windows of five minutes it would be 0 and 1 by turns.
    for minutes in range(0, 120, 10):
        put(clock.now() - minutes * MINUTE, "openai")
    looker = evaluator(engine, alert_store, clock, RULE)
    await looker.run_once()
    alert = only(looker)
    assert (alert.value, alert.spark) == (6, (6,) * 12)
    asked = len(engine.asked)
    put(clock.now() + 30 * SECOND, "openai", 4)
    clock.advance(MINUTE)
    await looker.run_once()
    alert = only(looker)
    assert alert.spark == (*((6,) * 11), 10)
    assert alert.spark[-1] == alert.value
    assert len(engine.asked) == asked + 1, "what is known of the past is not asked again"
    clock.advance(4 * MINUTE)
    await looker.run_once()
    clock.advance(MINUTE)
    await looker.run_once()
    assert only(looker).spark[-2:] == (10, 10)
    assert len(engine.asked) == asked + 3


async def test_a_second_alert_of_a_rule_has_its_past_too(engine, alert_store, clock, put):
    for minutes in (50, 40, 30):
        put(clock.now() - minutes * MINUTE, "google")
    put(clock.now(), "openai", 5)
    looker = evaluator(engine, alert_store, clock, RULE)
    await looker.run_once()
    clock.advance(MINUTE)
    put(clock.now(), "anthropic", 3)
    await looker.run_once()
    sparks = {alert.labels["provider"]: alert.spark for alert in looker.view().alerts}
    assert sparks["google"] == (1, 1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3)
    assert sparks["anthropic"] == (*((None,) * 11), 3)


@pytest.mark.parametrize("length", [MINUTE, 5 * MINUTE, HOUR, DAY, 90 * DAY])
@pytest.mark.parametrize("points", [1, 24, 60, 5_000])
def test_instants_of_a_chart_lie_on_the_grid_and_are_few(clock, length, points):
    now = clock.now() + 17 * SECOND
    span = Span(now - length, now)
    found = instants(span, points, MINUTE)
    assert 0 < len(found) <= min(points, MOST_INSTANTS)
    assert found[-1] == clock.now()
    assert all(at % MINUTE == 0 and span.start < at <= span.end for at in found)
    assert found == sorted(set(found))
