"""Imports: counted, taken back whole, and equal to the file."""

import csv
import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from store_helpers import EVER, a_call, check_layers, read, total, write

from tests.store.conftest import Opener
from tui_monitor.model.call import Call
from tui_monitor.model.clock import ManualClock, from_datetime
from tui_monitor.model.errors import MonitorError, NotFound
from tui_monitor.store.api import ImportInfo, Layer, WriteBatch
from tui_monitor.store.database import Store


def info(batch_id: str, clock: ManualClock) -> ImportInfo:
    """An import of one file."""
    return ImportInfo(batch_id, clock.now(), ("a.csv", "b.csv"), "csv", 0, shift_us=5)


def test_undo_takes_out_what_the_import_brought_and_no_more(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    pushed = [a_call("p1", now, call_keys=("k",)), a_call("p2", now)]
    write(store, *pushed)
    store.begin_import(info("one", clock))
    mine = [a_call("i1", now, source="import", batch_id="one", call_keys=("k",), user="x")]
    mine += [a_call(f"i{i}", now + i, source="import", batch_id="one") for i in range(2, 30)]
    write(store, *mine, remember=True)
    clock.advance(1)
    store.begin_import(info("two", clock))
    again = [a_call(f"i{i}", now + i, source="import", batch_id="two") for i in range(20, 40)]
    write(store, *again, remember=True)
    assert [(i.batch_id, i.stored, i.undone, i.files, i.shift_us) for i in store.imports()] == [
        ("two", 10, None, ("a.csv", "b.csv"), 5),
        ("one", 29, None, ("a.csv", "b.csv"), 5),
    ]
    assert store.undo_import("one") == 29
    check_layers(store, [*pushed, *again[10:]])
    assert store.imports()[1].undone == clock.now()
    assert [o.value for o in write(store, *mine).calls] == ["merged"] + ["stored"] * 28


def test_labels_go_with_the_import_that_brought_them(store: Store, clock: ManualClock) -> None:
    store.begin_import(info("one", clock))
    kept = a_call("p", clock.now(), user="ada")
    write(store, kept, a_call("i", clock.now(), user="bob", batch_id="one"))
    assert store.label_values("user") == ["ada", "bob"]
    store.undo_import("one")
    assert store.label_values("user") == ["ada"]
    check_layers(store, [kept])
    write(store, a_call("i", clock.now(), user="bob"))
    assert store.label_values("user") == ["ada", "bob"]


def test_an_import_that_is_not_there(store: Store, clock: ManualClock) -> None:
    with pytest.raises(NotFound, match="no import 'x'"):
        store.undo_import("x")
    store.begin_import(info("x", clock))
    assert store.undo_import("x") == 0
    with pytest.raises(MonitorError, match="already"):
        store.undo_import("x")


def test_an_undo_that_stopped_halfway_tells_what_is_left(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.begin_import(info("big", clock))
    calls = [a_call(f"i{i}", clock.now() + i, source="import", batch_id="big") for i in range(30)]
    write(store, *calls, remember=True)
    write(store, a_call("i0", clock.now() + 5, source="import", batch_id="big", user="ada"))
    assert store.imports()[0].stored == 30
    monkeypatch.setattr("tui_monitor.store.writing._UNDO_STEP", 12)
    steps = iter([1, 2])
    monkeypatch.setattr("tui_monitor.store.changes.Changes.save", lambda *_: next(steps))
    with pytest.raises(StopIteration):
        store.undo_import("big")
    monkeypatch.undo()
    assert (store.imports()[0].stored, store.extent().calls) == (6, 6)
    assert store.undo_import("big") == 6
    assert store.imports()[0].stored == 0


def test_undo_in_several_transactions(store: Store, clock: ManualClock) -> None:
    store.begin_import(info("big", clock))
    calls = [
        a_call(f"i{i}", clock.now() + i * 1_000_000, source="import", batch_id="big") for i in range(6_000)
    ]
    store.write(WriteBatch(calls=calls, remember=True))
    assert store.undo_import("big") == 6_000
    check_layers(store, [])
    assert store.extent().first is None


def _rows(file: Path) -> list[tuple[int, int, int]]:
    """(µs, input, output) of each row, read as plainly as can be."""
    with gzip.open(file, "rt") as lines:
        return [
            (_micros(r["TIMESTAMP"]), int(r["ContextTokens"]), int(r["GeneratedTokens"]))
            for r in csv.DictReader(lines)
        ]


def _micros(text: str) -> int:
    moment = datetime.strptime(text[:26], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    return from_datetime(moment)


def test_a_real_trace_adds_up_on_every_layer(opener: Opener, shared: Path, clock: ManualClock) -> None:
    rows = {name: _rows(shared / "data" / "azure-llm-2023" / f"{name}.csv.gz") for name in ("code", "conv")}
    assert sum(map(len, rows.values())) == 23_177
    store = opener(zone="Europe/Berlin")
    calls = [
        Call(
            "import",
            f"{name}-{i}",
            ts_start=t,
            provider="azure",
            model_served=name,
            in_uncached=tokens,
            out_total=out,
        )
        for name, values in rows.items()
        for i, (t, tokens, out) in enumerate(values)
    ]
    for at in range(0, len(calls), 10_000):
        store.write(WriteBatch(calls=calls[at : at + 10_000], remember=True))
    for layer in Layer:
        for name, values in rows.items():
            facts = store.facts(
                layer, EVER, (), ("calls", "input", "output", "latency"), where={"model": name}
            )
            assert total(facts) == len(values)
            assert total(facts, "input") == sum(tokens for _, tokens, _ in values)
            assert total(facts, "output") == sum(out for _, _, out in values)
            assert not facts.numbers["latency"].known.any(), "an unknown latency is not 0"
    minutes = read(store, Layer.MINUTE)
    one = int(minutes.end[len(minutes) // 2])
    inside = [tokens for values in rows.values() for t, tokens, _ in values if one - 60_000_000 < t <= one]
    assert int(minutes.numbers["input"].total[minutes.end == one].sum()) == sum(inside)
    assert {o.value for o in store.write(WriteBatch(calls=calls[:5000], remember=True)).calls} == {
        "duplicate"
    }
