"""The newest calls, read in pieces: the same as read at once, whatever comes meanwhile."""

import random

import pytest

from tests.query.test_reading import EDGE_QUESTIONS, NOW, Counting, single
from tui_monitor.model.call import Call
from tui_monitor.model.clock import SECOND
from tui_monitor.model.timerange import Span
from tui_monitor.query import pieces, reading
from tui_monitor.store.api import Layer, WriteBatch
from tui_monitor.store.sealing import Limits


def drawn(chance, number, end):
    return Call(
        "t", str(number), ts_end=end, provider=chance.choice(("a", "b", None)),
        status=chance.choice(("success", "error")), latency_ms=chance.choice((None, 3.0, 900.0)),
        out_total=chance.randrange(99), cost=chance.choice((None, 7, 11)), model_served=chance.choice("mn"),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_each_look_sees_what_is_there_with_clocks_ahead_and_behind(store, clock, monkeypatch, seed):
    chance = random.Random(seed)
    monkeypatch.setattr(reading, "_FEW", 20)
    reader = Counting(store)
    recent = reading.RecentFacts(reader)
    for look in range(25):
        now = NOW + look * SECOND
        ends = [now + chance.randrange(-20 * SECOND, 4 * SECOND) for _ in range(12)]
        # Some are told again, and end elsewhere.
        calls = [drawn(chance, chance.randrange(look * 9 + 12), end) for end in ends]
        rates = [chance.choice((1, 1, 5)) for _ in calls]
        store.write(WriteBatch(calls=calls, rates=rates))
        if look == 15:
            store.seal(clock.now(), Limits(rows=40, head=40))
        for question in chance.sample(EDGE_QUESTIONS, 5):
            span = Span(now - chance.choice((12, 60, 61)) * SECOND, now)
            found = recent.facts(store.version(), Layer.RAW, span, *question)
            truth = store.facts(Layer.RAW, span, *question)
            assert single(found) == single(truth), (look, question)
    assert recent._joined._latest, "pieces were joined"


def test_what_did_not_change_is_read_once(store, monkeypatch):
    monkeypatch.setattr(reading, "_FEW", 20)
    chance = random.Random(1)
    now = NOW + 25 * SECOND
    store.write(WriteBatch(calls=[drawn(chance, n, now - n * SECOND // 10) for n in range(600)]))
    reader = Counting(store)
    recent = reading.RecentFacts(reader)
    span = Span(now - 60 * SECOND, now)
    for question in EDGE_QUESTIONS[:3]:
        recent.facts(store.version(), Layer.RAW, span, *question)
    reads = reader.reads
    assert reads == 1 + 60 * SECOND // pieces.PIECE
    for number in range(3):
        store.write(WriteBatch(calls=[drawn(chance, 1000 + number, now + (number + 1) * SECOND)]))
        later = Span(span.start, now + (number + 1) * SECOND)
        found = recent.facts(store.version(), Layer.RAW, later, *EDGE_QUESTIONS[number])
        assert len(found) == 601 + number
    assert reader.reads == reads + 3
