"""Sums made anew day by day: everything is looked at, whatever comes meanwhile, and nobody waits long."""

import itertools
import sqlite3

import pytest
from store_helpers import EVER, a_call, check_layers, write

from tests.store.conftest import Opener
from tui_monitor.model.clock import DAY, HOUR, ManualClock
from tui_monitor.store import anew
from tui_monitor.store.anew import Difference, Slice
from tui_monitor.store.database import Store
from tui_monitor.store.rebuild import RebuildReport
from tui_monitor.store.sealing import Limits

BERLIN = "Europe/Berlin"
SMALL = Limits(rows=12, head=0, age=0, identities=0)


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anew, "_CALLS", 12)
    monkeypatch.setattr(anew, "_CHUNK", 3)


@pytest.fixture
def filled(opener: Opener, clock: ManualClock) -> Store:
    """Calls of some weeks and of 1970, some at midnights, most of them sealed."""
    store = opener(zone=BERLIN)
    midnight = clock.now() // DAY * DAY
    times = [midnight - n * 17 * HOUR for n in range(24)] + [midnight - n * DAY for n in range(0, 30, 7)]
    times += [1, 0, -1, -HOUR]
    clock.advance(10)
    write(store, *(a_call(f"c{n}", at, user=f"u{n % 3}") for n, at in enumerate(times)))
    store.seal(clock.now(), SMALL)
    write(store, *(a_call(f"d{n}", at, user="u1") for n, at in enumerate(times[::9])))
    return store


def damage(store: Store, *statements: str) -> None:
    with store._writing.transaction():
        for statement in statements:
            store._writing.conn.execute(statement)


def stored(store: Store) -> dict[str, list[tuple[object, ...]]]:
    conn = store._writing.conn
    return {table: conn.execute(f"SELECT * FROM {table}").fetchall() for table in ("minute", "hour", "day")}


def test_every_cell_is_in_exactly_one_slice(filled: Store) -> None:
    seen: list[tuple[int, int]] = []
    report = filled.rebuild_rollups(mend=False, progress=lambda done, total: seen.append((done, total)))
    counts = {table: len(rows) for table, rows in stored(filled).items()}
    checked = {"minute": 0, "hour": 0, "day": 0}
    for layer in report.layers:
        checked[layer.layer] += layer.checked
    assert checked == counts
    assert (report.wrong, report.calls) == (0, filled.extent().calls)
    assert [layer.zone for layer in report.layers] == [None, None, "UTC", BERLIN]
    assert len(seen) > 8
    assert seen[-1] == (2 * report.calls, 2 * report.calls)
    assert seen == sorted(seen)


@pytest.mark.parametrize("table", ["minute", "hour", "day"])
def test_any_cell_that_is_missing_is_made_again(filled: Store, table: str) -> None:
    before = stored(filled)
    keys = [row[0] for row in before[table]]
    for key in (keys[0], keys[len(keys) // 2], keys[-1]):
        damage(filled, f"DELETE FROM {table} WHERE key = {key}")
        assert filled.rebuild_rollups(mend=True).wrong == 1
        assert stored(filled) == before


def test_everything_gone_and_too_much_there(filled: Store) -> None:
    before = stored(filled)
    damage(filled, "DELETE FROM minute", "DELETE FROM hour", "DELETE FROM day")
    assert filled.rebuild_rollups(mend=True).wrong == sum(map(len, before.values()))
    assert stored(filled) == before
    day = 400 << 32
    damage(
        filled, f"INSERT INTO hour SELECT key + {day}, {_others(filled)} FROM hour ORDER BY key DESC LIMIT 1"
    )
    assert filled.rebuild_rollups(mend=True).wrong == 1
    assert stored(filled) == before


def _others(store: Store) -> str:
    names = [row[1] for row in store._writing.conn.execute("PRAGMA table_info(hour)")]
    return ", ".join(names[1:])


@pytest.mark.parametrize("times", [1, 2, 100])
def test_calls_that_come_while_sums_are_mended(
    filled: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """`times` is how often a call of the same cells comes between looking and mending."""
    calls = list(filled.raw_calls(EVER))
    damage(filled, "UPDATE hour SET output = output + 1", "UPDATE day SET latency_low = 1")
    number = itertools.count()
    compare = anew.compare

    def disturbed(conn: sqlite3.Connection, part: Slice) -> tuple[int, list[Difference]]:
        found = compare(conn, part)
        if next(number) % 4 < times and conn is not filled._writing.conn:
            clock.advance(1)
            late = a_call(f"late{next(number)}", part.bounds[0] + 12 * HOUR, user="u0", latency_ms=1.0)
            write(filled, late)
            calls.append(late)
        return found

    monkeypatch.setattr(anew, "compare", disturbed)
    assert filled.rebuild_rollups(mend=True).wrong > 0
    monkeypatch.undo()
    check_layers(filled, calls, BERLIN)
    assert filled.rebuild_rollups(mend=False).wrong == 0


def test_stopped_halfway_it_is_as_before_or_right(filled: Store) -> None:
    before = stored(filled)
    damage(filled, "UPDATE day SET calls = calls + 1, output = output + 5")

    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > total // 3:
            raise Stopped

    with pytest.raises(Stopped):
        filled.rebuild_rollups(mend=True, progress=stop)
    left = filled.rebuild_rollups(mend=False)
    assert 0 < left.wrong < len(before["day"])
    assert _mended(filled.rebuild_rollups(mend=True)) == _mended(left)
    assert stored(filled) == before


def _mended(report: RebuildReport) -> list[tuple[str, str | None, int]]:
    return [(layer.layer, layer.zone, layer.wrong) for layer in report.layers]
