"""What the database says about when something last changed."""

import sqlite3
from collections.abc import Callable

import numpy as np
import pytest

from tui_monitor.config.settings import Retention
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, MINUTE, ManualClock, Micros
from tui_monitor.model.errors import StoreError
from tui_monitor.model.feed import Event, Retract, Sample, Start
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import ImportInfo, Part, PartKind, WriteBatch
from tui_monitor.store.changes import Changes, Kind
from tui_monitor.store.database import Store

KINDS: tuple[PartKind, ...] = ("raw", "cells", "samples", "events")
CALLS = {"raw", "cells"}


def call(at: Micros, key: str, **fields: object) -> Call:
    return Call("test", key, ts_end=at, provider="openai", status="success", **fields)


def day(at: Micros) -> Span:
    """The day of UTC that an instant lies in."""
    return Span(at // DAY * DAY - 1, at // DAY * DAY + DAY - 1)


def changed(store: Store, before: int, at: Micros) -> set[str]:
    """Kinds of which something changed on a day."""
    return {kind for kind in KINDS if store.changed(before, [Part(kind, day(at))])}


def test_a_write_changes_its_own_days_only(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    store.write(WriteBatch([call(now - 3 * DAY, "old")]))
    before = store.version()
    assert not store.changed(before, [Part(kind, Span(0, now + DAY)) for kind in KINDS])
    store.write(WriteBatch([call(now, "a"), call(now - DAY, "b")]))
    assert changed(store, before, now) == changed(store, before, now - DAY) == CALLS
    assert changed(store, before, now - 3 * DAY) == set()
    before = store.version()
    store.write(WriteBatch(samples=[Sample("g", now - 2 * DAY, 1.0, {}, "gauge")]))
    assert changed(store, before, now - 2 * DAY) == {"samples"}
    assert changed(store, before, now) == set()
    before = store.version()
    store.write(WriteBatch(events=[Event("score", now, "test", "e", "s", 1.0)]))
    assert changed(store, before, now) == {"events"}


def test_what_moves_changes_where_it_was_and_where_it_is(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    store.write(WriteBatch([call(now, "a")], events=[Event("score", now, "test", "e", "s", 1.0)]))
    before = store.version()
    moved = Event("score", now - 5 * DAY, "test", "e", "s", 1.0)
    store.write(WriteBatch([call(now - 4 * DAY, "a")], events=[moved]))
    assert changed(store, before, now) == {*CALLS, "events"}
    assert changed(store, before, now - 4 * DAY) == CALLS
    assert changed(store, before, now - 5 * DAY) == {"events"}
    before = store.version()
    store.write(WriteBatch(retracts=[Retract("test", "a")]))
    assert changed(store, before, now - 4 * DAY) == CALLS
    assert changed(store, before, now) == set()


def test_what_changes_nothing_that_is_dated_leaves_every_day(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    store.write(WriteBatch([call(now, "a")]))
    before = store.version()
    store.write(WriteBatch([call(now, "a")], starts=[Start("test", "s", now, "openai", "m")]))
    store.seal(now + DAY)
    assert changed(store, before, now) == set()
    assert store.version() > before


def test_new_prices_change_the_days_whose_costs_they_change(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    store.write(WriteBatch([call(now - 2 * DAY, "a", cost_computed=5), call(now, "b", cost_computed=5)]))
    before = store.version()

    def price(one: Call) -> None:
        one.cost_computed = 5 if one.source_key == "b" else 7

    store.reprice(0, price)
    assert changed(store, before, now - 2 * DAY) == CALLS
    assert changed(store, before, now) == set()


def test_retention_changes_what_it_takes(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    old = now - 100 * DAY
    clock.advance(-100 * DAY)
    store.write(
        WriteBatch(
            [call(old, "a")],
            samples=[Sample("g", old, 1.0, {}, "gauge")],
            events=[Event("score", old, "test", "e", "s", 1.0)],
        )
    )
    clock.advance(100 * DAY)
    store.write(WriteBatch([call(now, "b")], samples=[Sample("g", now, 1.0, {}, "gauge")]))
    store.seal(now)
    before = store.version()
    store.retain(Retention(), now)
    assert changed(store, before, old) == {"raw", "cells", "samples", "events"}
    assert changed(store, before, now) == set()


def test_undoing_an_import_and_forgetting_change_anything(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    store.begin_import(ImportInfo("i", now, ("f",), "csv", 0))
    store.write(WriteBatch([call(now - DAY, "a", batch_id="i", user="ada"), call(now, "b", user="ada")]))
    before = store.version()
    store.forget("user", "ada", "me")
    assert changed(store, before, now - 9 * DAY) == set(KINDS)
    before = store.version()
    store.undo_import("i")
    assert changed(store, before, now - DAY) >= CALLS


def test_another_process_sees_it(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    looking = Store.open(store.path, write=False, clock=clock)
    before = looking.version()
    store.write(WriteBatch([call(now, "a")]))
    assert changed(looking, before, now) == CALLS
    assert changed(looking, before, now - DAY) == set()
    looking.close()


def test_what_is_rolled_back_is_not_said_of_the_next(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    store.write(WriteBatch([call(now, "a")]))
    before = store.version()
    monkeypatch.setattr("tui_monitor.store.ledger.come", _fails)
    with pytest.raises(StoreError):
        store.write(WriteBatch([call(now - 7 * DAY, "b")]))
    monkeypatch.undo()
    store.write(WriteBatch([call(now + MINUTE, "c")]))
    assert changed(store, before, now - 7 * DAY) == set()


def _fails(*_: object) -> None:
    raise sqlite3.IntegrityError("no")


def say(store: Store, told: Callable[[Changes], None]) -> int:
    """Tell of a change in a transaction; the version before."""
    before = store.version()
    with store._writing.transaction():
        told(store._writing.changes)
        store._writing.changes.save(store._writing.conn)
    return before


@pytest.mark.parametrize(
    ("kind", "kinds"),
    [
        (Kind.CALLS, {"raw", "cells"}),
        (Kind.RAW, {"raw"}),
        (Kind.CELLS, {"cells"}),
        (Kind.SAMPLES, {"samples"}),
        (Kind.EVENTS, {"events"}),
    ],
)
def test_each_kind_changes_what_rests_on_it(
    store: Store, clock: ManualClock, kind: Kind, kinds: set[str]
) -> None:
    at = clock.now()
    before = say(store, lambda changes: changes.days(kind, [at // DAY]))
    assert changed(store, before, at) == kinds
    assert changed(store, store.version(), at) == set()
    others = [Part(one, day(at)) for one in KINDS if one not in kinds]
    assert not store.changed(before, others)
    assert store.changed(before, [*others, Part(min(kinds), day(at))])


def test_a_span_begins_behind_its_start_and_ends_with_its_end(store: Store, clock: ManualClock) -> None:
    first = clock.now() // DAY * DAY
    before = say(store, lambda changes: changes.within(Kind.RAW, Span(first - 1, first + 2 * DAY)))
    days = [at for at in range(-2, 5) if changed(store, before, first + at * DAY)]
    assert days == [0, 1, 2]
    before = say(store, lambda changes: changes.days(Kind.RAW, [first // DAY]))
    for span, seen in (
        (Span(first - DAY, first - 1), False),
        (Span(first - DAY, first), True),
        (Span(first + DAY - 2, first + 2 * DAY), True),
        (Span(first + DAY - 1, first + 2 * DAY), False),
    ):
        assert store.changed(before, [Part("raw", span)]) is seen, span


def test_of_instants_of_several_days_each_day_is_told(store: Store, clock: ManualClock) -> None:
    at = clock.now()
    before = say(store, lambda c: c.at(Kind.EVENTS, np.array([at + 3 * DAY, at, at + DAY], dtype=np.int64)))
    assert [n for n in range(-1, 5) if changed(store, before, at + n * DAY)] == [0, 1, 3]
    before = say(store, lambda c: c.at(Kind.EVENTS, np.array([], dtype=np.int64)))
    assert store.version() > before
    assert changed(store, before, at) == set()


@pytest.mark.parametrize("days", [2_000, 2_001])
def test_of_very_many_days_everything_is_told(store: Store, clock: ManualClock, days: int) -> None:
    at = clock.now()
    first = at // DAY * DAY
    within = Span(first - 1, first - 1 + days * DAY)
    far = at - 9 * DAY
    for told in (
        lambda changes: changes.within(Kind.RAW, within),
        lambda changes: changes.days(Kind.RAW, range(first // DAY, first // DAY + days)),
    ):
        before = say(store, told)
        assert changed(store, before, at) >= {"raw"}
        assert changed(store, before, far) == (set(KINDS) if days > 2_000 else set())
        assert changed(store, store.version(), far) == set()


def test_everything_that_is_rolled_back_is_not_said_of_the_next(store: Store, clock: ManualClock) -> None:
    before = store.version()

    def fail(changes: Changes) -> None:
        changes.everything()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        say(store, fail)
    store.write(WriteBatch([call(clock.now(), "c")]))
    assert changed(store, before, clock.now() - 7 * DAY) == set()


def test_what_was_said_of_one_is_not_said_of_the_next(store: Store, clock: ManualClock) -> None:
    say(store, lambda changes: changes.everything())
    before = say(store, lambda changes: changes.days(Kind.RAW, [clock.now() // DAY]))
    assert changed(store, before, clock.now() - 7 * DAY) == set()


def test_calls_of_now_leave_what_was_a_moment_ago(store: Store, clock: ManualClock) -> None:
    now = clock.now() // DAY * DAY + DAY // 2
    store.write(WriteBatch([call(now - MINUTE, "a")]))
    before = store.version()
    store.write(WriteBatch([call(now, "b"), call(now + 5, "c")]))
    store.write(WriteBatch([call(now + MINUTE, "d")]))
    for span, seen in (
        (Span(now - DAY // 2, now - 1), False),
        (Span(now - 1, now), True),
        (Span(now + 5, now + MINUTE - 1), False),
        (Span(now + 4, now + 6), True),
        (Span(now + MINUTE - 1, now + DAY), True),
        (Span(now + MINUTE, now + DAY), False),
    ):
        assert {kind for kind in KINDS if store.changed(before, [Part(kind, span)])} == (
            CALLS if seen else set()
        ), span
    assert store.changed(before - 1, [Part("raw", Span(now - 2 * MINUTE, now - MINUTE))])


def test_of_long_ago_and_of_many_days_at_once_only_days_are_known(
    store: Store, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui_monitor.store.changes._LATELY", 4)
    monkeypatch.setattr("tui_monitor.store.changes._SWEEP", 2)
    now = clock.now() // DAY * DAY + DAY // 2
    quiet = [Part("raw", Span(now - 5 * MINUTE, now - 4 * MINUTE))]
    before = store.version()
    for number in range(9):
        store.write(WriteBatch([call(now + number, str(number))]))
    assert store.changed(before, quiet)
    assert not store.changed(store.version() - 3, quiet)
    with store._read() as conn:
        assert conn.execute("SELECT count(*) FROM changed_spans").fetchone()[0] <= 2 * 6
    before = say(store, lambda changes: changes.within(Kind.RAW, Span(now - 30 * DAY, now)))
    assert store.changed(before, quiet)
    assert changed(store, before, now + DAY) == set()
