"""Facts kept in memory while the data does not change."""

import pytest

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND
from tui_monitor.model.errors import StoreError
from tui_monitor.model.feed import Retract
from tui_monitor.model.timerange import Span
from tui_monitor.query import reading
from tui_monitor.query.local import LocalEngine
from tui_monitor.store.api import Layer, WriteBatch
from tui_monitor.store.sealing import Limits

NOW = 1_773_835_200_000_000


class Counting:
    """A reader that counts how often facts are read."""

    def __init__(self, store):
        self._store = store
        self.reads = 0

    def __getattr__(self, name):
        return getattr(self._store, name)

    def facts(self, *args):
        self.reads += 1
        return self._store.facts(*args)


@pytest.fixture
def counting(store):
    store.write(
        WriteBatch(calls=[Call("t", str(i), ts_end=NOW - i * HOUR, latency_ms=i) for i in range(1, 50)])
    )
    reader = Counting(store)
    return reader, LocalEngine(reader, Calendar())


def test_quantiles_of_the_same_calls_read_them_once(counting):
    reader, engine = counting
    values = [engine.instant(f"latency [20h] {how}", NOW).scalar for how in ("p50", "p90", "p99")]
    assert values == [pytest.approx(v, rel=0.01) for v in (10, 18, 19)]
    assert reader.reads == len(engine.instant("latency [20h] p50", NOW).layers)


def test_what_was_written_since_is_seen(counting, store):
    reader, engine = counting
    before = engine.instant("latency [20h] count", NOW).scalar
    store.write(WriteBatch(calls=[Call("t", "new", ts_end=NOW, latency_ms=5.0)]))
    reads = reader.reads
    assert engine.instant("latency [20h] count", NOW).scalar == before + 1
    assert reader.reads > reads


def test_what_is_kept_is_bounded(counting, monkeypatch):
    reader, engine = counting
    monkeypatch.setattr(reading, "MAX_ROWS", 4 * reading._EACH)
    for hours in (20, 21, 22, 23):
        engine.instant(f"requests [{hours}h] by(model)", NOW)
    reads = reader.reads
    engine.instant("requests [23h] rate by(model)", NOW)
    assert reader.reads == reads, "the latest is kept"
    engine.instant("requests [20h] rate by(model)", NOW)
    assert reader.reads > reads, "the oldest made room"


def test_of_answers_without_a_row_not_any_number_is_kept(store, monkeypatch):
    monkeypatch.setattr(reading, "MAX_ROWS", 50 * reading._EACH)
    recent, version = reading.RecentFacts(store), store.version()
    for day in range(200):
        span = Span(NOW - (day + 1) * DAY, NOW - day * DAY)
        assert not len(recent.facts(version, Layer.HOUR, span, ["user"], ["calls"], [], {}))
    assert len(recent._kept) == 50


EDGE = Span(NOW - 10 * SECOND - MINUTE, NOW - 10 * SECOND)
"""A minute that is none of the clock, with ten calls."""


def read_at_edge(recent, store, labels, measures, histograms, where, span=EDGE):
    return recent.facts(store.version(), Layer.RAW, span, labels, measures, histograms, where)


@pytest.fixture
def edge(store):
    """Calls of the last minute and before, some of which know little, one of which stands for five."""
    calls = [
        Call(
            "t", str(number), ts_end=EDGE.end - number * MINUTE // 10, provider=("a", "b", None)[number % 3],
            status=("success", "error")[number % 2], latency_ms=number if number % 4 else None,
            out_total=number, cost=None if number == 3 else number,
            model_served=f"m{number % 2}",
        )
        for number in range(15)
    ]  # fmt: skip
    store.write(WriteBatch(calls=calls, rates=[5 if number == 2 else 1 for number in range(15)]))
    return store


EDGE_QUESTIONS = [
    (("provider",), ("calls", "latency"), ("latency",), {}),
    (("provider",), ("calls", "cost"), (), {}),
    ((), ("calls", "unpriced"), (), {}),
    (("model", "status", "error_category"), ("calls",), (), {}),
    (("provider",), ("calls", "output"), (), {}),
    (("provider",), ("calls", "output"), (), {"model": "m1"}),
    (("model",), ("calls", "input"), (), {"model": "m1"}),
    (("model", "user"), ("calls",), (), {}),
    (("provider",), ("calls", "latency"), ("latency",), {}),
]


def test_what_many_questions_ask_of_the_last_minute_is_read_together_and_alike(edge):
    reader = Counting(edge)
    recent = reading.RecentFacts(reader)
    for question in EDGE_QUESTIONS:
        found = read_at_edge(recent, edge, *question)
        truth = edge.facts(Layer.RAW, EDGE, *question)
        assert (set(found.labels), set(found.numbers)) == (set(truth.labels), set(truth.numbers))
        assert len(found) == (10 if not question[3] else 5)
        assert plain(found) == plain(truth), question
    # Of each filter the first as it is asked, and then all; and one that asks for what minutes do not know.
    assert reader.reads == 5


def plain(facts):
    """Everything there is in facts, as lists."""
    columns = {name: [c.values[code] for code in c.codes.tolist()] for name, c in facts.labels.items()}
    numbers = {
        name: [None if part is None else part.tolist() for part in (n.total, n.known)]
        for name, n in facts.numbers.items()
    }
    spread = {name: [h.row.tolist(), h.count.tolist()] for name, h in facts.histograms.items()}
    return facts.layer, facts.end.tolist(), facts.weight.tolist(), columns, numbers, spread


def test_a_column_that_nobody_asked_for_may_be_damaged(edge):
    class Damaged(Counting):
        def facts(self, layer, span, labels, measures, *args):
            if "cost" in measures:
                raise StoreError("damaged")
            return super().facts(layer, span, labels, measures, *args)

    recent = reading.RecentFacts(Damaged(edge))
    for measure in ("latency", "output", "input"):
        assert len(read_at_edge(recent, edge, ("provider",), ("calls", measure), (), {})) == 10
    with pytest.raises(StoreError):
        read_at_edge(recent, edge, ("provider",), ("calls", "cost"), (), {})


def test_what_came_into_the_last_minute_since_is_seen(edge):
    recent = reading.RecentFacts(edge)
    for measure in ("latency", "output", "input"):
        read_at_edge(recent, edge, ("provider",), ("calls", measure), (), {})
    edge.write(WriteBatch(calls=[Call("t", "new", ts_end=EDGE.end)]))
    for measure in ("latency", "output", "ttft"):
        assert len(read_at_edge(recent, edge, ("provider",), ("calls", measure), (), {})) == 11


def test_of_many_calls_no_more_is_read_than_is_asked_for(edge, monkeypatch):
    monkeypatch.setattr(reading, "_FEW", 9)
    monkeypatch.setattr(reading, "_MANY", 9)
    reader = Counting(edge)
    recent = reading.RecentFacts(reader)
    for measure in ("latency", "output", "input"):
        read_at_edge(recent, edge, ("provider",), ("calls", measure), (), {})
    assert reader.reads == 3


WHOLE = Span(NOW - MINUTE, NOW)


def single(facts):
    """Call by call in order of time: all that there is of each."""
    _, ends, weights, columns, numbers, _ = plain(facts)
    spread = {
        name: [
            [pair for at, *pair in zip(h.row, h.bucket, h.count, strict=True) if at == row]
            for row in range(len(ends))
        ]
        for name, h in facts.histograms.items()
    }
    several = [*columns.values(), *(part for parts in numbers.values() for part in parts if part)]
    return sorted(zip(ends, weights, *several, *spread.values(), strict=True), key=lambda one: one[0])


@pytest.mark.parametrize("sealed", [False, True])
def test_the_end_of_a_minute_is_cut_out_of_the_minute_as_the_window_moves_on(edge, clock, sealed):
    if sealed:
        assert edge.seal(clock.now(), Limits(rows=4, head=4)).calls
    late = Call("t", "late", ts_end=NOW - 50 * SECOND, provider="a", ttft_ms=5.0)
    edge.write(WriteBatch(calls=[late]))
    reader = Counting(edge)
    recent = reading.RecentFacts(reader)
    for second in range(0, 60, 7):
        for question in EDGE_QUESTIONS:
            span = Span(WHOLE.start + second * SECOND, WHOLE.end)
            found = read_at_edge(recent, edge, *question, span=span)
            assert single(found) == single(edge.facts(Layer.RAW, span, *question)), (second, question)
    users = sum("user" in question[0] for question in EDGE_QUESTIONS)
    # The first, then all of the minute; and what minutes do not know.
    assert reader.reads == 2 + users * len(range(0, 60, 7))


def test_the_minute_is_read_anew_after_a_call_came_into_it_and_only_then(edge):
    reader = Counting(edge)
    recent = reading.RecentFacts(reader)

    def rows(second):
        span = Span(WHOLE.start + second * SECOND, WHOLE.end)
        return len(read_at_edge(recent, edge, (), ("calls",), (), {}, span=span))

    before = [rows(second) for second in (0, 1, 2)]
    reads = reader.reads
    edge.write(WriteBatch(calls=[Call("t", "now", ts_end=NOW + HOUR)]))
    assert rows(0) == before[0]
    assert reader.reads == reads
    edge.write(WriteBatch(calls=[Call("t", "late", ts_end=NOW - SECOND)]))
    assert rows(0) == before[0] + 1
    edge.write(WriteBatch(retracts=[Retract("t", "late")]))
    assert rows(1) == before[1]


def test_a_minute_with_a_burst_before_the_window_is_read_whole_but_once(store, monkeypatch):
    monkeypatch.setattr(reading, "_LARGEST", 20)
    store.write(WriteBatch([Call("t", str(n), ts_end=WHOLE.start + SECOND + n) for n in range(30)]))
    whole = []

    class Watched(Counting):
        def facts(self, layer, span, *rest):
            whole.append(span == WHOLE)
            return super().facts(layer, span, *rest)

    recent = reading.RecentFacts(Watched(store))
    for second in range(10, 16):
        span = Span(WHOLE.start + second * SECOND, WHOLE.end)
        assert len(read_at_edge(recent, store, (), ("calls",), (), {}, span=span)) == 0
    assert sum(whole) == 1
