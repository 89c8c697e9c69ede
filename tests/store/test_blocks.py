"""Packed roll-up cells are the same cells as rows, whatever is done with them."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_helpers import EVER, a_call, check_layers, contents, expected, read, write

from tui_monitor.config.settings import Retention
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.model.errors import StoreError
from tui_monitor.model.timerange import Span
from tui_monitor.store import blocks, histogram
from tui_monitor.store.api import HISTOGRAMS, MEASURES, Layer
from tui_monitor.store.checkup import check_up
from tui_monitor.store.database import Store
from tui_monitor.store.measures import CELL_COLUMNS
from tui_monitor.store.sealing import Limits
from tui_monitor.store.upkeep import faults

LAYERS = (Layer.MINUTE, Layer.HOUR, Layer.DAY)
PACK = Limits(age=0, cells=1)


def packed(store: Store) -> dict[str, int]:
    """Blocks of each layer; where there are any, no row is left beside them."""
    with store._read() as conn:
        return {layer.value: len(blocks.within(conn, layer)) for layer in LAYERS}


def rows(store: Store) -> int:
    with store._read() as conn:
        return sum(conn.execute(f"SELECT count(*) FROM {layer.value}").fetchone()[0] for layer in LAYERS)


@pytest.fixture
def made(store: Store, clock: ManualClock) -> list[Call]:
    """Calls of three hours, users and sizes, long past."""
    calls = [
        a_call(
            f"c{i}", clock.now() + i * 7 * MINUTE, user=f"u{i % 5}",
            latency_ms=None if i % 7 == 0 else 1.0 + i,
            provider=("openai", "anthropic")[i % 2], cost=None if i % 9 == 0 else i * 10**9,
        )
        for i in range(26)
    ]  # fmt: skip
    write(store, *calls)
    clock.advance(70 * DAY)
    return calls


def test_packed_cells_answer_as_the_rows_did(store: Store, clock: ManualClock, made: list[Call]) -> None:
    before = [contents(read(store, layer)) for layer in LAYERS]
    stats = store.stats(Retention(), clock.now())
    assert store.seal(clock.now(), PACK).blocks > 0
    assert rows(store) == 0
    assert min(packed(store).values()) > 0
    assert [contents(read(store, layer)) for layer in LAYERS] == before
    check_layers(store, made)
    after = store.stats(Retention(), clock.now())
    for old, new in zip(stats.layers, after.layers, strict=True):
        if old.name in ("minute", "hour", "day"):
            assert (new.rows, new.first, new.last, new.rows_per_day) == (
                old.rows, old.first, old.last, old.rows_per_day,
            )  # fmt: skip


def test_a_part_of_a_block_is_read(store: Store, clock: ManualClock, made: list[Call]) -> None:
    start = made[0].booked
    spans = [Span(start - HOUR, start + HOUR), Span(start + 30 * MINUTE, start + 95 * MINUTE), EVER]
    wheres = [None, {"provider": "openai"}, {"provider": "nobody"}]
    asked = [(span, where) for span in spans for where in wheres]
    before = [contents(read(store, Layer.MINUTE, span, where=where)) for span, where in asked]
    store.seal(clock.now(), PACK)
    assert [contents(read(store, Layer.MINUTE, span, where=where)) for span, where in asked] == before
    assert before[-1] == {}
    assert len(before[0]) > len(before[1]) > 0


def test_a_late_call_and_a_correction_reach_packed_cells(
    store: Store, clock: ManualClock, made: list[Call]
) -> None:
    store.seal(clock.now(), PACK)
    late = a_call("late", made[3].booked + 1, user="u1", latency_ms=900.0)
    again = a_call("c4", made[4].booked, user="u4", latency_ms=0.25)
    write(store, late, again)
    check_layers(store, [*(c for c in made if c.source_key != "c4"), late, again])
    store.seal(clock.now(), PACK)
    assert rows(store) == 0
    check_layers(store, [*(c for c in made if c.source_key != "c4"), late, again])
    assert store.rebuild_rollups(mend=False).wrong == 0


def test_what_is_not_over_or_was_touched_just_now_stays_rows(store: Store, clock: ManualClock) -> None:
    calls = [a_call(f"c{i}", clock.now() - i * MINUTE) for i in range(300)]
    write(store, *calls)
    store.seal(clock.now(), PACK)
    check_layers(store, calls)
    assert packed(store)["day"] == 0
    with store._read() as conn:
        assert conn.execute("SELECT max(high) >> 32 FROM minute_blocks").fetchone()[0] <= (
            clock.now() // MINUTE
        )
    clock.advance(50 * DAY)
    write(store, a_call("late", clock.now() - 50 * DAY))
    before = packed(store)
    store.seal(clock.now(), Limits(cells=1))
    assert packed(store)["day"] == before["day"]  # touched a moment ago
    clock.advance(2 * HOUR)
    store.seal(clock.now(), Limits(cells=1))
    assert rows(store) == 0


def test_packed_cells_go_by_age_and_the_rest_stays(
    store: Store, clock: ManualClock, made: list[Call]
) -> None:
    store.seal(clock.now(), PACK)
    cut = made[0].booked + 90 * MINUTE
    # Age counts from the later of event and arrival, and all arrived when the first was booked.
    kept = Retention.model_validate({"raw": "400d", "minute": f"{(clock.now() - cut) // SECOND}s"})
    report = store.retain(kept, clock.now())
    left = contents(read(store, Layer.MINUTE))
    assert report.cells[Layer.MINUTE] > 0
    assert left
    assert all(end > cut for end, _ in left)
    assert store.holdings()[Layer.MINUTE].gone[0].end <= cut
    assert not store.holdings()[Layer.MINUTE].complete(Span(made[0].booked - HOUR, cut))
    store.seal(clock.now(), PACK)
    clock.advance(DAY)
    store.retain(kept, clock.now())
    assert contents(read(store, Layer.MINUTE)) == {}
    assert packed(store)["minute"] == 0


def test_packed_cells_that_came_late_stay_packed(store: Store, clock: ManualClock, made: list[Call]) -> None:
    """Their time is long past, but they came a moment ago, and retention looks at them every day."""
    store.seal(clock.now(), PACK)
    late = [a_call(f"late{i}", call.booked) for i, call in enumerate(made[-5:])]
    write(store, *late)
    store.seal(clock.now(), PACK)
    store.retain(Retention(), clock.now())
    left = contents(read(store, Layer.MINUTE))
    assert left.keys() == expected(late, Layer.MINUTE).keys()
    store.seal(clock.now(), PACK)
    kept = packed(store)
    assert store.retain(Retention(), clock.now()).total == 0
    assert (packed(store), rows(store)) == (kept, 0)
    clock.advance(31 * DAY)
    assert store.retain(Retention(), clock.now()).cells[Layer.MINUTE] == len(left)


def test_forgetting_reaches_packed_cells(store: Store, clock: ManualClock, made: list[Call]) -> None:
    store.seal(clock.now(), PACK)
    store.forget("user", "u1", "me")
    users = {labels[5] for _, labels in contents(read(store, Layer.HOUR))}
    assert users == {None, "u0", "u2", "u3", "u4"}
    sums = read(store, Layer.DAY).numbers["calls"].total.sum()
    assert sums == len(made)


def test_damage_is_told_and_the_rest_answers(
    store: Store, clock: ManualClock, path: Path, made: list[Call]
) -> None:
    before = [contents(read(store, layer)) for layer in (Layer.MINUTE, Layer.DAY)]
    store.seal(clock.now(), PACK)
    assert faults(path) == []
    with sqlite3.connect(path) as conn:
        conn.execute(
            "UPDATE hour_columns SET data = CAST(substr(data, 1, 9) || x'ff' AS BLOB) WHERE name = 'cost'"
        )
    conn.close()
    with pytest.raises(StoreError, match="column cost of the packed hour roll-ups"):
        read(store, Layer.HOUR)
    assert "column cost of the packed hour roll-ups" in faults(path)[0]
    assert [contents(read(store, layer)) for layer in (Layer.MINUTE, Layer.DAY)] == before


@pytest.mark.parametrize("step", ["late", "retain", "forget", "rebuild"])
def test_damaged_blocks_are_set_aside_and_made_anew(
    store: Store, clock: ManualClock, path: Path, made: list[Call], step: str
) -> None:
    store.seal(clock.now(), PACK)
    with sqlite3.connect(path) as conn:
        for layer in LAYERS:
            conn.execute(f"UPDATE {layer.value}_columns SET data = CAST(substr(data, 1, 9) || x'ff' AS BLOB)")
    conn.close()
    match step:
        case "late":
            made = [*made, a_call("late", made[3].booked + 1, user="u3")]
            write(store, made[-1])
        case "retain":
            store.retain(Retention.model_validate({"raw": "400d", "minute": "390d"}), clock.now())
        case "forget":
            store.forget("user", "u1", "me")
            made = [replace(call, user=None if call.user == "u1" else call.user) for call in made]
        case _:
            looked = store.rebuild_rollups(mend=False)
            assert looked.damaged
            assert looked.not_compared
            assert store.holdings()[Layer.DAY].complete(EVER)
    report = store.rebuild_rollups(mend=True)
    assert report.wrong > 0
    assert all(layer.left == 0 for layer in report.layers)
    check_layers(store, made)
    assert all(store.holdings()[layer].complete(EVER) for layer in LAYERS)
    assert store.rebuild_rollups(mend=False).wrong == 0
    assert faults(path) == []


def test_damaged_blocks_whose_calls_are_gone_stay_a_hole(
    store: Store, clock: ManualClock, path: Path, made: list[Call]
) -> None:
    store.seal(clock.now(), PACK)
    clock.advance(30 * DAY)
    assert store.retain(Retention(), clock.now()).calls == len(made)
    with sqlite3.connect(path) as conn:
        conn.execute("UPDATE hour_columns SET data = CAST(substr(data, 1, 9) || x'ff' AS BLOB)")
    conn.close()
    late = a_call("late", made[0].booked)
    write(store, late)
    store.rebuild_rollups(mend=True)
    assert not store.holdings()[Layer.HOUR].complete(EVER)
    assert contents(read(store, Layer.HOUR)) == expected([late], Layer.HOUR)
    assert "set aside" in faults(path)[0]
    assert "set aside" in check_up(path, 5.0).set_aside[0]
    assert int(read(store, Layer.DAY).numbers["calls"].total.sum()) == len(made) + 1


cells = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.lists(st.tuples(st.integers(-4000, 4000), st.integers(1, 2**31 - 1)), max_size=4),
        st.sampled_from([None, 0, 5, -(2**62)]),
        st.integers(-(2**62), 2**62),
    ),
    min_size=1,
    max_size=8,
)


@given(cells)
def test_whatever_a_cell_holds_comes_back(spec: list[tuple]) -> None:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    kinds = {name: "BLOB" if name.endswith("_hist") else "INTEGER" for name in CELL_COLUMNS}
    conn.execute(f"CREATE TABLE minute ({', '.join(f'{n} {k}' for n, k in kinds.items())})")
    from tui_monitor.store.migrations import blocks as tables
    from tui_monitor.store.migrations import segments, stamps

    for migration in (segments, tables, stamps):
        migration.up(conn)
    first = 64 * 5 << 32
    for at, (step, pairs, extreme, total) in enumerate(spec):
        hist = None
        if pairs:
            unique = dict(pairs)
            hist = histogram.pack(
                np.zeros(len(unique)), np.array(list(unique)), np.array(list(unique.values())), 1
            )[0]
        values = {
            name: hist if name.endswith("_hist") else extreme if name.endswith(("_low", "_high")) else total
            for name in CELL_COLUMNS
        } | {"key": first + (at << 32) + step, "calls": step, "touched": 7}
        conn.execute(
            f"INSERT INTO minute VALUES ({', '.join('?' * len(CELL_COLUMNS))})",
            [values[name] for name in CELL_COLUMNS],
        )
    before = blocks.rows_of(conn, Layer.MINUTE, first)
    blocks.store(conn, Layer.MINUTE, blocks.encode(before))
    assert blocks.rows_of(conn, Layer.MINUTE, first) == []
    blocks.spread_range(conn, Layer.MINUTE)
    assert blocks.rows_of(conn, Layer.MINUTE, first) == before
    conn.close()


def whole(store: Store) -> Iterator[tuple[str, int]]:
    for measure in MEASURES:
        facts = store.facts(Layer.DAY, EVER, (), [measure], [m for m in HISTOGRAMS if m == measure])
        yield measure, int(facts.numbers[measure].total.sum())


def test_an_older_database_is_packed_bit_by_bit(
    store: Store, clock: ManualClock, path: Path, made: list[Call]
) -> None:
    before = dict(whole(store))
    store.close()
    conn = sqlite3.connect(path)
    for layer in LAYERS:
        conn.execute(f"DROP TABLE {layer.value}_blocks")
        conn.execute(f"DROP TABLE {layer.value}_columns")
    conn.execute("ALTER TABLE segments DROP COLUMN stamp")
    conn.execute("DELETE FROM migrations WHERE name IN ('blocks', 'stamps')")
    conn.commit()
    conn.close()
    again = Store.open(path, write=True, clock=clock)
    try:
        assert again.seal(clock.now(), PACK).blocks > 0
        assert dict(whole(again)) == before
    finally:
        again.close()
