"""Answers that are kept: never another than a fresh one, and kept while what they rest on stays."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Put
from tests.examples import examples
from tui_monitor.config.settings import Retention
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock, Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.feed import Event, Retract, Sample, Start
from tui_monitor.model.timerange import Span
from tui_monitor.query.keeping import MOST, OPEN_SECONDS, ROOM, Keeping
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.noting import Rests
from tui_monitor.query.reading import RecentFacts
from tui_monitor.query.result import Result
from tui_monitor.store.api import ImportInfo, Part, WriteBatch
from tui_monitor.store.database import Store

NOON: Micros = 20_000 * DAY + 12 * HOUR

QUESTIONS = [
    "requests{} [3d] sum by(provider)",
    "cost{} [10d] sum",
    "latency{} [1d] p95 by(user)",
    "error_rate{} [2d]",
    "gauge [1d] avg by(host)",
    "requests_active{}",
    "llm_evaluation_score [4d] avg",
    "sum by (provider) (increase(llm_requests_total[2d]))",
    "llm_cost_usd_total",
    "last_over_time(gauge[1d])",
    "count(counter) or vector(0)",
    'requests{tier="a"} [3d]',
    "histogram_quantile(0.9, rate(llm_request_duration_seconds[1d]))",
]
INSTANTS = [NOON - 8 * DAY, NOON - 2 * DAY - HOUR, NOON]
ASKED = [(text, INSTANTS[number % len(INSTANTS)]) for number, text in enumerate(QUESTIONS * 2)]
"""Each question at two of the instants."""
SHORT = Retention.model_validate(
    {"raw": "5d", "minute": "6d", "hour": "8d", "day": "9d", "samples": "4d", "samples_steps": "9d"}
)

moments = st.sampled_from([-9, -6, -5, -3, -2, -1, 0, 0, 0]).flatmap(
    lambda days: st.integers(0, 23).map(lambda hours: NOON + days * DAY - hours * HOUR - 1)
)
keys = st.sampled_from("abcdef")


@st.composite
def calls(draw: st.DrawFn) -> Call:
    status = draw(st.sampled_from(["success", "success", "error"]))
    return Call(
        "test",
        draw(keys),
        ts_end=draw(moments),
        provider=draw(st.sampled_from(["openai", "anthropic"])),
        user=draw(st.sampled_from([None, "ada", "bob"])),
        status=status,
        error_category="timeout" if status == "error" else None,
        latency_ms=draw(st.sampled_from([5.0, 900.0])),
        cost_computed=draw(st.sampled_from([None, 7])),
        batch_id=draw(st.sampled_from([None, None, "import"])),
        attrs=draw(st.sampled_from([{}, {"tier": "a"}])),
    )


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    kind: Any = draw(st.sampled_from(["gauge", "counter"]))
    labels = {"host": draw(st.sampled_from("xy"))}
    return Sample(kind, draw(moments), float(draw(st.integers(0, 9))), labels, kind)


@st.composite
def events(draw: st.DrawFn) -> Event:
    return Event("score", draw(moments), "test", draw(keys), "helpful", float(draw(st.integers(0, 5))))


batches = st.one_of(
    st.lists(calls(), min_size=1, max_size=4).map(lambda found: WriteBatch(found, remember=True)),
    st.lists(samples(), min_size=1, max_size=4).map(lambda found: WriteBatch(samples=found)),
    st.lists(events(), min_size=1, max_size=3).map(lambda found: WriteBatch(events=found)),
    keys.map(lambda key: WriteBatch(retracts=[Retract("test", key)])),
    keys.map(lambda key: WriteBatch(starts=[Start("test", f"start {key}", NOON - MINUTE, "openai")])),
)


def _reprice(store: Store, clock: ManualClock) -> None:
    def price(call: Call) -> None:
        call.cost_computed = (call.cost_computed or 0) + 1

    store.reprice(NOON - 4 * DAY, price)


def _undo(store: Store, clock: ManualClock) -> None:
    try:
        store.undo_import("import")
    except MonitorError:
        # Some of it is gone, or all was taken back before.
        store.seal(clock.now())


DEEDS: list[Callable[[Store, ManualClock], object]] = [
    lambda store, clock: store.retain(SHORT, clock.now()),
    lambda store, clock: store.seal(clock.now()),
    lambda store, clock: store.forget("user", "ada", "me"),
    lambda store, clock: clock.advance(HOUR),
    lambda store, clock: clock.advance(2 * DAY),
    _reprice,
    _undo,
]
steps = st.lists(st.one_of(batches, batches, batches, st.sampled_from(DEEDS)), min_size=3, max_size=9)


@settings(
    max_examples=examples(4),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(steps)
def test_a_kept_answer_is_never_another_than_a_fresh_one(done: list[Any]) -> None:
    with TemporaryDirectory() as folder, closing(_opened(Path(folder))) as store:
        clock = store._clock
        assert isinstance(clock, ManualClock)
        beside = Store.open(store.path, write=False, clock=clock)
        keeping = [LocalEngine(reader, Calendar(), clock=clock) for reader in (store, beside)]
        store.begin_import(ImportInfo("import", NOON, ("f",), "csv", 0))
        for step in done:
            if isinstance(step, WriteBatch):
                store.write(step)
            else:
                step(store, clock)
            fresh = LocalEngine(store, Calendar(), clock=clock)
            for text, at in ASKED:
                wanted = answer(fresh, text, at)
                for engine in keeping:
                    assert answer(engine, text, at) == wanted, (text, at)
        beside.close()


def _opened(folder: Path) -> Store:
    return Store.open(folder / "monitor.db", write=True, clock=ManualClock(NOON))


def answer(engine: LocalEngine, text: str, at: Micros) -> Result | str:
    """What it says, an error too. From where it came is not compared: a kept one may have come from cells."""
    try:
        return replace(engine.instant(text, at), layers=())
    except MonitorError as error:
        return error.message


class Counting:
    """How often the store is read for an answer."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads = 0
        for name in ("facts", "samples", "sampled", "events"):
            monkeypatch.setattr(store, name, self._counted(getattr(store, name)))

    def _counted(self, read: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **named: Any) -> Any:
            self.reads += 1
            return read(*args, **named)

        return counted

    def during(self, do: Callable[[], object]) -> int:
        """Reads while it is done."""
        before = self.reads
        do()
        return self.reads - before


@pytest.fixture
def counting(store: Store, monkeypatch: pytest.MonkeyPatch) -> Counting:
    return Counting(store, monkeypatch)


def test_an_answer_about_the_past_outlives_what_comes_today(
    store: Store, engine: LocalEngine, put: Put, clock: ManualClock, counting: Counting
) -> None:
    now = clock.now()
    put(now - 3 * DAY, "openai", 3)
    store.write(WriteBatch(samples=[Sample("gauge", now - 3 * DAY, 1.0, {}, "gauge")]))
    asked = ["requests{} [3d] sum", "sum(increase(llm_requests_total[1d]))", "gauge", "gauge [1d] max"]
    for text in asked:
        assert counting.during(lambda text=text: engine.instant(text, now - 2 * DAY)) > 0
    put(now, "openai")
    store.write(WriteBatch(samples=[Sample("gauge", now, 1.0, {}, "gauge")]))
    store.write(WriteBatch(events=[Event("score", now, "test", "e", "s", 1.0)]))
    for text in asked:
        assert counting.during(lambda text=text: engine.instant(text, now - 2 * DAY)) == 0, text
    put(now - 3 * DAY, "openai")
    assert engine.instant(asked[0], now - 2 * DAY).scalar == 4


def test_an_answer_about_this_moment_is_kept_a_minute(
    store: Store, clock: ManualClock, put: Put, counting: Counting
) -> None:
    engine, now = LocalEngine(store, Calendar(), clock=clock), clock.now()
    put(now - HOUR, "openai")

    def ask() -> object:
        return engine.instant("gauge or sum(increase(llm_requests_total[1d]))", now)

    assert counting.during(ask) > 0
    assert counting.during(ask) == 0
    clock.advance(int(OPEN_SECONDS * SECOND) + SECOND)
    assert counting.during(ask) > 0


def test_calls_under_way_are_asked_again_when_anything_happens(
    store: Store, engine: LocalEngine, clock: ManualClock
) -> None:
    now = clock.now()
    store.write(WriteBatch(starts=[Start("test", "s", now - MINUTE, "openai")]))
    assert engine.instant("requests_active{}", now).scalar == 1
    store.write(WriteBatch([Call("test", "s", ts_end=now, provider="openai", status="success")]))
    assert engine.instant("requests_active{}", now).scalar in (None, 0)


@pytest.fixture
def keeping(store: Store, clock: ManualClock) -> Keeping:
    return Keeping(store, RecentFacts(store), clock)


def test_only_so_many_and_so_much_is_kept(keeping: Keeping, store: Store) -> None:
    rests = Rests(store.version(), (), ())
    for number in range(MOST + 10):
        keeping.keep(number, number, rests, 10)
    assert keeping.get(9) is None
    assert keeping.get(10) == 10
    for number in range(8):
        keeping.keep(("large", number), number, rests, ROOM // 4)
    assert [number for number in range(8) if keeping.get(("large", number)) is not None] == [4, 5, 6, 7]
    assert keeping.get(MOST) is None
    keeping.keep("too large", 1, rests, ROOM)
    assert keeping.get("too large") is None


def test_what_changed_while_it_was_made_is_not_kept(keeping: Keeping, put: Put, clock: ManualClock) -> None:
    now = clock.now()
    put(now, "openai")
    noting = keeping.noting()
    noting.note("raw", Span(now - DAY, now))
    put(now, "openai")
    keeping.keep("key", 1, noting.rests(), 1)
    assert keeping.get("key") is None
    keeping.keep("key", 1, Rests(noting.seen, (Part("raw", Span(now - 3 * DAY, now - 2 * DAY)),), ()), 1)
    assert keeping.get("key") == 1


def test_what_is_asked_for_stays_longest(keeping: Keeping, store: Store) -> None:
    rests = Rests(store.version(), (), ())
    for number in range(4):
        keeping.keep(number, number, rests, ROOM // 4)
    assert keeping.get(0) == 0
    keeping.keep("new", 1, rests, ROOM // 4)
    assert [keeping.get(key) is not None for key in (0, 1, 2, 3, "new")] == [True, False, True, True, True]


def test_an_answer_in_the_place_of_another_takes_its_room(keeping: Keeping, store: Store) -> None:
    rests = Rests(store.version(), (), ())
    keeping.keep("other", 1, rests, 1)
    for number in range(9):
        keeping.keep("same", number, rests, ROOM // 4)
    assert keeping.get("same") == 8
    assert keeping.get("other") == 1


def test_what_no_longer_holds_gives_its_room_back(keeping: Keeping, put: Put, clock: ManualClock) -> None:
    now = clock.now()
    for _ in range(9):
        noting = keeping.noting()
        noting.note("raw", Span(now - DAY, now - HOUR))
        keeping.keep("goes", 1, noting.rests(), ROOM // 4)
        put(now - 2 * HOUR, "openai")
        assert keeping.get("goes") is None
    rests = Rests(noting.seen, (), ())
    for number in range(4):
        keeping.keep(number, number, rests, ROOM // 4)
    assert [keeping.get(number) for number in range(4)] == [0, 1, 2, 3]


def test_of_one_version_it_is_asked_once(
    keeping: Keeping, store: Store, put: Put, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    noting = keeping.noting()
    noting.note("raw", Span(now - 2 * DAY, now - DAY))
    keeping.keep("key", 1, noting.rests(), 1)
    put(now, "openai")
    asked: list[int] = []
    changed = store.changed
    monkeypatch.setattr(store, "changed", lambda *given: asked.append(1) or changed(*given))
    assert [keeping.get("key") for _ in range(3)] == [1, 1, 1]
    assert len(asked) == 1


@pytest.mark.parametrize(("end", "open_"), [(-1, False), (0, True), (1, True)])
def test_what_ends_now_or_later_is_open(keeping: Keeping, clock: ManualClock, end: int, open_: bool) -> None:
    noting = keeping.noting()
    noting.note("raw", Span(clock.now() - DAY, clock.now() + end))
    keeping.keep("key", 1, noting.rests(), 1)
    clock.advance(60 * SECOND)
    assert keeping.get("key") == 1
    clock.advance(SECOND)
    assert keeping.get("key") == (None if open_ else 1)
