"""What one query may cost: it is asked before memory is taken, and whoever cancels is heard."""

import random
import threading
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import Put
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.model.errors import MonitorError, QueryError
from tui_monitor.model.feed import Sample
from tui_monitor.model.timerange import Span
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql import counting
from tui_monitor.query.promql.ast import Matcher
from tui_monitor.query.promql.evaluate.context import Semantics
from tui_monitor.query.promql.limits import Limits, QueryCancelled, QueryLimit
from tui_monitor.query.regex import Pattern, PatternError
from tui_monitor.store.api import Layer, WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.series import reading
from tui_monitor.store.series.cached import SampleCache

SERIES = 40
TIMES = 50


@pytest.fixture
def sampled(store: Store, clock: ManualClock, put: Put) -> Store:
    """Series `gauge` with values that are all different, up to now; and some calls."""
    for tick in range(TIMES):
        clock.advance(15 * SECOND)
        store.write(
            WriteBatch(
                samples=[
                    Sample("gauge", clock.now(), n + tick / 100, {"n": str(n), "host": f"h{n % 4}"}, "gauge")
                    for n in range(SERIES)
                ]
            )
        )
    put(clock.now() - HOUR, "openai", 3)
    return store


def limited(store: Store, clock: ManualClock, **limits: Any) -> LocalEngine:
    return LocalEngine(store, Calendar(), Limits(**limits), clock)


def joined(times: int) -> str:
    """An expression whose label doubles so often."""
    text = 'label_replace(vector(1), "a", "12345678", "", "")'
    for _ in range(times):
        text = f'label_join({text}, "a", "", "a", "a")'
    return text


def test_labels_that_double_again_and_again_are_refused(store: Store, clock: ManualClock) -> None:
    engine = limited(store, clock, samples=100_000)
    assert engine.instant(joined(10), clock.now()).series
    with pytest.raises(QueryLimit):
        engine.instant(joined(60), clock.now())


def test_a_template_that_becomes_too_long_is_refused(store: Store, clock: ManualClock) -> None:
    long = "$1" * 2000
    text = f'label_replace({joined(8)}, "a", "{long}", "a", "(.*)")'
    with pytest.raises(QueryError, match="1,000,000"):
        limited(store, clock).instant(text, clock.now())


def test_counted_values_are_paid_for(sampled: Store, clock: ManualClock) -> None:
    engine, now = limited(sampled, clock, samples=50_000), clock.now()
    assert engine.instant('count_values("v", gauge)', now).series
    with pytest.raises(QueryLimit):
        engine.range('count_values("v", gauge)', now - 750 * SECOND, now, 15 * SECOND)


def test_samples_are_paid_for_before_they_are_read(
    sampled: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "floats", lambda *_: pytest.fail("they were read"))
    for text in ("gauge[1h]", '{__name__=~".+"}[1h]'):
        plain = limited(sampled, clock, samples=SERIES * TIMES - 1).plain
        budget = plain.budget(threading.Event())
        with pytest.raises(QueryLimit):
            plain.instant(text, clock.now(), budget, Semantics(), plain.keeping.noting())


def test_only_the_share_of_a_chunk_is_paid_for(sampled: Store, clock: ManualClock) -> None:
    now = clock.now()
    clock.advance(2 * DAY)
    sampled.seal(clock.now())
    engine = limited(sampled, clock, samples=SERIES * 30)
    assert engine.instant("count(gauge + 0)", now).scalar == SERIES
    assert engine.instant("count(gauge + 0)", now - 300 * SECOND).scalar == SERIES


def test_virtual_samples_of_many_years_are_refused(sampled: Store, clock: ManualClock) -> None:
    with pytest.raises(QueryLimit):
        limited(sampled, clock, samples=1_000_000).instant(
            "max_over_time(llm_requests_total[200y])", clock.now()
        )


def test_the_index_of_series_stops_early(
    sampled: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    series = sampled.series

    def counted(*args: Any) -> Any:
        found = series(*args)
        seen.append(len(found))
        return found

    monkeypatch.setattr(sampled, "series", counted)
    plain = limited(sampled, clock, series=10).plain
    listing = plain.listing(plain.budget(threading.Event()))
    with pytest.raises(QueryLimit):
        listing.series([(Matcher("__name__", "=", "gauge"),)], clock.now() - DAY, clock.now())
    assert seen == [11]


@dataclass
class Leaving(threading.Event):
    """Set by itself when it was looked at so often."""

    left: int
    looks: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def is_set(self) -> bool:
        """As `threading.Event`."""
        self.looks += 1
        return self.looks > self.left


EVALUATED = [
    "gauge",
    "gauge + on(n) gauge",
    "sum by(host) (rate(gauge[5m]))",
    "max_over_time(sum(gauge)[10m:15s])",
    "quantile by(host) (0.5, gauge)",
    'count_values("v", gauge)',
    'label_replace(gauge, "a", "$1", "n", "(.*)")',
    'label_join(gauge, "a", "-", "n", "host")',
    'gauge{n=~"1.*"}',
    "topk by(host) (1, gauge)",
    "increase(llm_requests_total[1h])",
    "histogram_quantile(0.5, rate(llm_request_duration_seconds[1h]))",
    "requests{} [1h] sum by(provider)",
    "gauge [10m] avg by(host)",
    'baseline(gauge, "3d")',
]


@pytest.mark.parametrize("text", EVALUATED)
def test_a_cancelled_query_ends_wherever_it_is(sampled: Store, clock: ManualClock, text: str) -> None:
    """After each look but the last: an evaluation that looks once only at its beginning fails."""
    limited(sampled, clock).instant(text, clock.now())
    every = Leaving(1 << 30)
    limited(sampled, clock).instant(text, clock.now(), cancel=every)
    assert every.looks >= 2
    for left in range(0, every.looks, max(1, every.looks // 7)):
        with pytest.raises(QueryCancelled):
            limited(sampled, clock).instant(text, clock.now(), cancel=Leaving(left))


@pytest.mark.parametrize(
    "rates",
    ["rate(llm_request_duration_seconds[5m])", "sum by(le) (rate(llm_request_duration_seconds_bucket[5m]))"],
)
def test_histograms_of_many_instants_are_made_in_stretches(
    store: Store, clock: ManualClock, put: Put, monkeypatch: pytest.MonkeyPatch, rates: str
) -> None:
    """The whole table is one piece of work of seconds; how it is parted changes no answer."""
    for minute in range(60):
        put(clock.now() - minute * MINUTE, "openai", 1 + minute % 3, latency_ms=50.0 + minute * 40)
    query = f"max_over_time(histogram_quantile(0.9, {rates})[1h:15s])"
    few, many = Leaving(1 << 30), Leaving(1 << 30)
    whole = limited(store, clock).instant(query, clock.now(), cancel=few)
    monkeypatch.setattr(counting, "_CELLS", 100)
    parted = limited(store, clock).instant(query, clock.now(), cancel=many)
    assert parted.series[0].values == whole.series[0].values
    assert many.looks > few.looks + 240


def test_reading_calls_and_their_sums_looks_whether_it_is_still_wanted(
    sampled: Store, clock: ManualClock
) -> None:
    """Between the parts of what is read: one reading of many calls takes seconds."""
    ever = Span(0, clock.now())
    for layer in (Layer.RAW, Layer.HOUR):
        looks: list[int] = []
        sampled.facts(layer, ever, ["provider"], ["calls", "cost"], check=lambda seen=looks: seen.append(1))
        assert looks

        def leave() -> None:
            raise QueryCancelled("no longer wanted")

        with pytest.raises(QueryCancelled):
            sampled.facts(layer, ever, ["provider"], ["calls", "cost"], check=leave)


def test_series_and_labels_are_listed_until_cancelled(sampled: Store, clock: ManualClock) -> None:
    plain = limited(sampled, clock).plain
    every = Leaving(1 << 30)
    matchers = [(Matcher("n", "=~", ".*1.*"),)]
    plain.listing(plain.budget(every)).series(matchers, 0, clock.now())
    assert every.looks > SERIES
    with pytest.raises(MonitorError):
        plain.listing(plain.budget(Leaving(3))).series(matchers, 0, clock.now())


def test_who_waits_for_another_reader_of_samples_can_leave(sampled: Store, clock: ManualClock) -> None:
    cache = SampleCache()
    cache._lock.acquire()
    looks: list[int] = []

    def afford(_samples: int) -> None:
        looks.append(1)
        raise QueryCancelled("left")

    with sampled._read() as conn, pytest.raises(QueryCancelled):
        cache.sampled(conn, "gauge", Span(0, clock.now()), lambda *_: pytest.fail("it read"), afford)
    assert looks


@pytest.mark.parametrize(
    "pattern", ["(?:(?:(?:){1000}){1000}){1000}", "(?:(?:){1000}){1000}", "(a{1000}){1000}", "a|" * 9_000]
)
def test_repetitions_of_nothing_do_not_take_forever(pattern: str) -> None:
    with pytest.raises(PatternError, match="too large"):
        Pattern(pattern)


def test_what_a_pattern_remembers_is_bounded() -> None:
    pattern, draw = Pattern("(?:.*a.{900}|.*b.{901}c)x"), random.Random(1)
    for _ in range(4):
        pattern.matches("".join(draw.choice("ab") for _ in range(1_000)))
    assert sum(len(states) for states in pattern._cache.values()) <= 50_000


def test_labels_are_those_of_series_in_the_range(sampled: Store, clock: ManualClock) -> None:
    now = clock.now()
    sampled.write(WriteBatch(samples=[Sample("old", now - 3 * DAY, 1.0, {"gone": "yes"}, "gauge")]))
    plain = limited(sampled, clock).plain
    listing = plain.listing(plain.budget(threading.Event()))
    assert {"gone", "n", "host", "provider", "__name__"} <= set(listing.names())
    assert "gone" not in listing.names(now - DAY, now)
    assert listing.values("gone") == ["yes"]
    assert listing.values("gone", now - DAY, now) == []
    before = listing.names(now - 4 * DAY, now - 2 * DAY)
    assert before == ["__name__", "gone"]
    assert listing.values("__name__", now - 4 * DAY, now - 2 * DAY) == ["old"]
    assert listing.values("provider", now - DAY, now) == ["openai"]
    assert listing.values("provider", 0, now - 2 * DAY) == []
