"""Lists of calls: page by page, counted, ended early, and honest about what is no longer kept."""

import threading

import pytest

from tui_monitor.config.settings import Retention
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, MINUTE
from tui_monitor.model.feed import Retract
from tui_monitor.model.timerange import Span
from tui_monitor.query.promql.limits import QueryCancelled
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.sealing import Limits

NOW = 1_773_835_200_000_000
ALL = Span(0, NOW)


def write(store, count: int, every: int = 4) -> None:
    """Calls of which some have one time."""
    calls = [Call("t", str(n), ts_end=NOW - n // every * MINUTE, provider="openai") for n in range(count)]
    store.write(WriteBatch(calls))


@pytest.mark.parametrize("sealed", [False, True])
def test_pages_tell_every_call_once(store, engine, sealed):
    write(store, 50)
    if sealed:
        store.seal(NOW, Limits(rows=8, head=0, age=0, identities=0))
    told, after = [], None
    while True:
        page = engine.calls("provider=openai", ALL, 3, after=after)
        told += [call.source_key for call in page.calls]
        after = page.after
        if after is None:
            break
        assert len(page.calls) == 3
    whole = engine.calls("provider=openai", ALL, 100)
    assert told == [call.source_key for call in whole.calls]
    assert sorted(told, key=int) == [str(n) for n in range(50)]
    assert engine.count_calls("provider=openai", ALL) == 50
    assert engine.count_calls("provider=openai", Span(NOW - 2 * MINUTE, NOW)) == 8
    assert engine.count_calls("provider=mistral", ALL) == 0


@pytest.mark.parametrize("sealed", [False, True])
def test_calls_of_one_instant_come_once_whatever_comes_or_goes_between_pages(store, engine, sealed):
    def same(*keys: str) -> None:
        found = [Call("test", key, ts_end=NOW - MINUTE, provider="openai", status="success") for key in keys]
        store.write(WriteBatch(found))

    same(*"abcdef")
    if sealed:
        store.seal(NOW, Limits(rows=2, head=0, age=0, identities=0))
    first = engine.calls("where", ALL, 3)
    same("late")
    store.write(WriteBatch(retracts=[Retract("test", "e"), Retract("test", "b")]))
    store.write(WriteBatch([Call("test", "c", ts_end=NOW - MINUTE, provider="openai", status="error")]))
    second = engine.calls("where", ALL, 3, after=first.after)
    assert [call.source_key for call in (*first.calls, *second.calls)] == list("fedca")
    assert second.after is None


def test_a_list_is_no_longer_than_it_may_be(store, engine, monkeypatch):
    write(store, 20)
    monkeypatch.setattr("tui_monitor.query.filters.rows.MOST", 7)
    page = engine.calls("where", ALL, 1_000_000)
    assert len(page.calls) == 7
    assert page.after is not None


def test_one_that_nobody_wants_any_more_ends(store, engine):
    write(store, 20)
    store.seal(NOW, Limits(rows=4, head=0, age=0, identities=0))
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(QueryCancelled):
        engine.calls("user=nobody", ALL, 5, cancel=cancel)
    with pytest.raises(QueryCancelled):
        engine.count_calls("user=nobody", ALL, cancel=cancel)


def test_what_is_gone_is_said(store, engine, clock):
    write(store, 20)
    assert engine.calls("where", Span(NOW - DAY, NOW), 5).warnings == ()
    clock.advance(200 * DAY)
    store.write(WriteBatch([Call("t", "late", ts_end=clock.now(), provider="openai")]))
    store.retain(Retention(), clock.now())
    answer = engine.calls("where", Span(0, clock.now()), 5)
    assert [call.source_key for call in answer.calls] == ["late"]
    assert "no longer all kept" in answer.warnings[0]
