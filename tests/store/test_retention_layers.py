"""What goes when, and that nobody takes a part for the whole."""

from dataclasses import replace

import pytest
from store_helpers import EVER, a_call, check_layers, contents, expected, read, total, write

from tests.store.conftest import Opener
from tui_monitor.config.settings import Retention
from tui_monitor.model.clock import DAY, HOUR, MINUTE, ManualClock
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.feed import Event, Retract, Sample
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import ImportInfo, Layer, Outcome, WriteBatch
from tui_monitor.store.database import Store


def test_each_layer_goes_in_its_own_time(store: Store, clock: ManualClock) -> None:
    start = clock.now()
    calls = []
    for day in range(100):
        calls.append(a_call(f"c{day}", clock.now()))
        write(store, calls[-1])
        clock.advance(DAY)
    now = clock.now()
    report = store.retain(Retention(), now)
    assert (report.calls, report.cells[Layer.MINUTE], report.cells[Layer.HOUR]) == (10 + 1, 70 + 1, 0)
    assert total(read(store, Layer.RAW)) == 89
    assert total(read(store, Layer.MINUTE)) == 29
    assert contents(read(store, Layer.DAY)) == expected(calls, Layer.DAY)
    held = store.holdings()
    assert not held[Layer.RAW].complete(Span(start - 1, start))
    assert not held[Layer.RAW].complete(Span(start + 5 * DAY, start + 6 * DAY))
    assert held[Layer.RAW].complete(Span(now - 89 * DAY, now))
    assert held[Layer.MINUTE].complete(Span(now - 29 * DAY, now))
    assert not held[Layer.MINUTE].complete(Span(now - 40 * DAY, now))
    assert held[Layer.HOUR].complete(EVER)
    assert (store.extent().calls, store.extent().first) == (100, start)
    assert store.retain(Retention(), now).total == 0


def test_what_is_dropped_bit_by_bit_is_one_hole(store: Store, clock: ManualClock) -> None:
    for _ in range(30):
        write(store, a_call(f"c{clock.now()}", clock.now()))
        clock.advance(5 * HOUR)
        store.retain(Retention.model_validate({"raw": "2d", "minute": "1d", "hour": "3d"}), clock.now())
    held = store.holdings()
    assert [len(held[layer].gone) for layer in Layer] == [1, 1, 1, 0]


def test_an_old_trace_just_imported_stays(store: Store, clock: ManualClock) -> None:
    old = [a_call(f"c{i}", clock.now() - 800 * DAY + 1 + i) for i in range(10)]
    write(store, *old, remember=True)
    assert store.retain(Retention(), clock.now()).total == 0
    check_layers(store, old)
    clock.advance(29 * DAY)
    assert store.retain(Retention(), clock.now()).total == 0
    clock.advance(2 * DAY)
    assert store.retain(Retention(), clock.now()).cells[Layer.MINUTE] == 1


def test_a_call_whose_minute_is_gone_is_corrected_and_taken_back(store: Store, clock: ManualClock) -> None:
    old = [a_call(f"c{i}", clock.now() - i * HOUR) for i in range(3)]
    write(store, *old)
    clock.advance(40 * DAY)
    store.retain(Retention(), clock.now())
    assert contents(read(store, Layer.MINUTE)) == {}
    right = replace(old[0], cost=7, out_total=3)
    assert write(store, right).calls == [Outcome.CORRECTED]
    # The minute counts what came since, not what it had forgotten.
    assert contents(read(store, Layer.MINUTE)) == expected([right], Layer.MINUTE)
    assert store.write(WriteBatch(retracts=[Retract("events:app", "c1")])).retracts == [Outcome.RETRACTED]
    for layer in (Layer.HOUR, Layer.DAY):
        assert contents(read(store, layer)) == expected([right, old[2]], layer)


def test_remembered_calls_are_known_when_their_rows_are_gone(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    file, pushed = a_call("f", now, source="import", call_keys=("k",)), a_call("p", now)
    write(store, file, remember=True)
    write(store, pushed)
    clock.advance(100 * DAY)
    assert store.retain(Retention(), clock.now()).calls == 2
    days = contents(read(store, Layer.DAY))
    assert write(store, file, remember=True).calls == [Outcome.DUPLICATE]
    changed = a_call("f", now, source="import", out_total=99)
    assert write(store, changed, remember=True).calls == [Outcome.LATE]
    assert write(store, a_call("other", now, call_keys=("k",))).calls == [Outcome.LATE]
    assert store.write(WriteBatch(retracts=[Retract("import", "f")])).retracts == [Outcome.LATE]
    assert contents(read(store, Layer.DAY)) == days
    assert write(store, pushed).calls == [Outcome.STORED]
    clock.advance(302 * DAY)
    assert store.retain(Retention(), clock.now()).identities == 2, "its own and its call key"
    assert write(store, file, remember=True).calls == [Outcome.STORED]


def test_a_dropped_cell_is_not_made_negative(store: Store, clock: ManualClock) -> None:
    """A minute dropped while its raw calls stay: changes of those must not reach a later cell of it."""
    old = clock.now()
    write(store, a_call("a", old), a_call("b", old))
    clock.advance(31 * DAY)
    assert store.retain(Retention(), clock.now()).cells[Layer.MINUTE] == 1
    write(store, a_call("late", old))
    assert total(read(store, Layer.MINUTE)) == 1
    store.write(WriteBatch(retracts=[Retract("events:app", "a")]))
    assert total(read(store, Layer.MINUTE)) == 1
    store.write(WriteBatch(retracts=[Retract("events:app", "late")]))
    assert len(read(store, Layer.MINUTE)) == 0
    assert contents(read(store, Layer.HOUR)) == expected([a_call("b", old)], Layer.HOUR)


def test_new_prices_do_not_bring_dropped_cells_back(store: Store, clock: ManualClock) -> None:
    old = clock.now()
    write(store, a_call("a", old), a_call("b", old + MINUTE))
    clock.advance(31 * DAY)
    store.retain(Retention(), clock.now())
    report = store.reprice(old - 1, lambda call: setattr(call, "cost", 5))
    assert (report.looked_at, report.changed, report.cost_before, report.cost_after) == (2, 2, 2000, 10)
    assert len(read(store, Layer.MINUTE)) == 0
    assert total(read(store, Layer.HOUR), "cost") == 10


def test_the_oldest_calls_go_when_there_is_too_much(store: Store, clock: ManualClock) -> None:
    for i in range(10):
        calls = [a_call(f"c{i}-{j}", clock.now() + j, attrs={"x": "y" * 300}) for j in range(1000)]
        write(store, *calls)
        clock.advance(MINUTE)
    size = store.size_bytes()
    report = store.retain(Retention(size=size // 2), clock.now())
    assert store.size_bytes() <= size // 2
    assert report.calls in range(2_000, 9_000)
    left = read(store, Layer.RAW)
    assert total(left) == 10_000 - report.calls
    assert left.end.min() > clock.now() - 10 * MINUTE + 999
    assert total(read(store, Layer.HOUR)) == 10_000
    assert not store.holdings()[Layer.RAW].complete(EVER)


def test_space_is_given_back(opener: Opener, clock: ManualClock) -> None:
    store = opener()
    for i in range(6):
        calls = [a_call(f"c{i}-{j}", clock.now() + j, attrs={"x": "y" * 2000}) for j in range(1000)]
        write(store, *calls)
    store.close()
    large = store.path.stat().st_size
    again = opener()
    clock.advance(91 * DAY)
    again.retain(Retention(), clock.now())
    again.close()
    assert store.path.stat().st_size < large / 1.2


def test_an_import_that_is_partly_gone_cannot_be_undone(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    store.begin_import(ImportInfo("load", now, ("f.csv",), "csv", 0))
    write(store, a_call("a", now, batch_id="load"), remember=True)
    clock.advance(91 * DAY)
    write(store, a_call("b", clock.now(), batch_id="load"), remember=True)
    store.retain(Retention(), clock.now())
    with pytest.raises(MonitorError, match="1 of its calls"):
        store.undo_import("load")
    assert total(read(store, Layer.DAY)) == 2


def test_old_samples_just_imported_stay_as_calls_do(store: Store, clock: ManualClock) -> None:
    then = clock.now() - 800 * DAY
    store.write(
        WriteBatch(samples=[Sample("cpu", then, 1.0, batch_id="old"), Sample("cpu", clock.now(), 2.0)])
    )
    (series,) = store.series()
    assert store.retain(Retention(), clock.now()).samples == 0
    clock.advance(29 * DAY)
    assert store.retain(Retention(), clock.now()).samples == 0
    assert store.samples([series.id], EVER)[series.id][1].tolist() == [1.0, 2.0]
    clock.advance(2 * DAY)
    assert store.retain(Retention(), clock.now()).samples == 2
    assert store.samples([series.id], EVER)[series.id][1].tolist() == []
    assert store.sample_steps([series.id], EVER)[series.id].mean.tolist() == [1.0, 2.0]
    clock.advance(369 * DAY + HOUR)
    assert store.retain(Retention(), clock.now()).steps == 2, "imported and pushed ones apart"
    assert store.series() == []


def test_samples_and_events_go_too(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    mark = Event("mark", now, "events:a", "m1", "deploy")
    store.write(WriteBatch(samples=[Sample("cpu", now, 1.0), Sample("gone", now, 1.0)], events=[mark]))
    clock.advance(20 * DAY)
    store.write(WriteBatch(samples=[Sample("cpu", clock.now(), 2.0)]))
    clock.advance(11 * DAY)
    assert store.retain(Retention.model_validate({"samples_steps": "30d"}), clock.now()).samples == 2
    assert [s.name for s in store.series()] == ["cpu"]
    assert store.events("mark", EVER) == [mark]
    clock.advance(60 * DAY)
    assert store.retain(Retention(), clock.now()).events == 1
    store.write(WriteBatch(samples=[Sample("gone", clock.now(), 3.0)]))
    assert [s.name for s in store.series()] == ["cpu", "gone"], "one has steps left"
