"""Views of one moment: what is asked together is answered together, whoever writes in between."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.runtime.collecting import settings_for
from tui_monitor.model.call import NANO, Call
from tui_monitor.model.clock import MINUTE, ManualClock
from tui_monitor.model.timerange import Span
from tui_monitor.monitor.viewing import viewing
from tui_monitor.query.local import LocalEngine
from tui_monitor.store.api import Layer, WriteBatch
from tui_monitor.store.database import Store

QUESTION = "requests{} [1h] sum"


def call(clock: ManualClock, key: str) -> Call:
    return Call(
        "test", key, ts_end=clock.now(), provider="openai", model_served="gpt-4o", in_uncached=10,
        out_total=1, cost=NANO, list_cost=NANO, cost_status="computed", status="success", latency_ms=5.0,
    )  # fmt: skip


def put(store: Store, clock: ManualClock, key: str) -> None:
    store.write(WriteBatch(calls=[call(clock, key)]))


def test_what_is_written_within_is_not_seen_before_its_end(store: Store, clock: ManualClock) -> None:
    put(store, clock, "a")
    with store.moment():
        before = store.version()
        put(store, clock, "b")
        with store.moment():
            assert store.version() == before
            assert store.extent().calls == 1
        span = Span(clock.now() - MINUTE, clock.now() + MINUTE)
        assert [c.source_key for c, _ in store.calls(span)] == ["a"]
        assert len(store.facts(Layer.RAW, span, (), ("cost",))) == 1
    assert store.version() > before
    assert store.extent().calls == 2


def test_it_begins_with_the_first_question_and_is_the_threads_own(store: Store, clock: ManualClock) -> None:
    with ThreadPoolExecutor(1) as other, store.moment():
        put(store, clock, "a")
        assert store.extent().calls == 1
        put(store, clock, "b")
        assert other.submit(lambda: store.extent().calls).result() == 2
        assert store.extent().calls == 1


def test_a_moment_that_ends_in_an_error_holds_nothing(store: Store, clock: ManualClock) -> None:
    def fail() -> None:
        with store.moment():
            assert store.extent().calls == 0
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    put(store, clock, "a")
    assert store.extent().calls == 1


def test_answers_that_others_kept_meanwhile_are_not_of_this_moment(
    store: Store, engine: LocalEngine, clock: ManualClock
) -> None:
    put(store, clock, "a")
    with ThreadPoolExecutor(1) as other, store.moment():
        store.version()
        put(store, clock, "b")
        # Kept by the engine, and its facts too.
        assert other.submit(lambda: engine.instant(QUESTION, clock.now()).scalar).result() == 2
        assert engine.instant(QUESTION, clock.now()).scalar == 1
        assert engine.instant("cost{} [1h] sum", clock.now()).scalar == 1
    assert engine.instant(QUESTION, clock.now()).scalar == 2


@pytest.mark.parametrize("view", ["costs", "status"])
async def test_a_view_is_of_one_moment(
    view: str, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call costs 1 USD: spend and calls must be one number, in every period."""
    store = Store.open(tmp_path / "monitor.db", write=True, clock=clock)
    store.write(WriteBatch(calls=[call(clock, "first")]))
    asked: list[str] = []
    async with viewing(settings_for(store.path), store.path, clock) as monitor:
        instant = monitor._engine.instant

        def write_and_ask(text: str, at: int) -> object:
            store.write(WriteBatch(calls=[call(clock, f"call {len(asked)}")]))
            asked.append(text)
            return instant(text, at)

        monkeypatch.setattr(monitor._engine, "instant", write_and_ask)
        costs = await monitor.costs() if view == "costs" else (await monitor.status()).costs
    store.close()
    assert len(asked) > 3
    assert {(spend.cost, spend.list_cost) for spend in costs.spends} == {(costs.spends[0].calls,) * 2}
    assert len({spend.calls for spend in costs.spends}) == 1
