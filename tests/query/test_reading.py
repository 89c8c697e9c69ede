"""Facts kept in memory while the data does not change."""

import pytest

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import HOUR
from tui_monitor.query import reading
from tui_monitor.query.local import LocalEngine
from tui_monitor.store.api import WriteBatch

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
    monkeypatch.setattr(reading, "MAX_ROWS", 25)
    for hours in (20, 21, 22, 23):
        engine.instant(f"requests [{hours}h] by(model)", NOW)
    reads = reader.reads
    engine.instant("requests [23h] rate by(model)", NOW)
    assert reader.reads == reads, "the latest is kept"
    engine.instant("requests [20h] rate by(model)", NOW)
    assert reader.reads > reads, "the oldest made room"
