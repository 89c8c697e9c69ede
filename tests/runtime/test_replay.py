"""The demo's database: made, marked, caught up, filled backwards, and never a user's."""

import asyncio
from pathlib import Path

import pytest

from tests.conftest import Put
from tui_monitor.config.load import Settings, load
from tui_monitor.model.clock import HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.model.demo import MARK, origin_of
from tui_monitor.model.timerange import Span
from tui_monitor.runtime import demo
from tui_monitor.runtime.collector import Collector
from tui_monitor.sources.demo.plan import Calls
from tui_monitor.store.database import Store


@pytest.fixture
def made(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Path]:
    """A demo whose past is short: two hours before the screen, four in all."""
    monkeypatch.setattr(demo, "_DAY", 2 * HOUR)
    monkeypatch.setattr(demo, "_FIRST", 2 * HOUR)
    monkeypatch.setattr(demo, "SOON", 4 * HOUR)
    monkeypatch.setattr(demo, "PAST", 4 * HOUR)
    settings, path = load(), tmp_path / "demo" / "monitor.db"
    demo.prepare(settings, path, clock, lambda what, share: None, whole=False)
    return settings, path


def stored(path: Path, clock: ManualClock, span: Span) -> int:
    store = Store.open(path, write=False, clock=clock)
    try:
        return store.raw_count(span)
    finally:
        store.close()


def planned(store_path: Path, clock: ManualClock, span: Span) -> int:
    store = Store.open(store_path, write=False, clock=clock)
    try:
        plan = demo.Plan.of(store.offset(MARK))
    finally:
        store.close()
    assert plan is not None
    found = Calls(plan).between(span)
    return 0 if found is None else len(found)


def test_it_is_filled_caught_up_and_made_anew(made: tuple[Settings, Path], clock: ManualClock) -> None:
    settings, path = made
    began = clock.now()
    assert stored(path, clock, Span(0, began - 2 * HOUR)) == 0
    assert stored(path, clock, Span(0, began)) == planned(path, clock, Span(began - 2 * HOUR, began)) > 1000
    clock.advance(MINUTE)
    demo.prepare(settings, path, clock, lambda what, share: None, whole=False)
    assert stored(path, clock, Span(began, clock.now())) == 0, "what was missed just now is the replay's"
    clock.advance(9 * MINUTE)
    demo.prepare(settings, path, clock, lambda what, share: None, whole=False)
    missed = Span(began, clock.now())
    assert stored(path, clock, missed) == planned(path, clock, missed) > 10
    demo.prepare(settings, path, clock, lambda what, share: None, whole=True)
    whole = Span(began - 4 * HOUR, clock.now())
    assert stored(path, clock, Span(0, clock.now())) == planned(path, clock, whole)
    clock.advance(2 * HOUR)
    demo.prepare(settings, path, clock, lambda what, share: None, whole=False)
    assert stored(path, clock, Span(0, clock.now() - 2 * HOUR)) == 0


async def test_the_collector_replays_it_and_fills_in_the_past(
    made: tuple[Settings, Path], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, path = made
    monkeypatch.setattr(demo, "_PACE_S", 0.01)
    began = clock.now()
    collector = Collector(settings, path, clock=clock, sources=[])
    await collector.start()
    try:
        clock.advance(5 * MINUTE)
        whole = Span(began - 4 * HOUR, clock.now())
        expected = await asyncio.to_thread(planned, path, clock, whole)
        async with asyncio.timeout(30):
            while collector.store.raw_count(whole) < expected:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        clock.advance(SECOND)
        assert collector.store.raw_count(whole) == expected
        rows = {row.name: row for row in collector.rows()}
        assert "demo" in rows
        assert rows["demo"].errors == 0
    finally:
        await collector.stop()


async def test_nothing_is_replayed_into_a_database_of_ones_own(
    tmp_path: Path, clock: ManualClock, put: Put, store: Store
) -> None:
    assert demo.replay_in(store, load(), clock) == {}
    assert origin_of(store.offset(MARK)) == ""
