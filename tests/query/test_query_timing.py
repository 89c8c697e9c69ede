"""How long queries take: counted for who asks, and the slow ones remembered with what they read."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import Put
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import HOUR, MINUTE, MS, SECOND, ManualClock
from tui_monitor.model.errors import QueryError
from tui_monitor.model.timerange import Span
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.evaluate.context import Semantics
from tui_monitor.query.promql.limits import QueryCancelled
from tui_monitor.query.timing import BOUNDS, MOST_SLOW, Timing, asked_by
from tui_monitor.store.database import Store


@pytest.fixture
def timing(clock: ManualClock) -> Timing:
    return Timing(clock, 500 * MS)


@pytest.fixture
def timed(store: Store, clock: ManualClock, timing: Timing) -> LocalEngine:
    """An engine to whose questions every one is slow."""
    timing.slow = 0.0
    return LocalEngine(store, Calendar(), clock=clock, timing=timing)


@contextmanager
def taking(timing: Timing, clock: ManualClock, text: str, seconds: float) -> Iterator[None]:
    with timing.noting(text):
        yield
        clock.advance(round(seconds * SECOND))


def test_each_question_counts_for_who_asks(timing: Timing, clock: ManualClock) -> None:
    for who, seconds in (("screen", 0.002), ("screen", 0.3), ("rule p95 too high", 0.0), ("a stranger", 90)):
        with asked_by(who), taking(timing, clock, "requests{}", seconds):
            pass

    found = timing.durations()
    assert found["screen"].counts[BOUNDS.index(0.0025)] == 1
    assert found["screen"].counts[BOUNDS.index(0.5)] == 1
    assert found["screen"].sum == pytest.approx(0.302)
    assert sum(found["rule"].counts) == 1
    assert found["collector"].counts[-1] == 1, "a name that nobody knows makes no label of its own"


def test_a_slow_one_is_remembered_and_a_quick_one_is_not(timing: Timing, clock: ManualClock) -> None:
    with asked_by("http grafana"), taking(timing, clock, "slow\x1b[31m \u202equery" + "x" * 9_999, 0.5):
        pass
    with taking(timing, clock, "quick", 0.499):
        pass

    (slow,) = timing.slowest()
    assert slow.who == "http grafana"
    assert slow.seconds == pytest.approx(0.5)
    assert "\x1b" not in slow.text
    assert "\u202e" not in slow.text
    assert len(slow.text) <= 2_000
    assert timing.stats().slow == 1


def test_the_list_is_bounded_and_the_newest_come_first(timing: Timing, clock: ManualClock) -> None:
    for number in range(MOST_SLOW + 5):
        with taking(timing, clock, f"query {number}", 1):
            pass

    assert len(timing.slowest()) == MOST_SLOW
    assert timing.slowest()[0].text == f"query {MOST_SLOW + 4}"
    assert timing.stats().slow == MOST_SLOW + 5


def test_quantiles_are_of_the_last_quarter_of_an_hour(timing: Timing, clock: ManualClock) -> None:
    assert timing.stats().p50 is None
    with taking(timing, clock, "old", 9):
        pass
    clock.advance(HOUR)
    for millis in range(1, 101):
        with taking(timing, clock, "new", millis / 1_000):
            pass

    stats = timing.stats()
    assert stats.p50 == pytest.approx(0.050, rel=0.0055)
    assert stats.p95 == pytest.approx(0.095, rel=0.0055)
    assert stats.longest == pytest.approx(0.1)
    assert stats.asked == 101


def test_the_longest_of_these_minutes_is_not_crowded_out(timing: Timing, clock: ManualClock) -> None:
    with taking(timing, clock, "long ago", 9):
        pass
    clock.advance(2 * MINUTE)
    with taking(timing, clock, "long", 2):
        pass
    clock.advance(13 * MINUTE)
    for _ in range(20_000):
        timing.add("screen", 0.001, "answered")

    assert timing.stats().longest == pytest.approx(9)
    clock.advance(2 * MINUTE)
    assert timing.stats().longest == pytest.approx(2)
    assert timing.stats().p95 == pytest.approx(0.001, rel=0.0055)


def test_what_a_query_read_is_told_with_it(
    timed: LocalEngine, timing: Timing, clock: ManualClock, put: Put
) -> None:
    now = clock.now()
    put(now - SECOND, "openai", 3)
    put(now - SECOND, "google", 1)
    timed.range("requests{} sum by(provider)", now - HOUR, now, 600 * SECOND)
    timed.calls("provider=openai", Span(now - HOUR, now), 10)
    timed.count_calls("provider=google", Span(now - HOUR, now))
    budget = timed.plain.budget(threading.Event())
    timed.plain.instant("llm_requests_total", now, budget, Semantics(), timed.keeping.noting())

    plain, counted, listed, ranged = timing.slowest()
    assert (ranged.steps, ranged.series) == (6, 2)
    assert ranged.samples > 0
    assert listed.calls == 3
    assert counted.calls == 1
    assert (plain.text, plain.series) == ("llm_requests_total", 2)


def test_one_that_failed_or_was_cancelled_says_so(
    timed: LocalEngine, timing: Timing, clock: ManualClock
) -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(QueryCancelled):
        timed.calls("provider=openai", Span(0, clock.now()), 10, cancel=cancel)
    with pytest.raises(QueryError):
        timed.instant("latancy{}", clock.now())

    failed, cancelled = timing.slowest()
    assert cancelled.outcome == "cancelled"
    assert failed.outcome == "failed"
    assert "latancy" in failed.error
    assert (timing.stats().failed, timing.stats().cancelled) == (1, 1)


def test_an_answer_of_before_is_counted_as_such(timed: LocalEngine, clock: ManualClock, put: Put) -> None:
    put(clock.now() - HOUR, "openai")
    for _ in range(3):
        timed.instant("requests{} [1h] sum", clock.now() - 60 * SECOND)

    assert (timed.keeping.hits, timed.keeping.misses) == (2, 1)
    assert timed.timing.stats().asked == 3
