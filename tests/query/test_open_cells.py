"""Cells that are not over yet answer up to now: all that they hold is booked before."""

from query_oracle import answer, random_calls

from tests.conftest import Put
from tui_monitor.config.settings import Retention
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.query.local import LocalEngine
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

WINDOWS = {"2m": 2 * MINUTE, "1h": HOUR, "3h": 3 * HOUR, "1d": DAY}
ASKED = [("requests", "sum"), ("cost", "sum"), ("latency", "max"), ("latency", "min"), ("error_rate", "avg")]


def test_as_calls_come_each_answer_up_to_now_is_exact(store: Store, clock: ManualClock) -> None:
    engine = LocalEngine(store, Calendar(), clock=clock)
    start, end = clock.now() - DAY, clock.now() + 3 * MINUTE
    calls = sorted(random_calls(7, 900, start, end), key=lambda call: call.booked)
    old = [call for call in calls if call.booked <= clock.now()]
    store.write(WriteBatch(calls=old))
    told = len(old)
    for _ in range(9):
        clock.advance(20 * SECOND + 7)
        at = clock.now()
        new = [call for call in calls[told:] if call.booked <= at]
        if new:
            store.write(WriteBatch(calls=new))
        told += len(new)
        for metric, how in ASKED:
            for text, length in WINDOWS.items():
                result = engine.instant(f"{metric} [{text}] {how} by(provider)", at)
                found = {(series.label("provider"),): series.value for series in result.series}
                wanted = answer(calls[:told], metric, how, ("provider",), at - length, at)
                assert {k: v for k, v in found.items() if v is not None} == {
                    k: v for k, v in wanted.items() if v is not None
                }, (metric, how, text)


def test_single_calls_are_read_at_the_end_only_where_one_is_booked_behind_it(
    put: Put, engine: LocalEngine, clock: ManualClock
) -> None:
    now = clock.now() + 30 * SECOND
    put(now - HOUR, "openai")
    put(now, "openai", 2)
    start = now // MINUTE * MINUTE - 10 * MINUTE
    assert engine.range("requests", start, now, MINUTE).layers == ("minute",)
    put(now + SECOND, "openai")
    result = engine.range("requests", start, now, MINUTE)
    assert (result.layers, result.series[0].values[-1]) == (("minute", "raw"), 2)
    # A day begins a microsecond before its first hour does.
    assert engine.instant("requests [today]", now + SECOND).layers == ("hour", "minute", "raw")
    assert engine.instant("requests [today] by(user)", now + SECOND).layers == ("hour", "raw")


def test_where_the_minutes_are_gone_the_day_that_is_not_over_answers(
    put: Put, engine: LocalEngine, store: Store, clock: ManualClock
) -> None:
    now = clock.now() + 30 * MINUTE
    put(now - 40 * MINUTE, "openai", 3)
    put(now, "openai", 2)
    clock.advance(10 * DAY)
    store.retain(Retention.model_validate({"raw": "1d", "minute": "2d"}), clock.now())
    result = engine.instant("requests [today]", now + SECOND)
    assert (result.scalar, result.warnings, result.layers) == (5, (), ("day",))
