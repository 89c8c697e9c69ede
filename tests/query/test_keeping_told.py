"""Whatever changes an answer is told: one that was kept before is another after, as a fresh one is."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_monitor.config.settings import Retention
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, ManualClock, Micros
from tui_monitor.model.columns import CallColumns
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.feed import Event, Retract, Sample
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.result import Result
from tui_monitor.store import backup, identity
from tui_monitor.store.api import ImportInfo, WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.sealing import Limits

NOON: Micros = 20_000 * DAY + 12 * HOUR
BEFORE: Micros = NOON - 10 * DAY
AT: Micros = NOON - 2 * DAY
"""The end of what is asked for: everything that is put in lies before it, most of it on the day before."""
SMALL = Limits(rows=8, head=0, age=0, identities=0, cells=2)
ALL_BUT: dict[str, str] = dict.fromkeys(("raw", "minute", "hour", "day", "samples", "samples_steps"), "4000d")


@dataclass(slots=True)
class Place:
    """A database with calls, samples and events of some days."""

    path: Path
    clock: ManualClock
    store: Store

    def reopen(self, zone: str = "UTC") -> None:
        """The writer stops and starts."""
        self.store.close()
        self.store = Store.open(self.path, write=True, clock=self.clock, zone=zone)

    def run(self, *statements: str, told: bool = True) -> None:
        """Change the tables behind the store's back; `told` lets who looks on see it."""
        with self.store._writing.transaction():
            for statement in statements:
                self.store._writing.conn.execute(statement)
            if told:
                self.store._writing.bump()

    def retain(self, **lengths: str) -> None:
        """Keep one thing for a shorter time than all others."""
        self.store.retain(Retention.model_validate(ALL_BUT | lengths), self.clock.now())


def call(key: str, at: Micros = AT - DAY, **fields: Any) -> Call:
    """A call of a user."""
    plain = Call(
        "test", key, ts_end=at, provider="openai", user="ada", status="success", latency_ms=5.0, cost=5,
        cost_computed=5, cost_status="computed", attrs={"tier": "a"},
    )  # fmt: skip
    return replace(plain, **fields)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Calls of a day and of an import, samples in the log and sealed, scores: all of them came in time."""
    clock, path = ManualClock(BEFORE), tmp_path / "data" / "monitor.db"
    place = Place(path, clock, Store.open(path, write=True, clock=clock))
    place.store.begin_import(ImportInfo("import", BEFORE, ("f",), "csv", 0))
    clock.advance(AT - DAY + HOUR - BEFORE)
    users = [None, "ada", "bob"]
    made = [call(f"c{n}", AT - DAY + n * MINUTE, user=users[n % 3]) for n in range(20)]
    made += [call(f"i{n}", AT - DAY - n * MINUTE, batch_id="import") for n in range(3)]
    series = [Sample("gauge", AT - DAY + n * MINUTE, float(n), {"host": "x"}, "gauge") for n in range(9)]
    scores = [Event("score", AT - DAY, "test", "s", "helpful", 3.0)]
    series += [Sample("gauge", AT - DAY + HOUR, 50.0, {"host": "x"}, "gauge", batch_id="import")]
    place.store.write(WriteBatch(made, samples=series, events=scores, remember=True))
    clock.advance(NOON - clock.now())
    # The series lives on, whatever goes of it.
    place.store.write(WriteBatch(samples=[Sample("gauge", NOON, 1.0, {"host": "x"}, "gauge")]))
    yield place
    place.store.close()


def late(place: Place) -> None:
    place.store.write(WriteBatch([call("late")]))


def corrected(place: Place) -> None:
    place.store.write(WriteBatch([call("c1", AT - DAY + MINUTE, latency_ms=900.0)]))


def moved(place: Place) -> None:
    place.store.write(WriteBatch([call("c1", AT - 5 * DAY)]))


def retracted(place: Place) -> None:
    place.store.write(WriteBatch(retracts=[Retract("test", "c1")]))


def repriced(place: Place) -> None:
    def price(one: Call) -> None:
        one.cost_computed = one.cost = 50

    place.store.reprice(0, price)


def scored(place: Place) -> None:
    place.store.write(WriteBatch(events=[Event("score", AT - DAY, "test", "t", "helpful", 5.0)]))


def scored_otherwise(place: Place) -> None:
    place.store.write(WriteBatch(events=[Event("score", AT - DAY, "test", "s", "helpful", 5.0)]))


def score_moved(place: Place) -> None:
    place.store.write(WriteBatch(events=[Event("score", AT - 9 * DAY, "test", "s", "helpful", 3.0)]))


def measured(place: Place) -> None:
    place.store.write(
        WriteBatch(samples=[Sample("gauge", AT - DAY + 9 * MINUTE, 70.0, {"host": "x"}, "gauge")])
    )


def new_series(place: Place) -> None:
    place.store.write(WriteBatch(samples=[Sample("gauge", AT - DAY, 70.0, {"host": "y"}, "gauge")]))


def columns(place: Place) -> None:
    model = replace(call(""), user="eve", batch_id="import")
    keys = [b"k1", b"k2"]
    place.store.write_columns(
        CallColumns(
            [model],
            np.zeros(2, dtype=np.int64),
            np.array(keys),
            np.array([identity.source_hash("test", key.decode()) for key in keys], dtype=np.int64),
            {"ts_end": np.full(2, AT - DAY, dtype=np.int64), "cost": np.full(2, 7, dtype=np.int64)},
        )
    )


def old_samples(place: Place) -> None:
    place.retain(samples="1d")


def old_steps(place: Place) -> None:
    place.retain(samples="1d", samples_steps="1d")


def old_calls(place: Place) -> None:
    place.retain(raw="1d")


def old_cells(place: Place) -> None:
    place.retain(raw="1d", minute="1d", hour="1d", day="1d")


def old_scores(place: Place) -> None:
    place.retain(raw="1d")


def undone(place: Place) -> None:
    place.store.undo_import("import")


def rebuilt(place: Place) -> None:
    place.store.rebuild_rollups(mend=True)


def forgotten(place: Place) -> None:
    place.store.forget("user", "ada", "me")


def set_aside(place: Place) -> None:
    # The damaged segment is in the way, and the prices stay.
    place.store.reprice(0, lambda _: None)


def left_out(place: Place) -> None:
    place.store.write(WriteBatch([call("left out")], rates=[-10]))


def seal(place: Place) -> None:
    place.store.seal(place.clock.now(), SMALL)


def spoil_sums(place: Place) -> None:
    place.run("DELETE FROM hour", "DELETE FROM day", "DELETE FROM minute")


def seal_and_damage(place: Place) -> None:
    seal(place)
    place.run("UPDATE segment_columns SET data = x'00112233' WHERE name = 'cost_computed'", told=False)
    place.reopen()


def thinned(place: Place) -> None:
    place.retain(samples="1d", samples_steps="4000d")


def no_calls(place: Place) -> None:
    place.retain(raw="1d")


REQUESTS, GAUGE = "requests{} [3d] sum", "gauge [3d] avg by(host)"
RAW, COST = 'requests{tier="a"} [3d]', "cost{} [3d] sum"
SCORE = "llm_evaluation_score [3d] avg"
TOLD: dict[str, tuple[Callable[[Place], None], str, Callable[[Place], None] | None]] = {
    "a late call": (late, REQUESTS, None),
    "a late call, alone": (late, RAW, None),
    "a late call, sealed ones": (late, RAW, seal),
    "a correction": (corrected, "latency{} [3d] max", None),
    "a correction of a sealed call": (corrected, "latency{} [3d] max", seal),
    "a call that moves away": (moved, REQUESTS, None),
    "a retraction": (retracted, REQUESTS, None),
    "a retraction of a sealed call": (retracted, RAW, seal),
    "new prices": (repriced, COST, None),
    "new prices of sealed calls": (repriced, COST, seal),
    "a score": (scored, SCORE, None),
    "a score that is corrected": (scored_otherwise, SCORE, None),
    "a score that moves away": (score_moved, SCORE, None),
    "samples": (measured, GAUGE, None),
    "samples of a new series": (new_series, "last_over_time(gauge[3d])", None),
    "columns": (columns, REQUESTS, None),
    "columns, alone": (columns, 'requests{user="eve"} [3d]', None),
    "samples too old": (old_steps, GAUGE, None),
    "samples thinned out": (old_samples, "count_over_time(gauge[3d])", None),
    "steps too old": (old_steps, GAUGE, thinned),
    "calls too old": (old_calls, RAW, None),
    "sealed calls too old": (old_calls, RAW, seal),
    "sums too old": (old_cells, REQUESTS, no_calls),
    "sums too old, packed": (old_cells, REQUESTS, lambda place: (seal(place), no_calls(place))[0]),
    "scores too old": (old_scores, SCORE, None),
    "an import taken back": (undone, REQUESTS, None),
    "samples of an import taken back": (undone, GAUGE, None),
    "a rebuild": (rebuilt, REQUESTS, spoil_sums),
    "somebody forgotten": (forgotten, "requests{} [3d] by(user)", None),
    "somebody forgotten, sealed": (forgotten, "requests{} [3d] by(user)", seal),
    "damage set aside": (set_aside, RAW, seal_and_damage),
    "calls left out": (left_out, RAW, None),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_changes_an_answer_is_told(place: Place, name: str) -> None:
    change, text, prepare = TOLD[name]
    if prepare is not None:
        prepare(place)
    beside = Store.open(place.path, write=False, clock=place.clock)
    engines = [LocalEngine(reader, Calendar(), clock=place.clock) for reader in (place.store, beside)]
    before = [answer(engine, text) for engine in engines]
    change(place)
    wanted = answer(LocalEngine(place.store, Calendar(), clock=place.clock), text)
    assert wanted not in before, "nothing changed: this cannot fail"
    assert [answer(engine, text) for engine in engines] == [wanted, wanted]
    beside.close()


def test_a_zone_that_is_kept_no_longer_is_told(place: Place) -> None:
    place.reopen("Europe/Berlin")
    place.retain(raw="1d", minute="1d", hour="1d")
    calendar = Calendar("Europe/Berlin")
    midnight, _ = calendar.day(AT)
    beside = Store.open(place.path, write=False, clock=place.clock, zone="Europe/Berlin")
    engine = LocalEngine(beside, calendar, clock=place.clock)
    before = answer(engine, REQUESTS, midnight - 1)
    for zone in ("Europe/Paris", "Europe/Rome", "Europe/Oslo"):
        place.clock.advance(MINUTE)
        place.reopen(zone)
    wanted = answer(LocalEngine(beside, calendar, clock=place.clock), REQUESTS, midnight - 1)
    assert wanted != before
    assert answer(engine, REQUESTS, midnight - 1) == wanted
    beside.close()


def test_where_calls_are_left_out_one_behind_the_calls_asked_for_is_told(place: Place) -> None:
    at = AT - DAY + 40 * MINUTE
    place.store.write(WriteBatch([call("left out", at - MINUTE)], rates=[-10]))
    place.store.write(WriteBatch(samples=[Sample("gauge", NOON, 0.0, {}, "gauge")]))
    text = f"sum(increase(llm_requests_total[1d] offset {(NOON - at) // MINUTE}m)) + sum(gauge)"
    engine = LocalEngine(place.store, Calendar(), clock=place.clock)
    before = answer(engine, text, NOON)
    place.store.write(WriteBatch([call("next", at + DAY)]))
    wanted = answer(LocalEngine(place.store, Calendar(), clock=place.clock), text, NOON)
    assert before.series == wanted.series
    assert answer(engine, text, NOON) == wanted


WRITER = """
import sys
from pathlib import Path
from tui_monitor.model.call import Call
from tui_monitor.model.clock import ManualClock
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

path, now, at, what = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
store = Store.open(path, write=True, clock=ManualClock(now))
if what == "write":
    store.write(WriteBatch([Call("test", "other", ts_end=at, provider="openai", status="success")]))
else:
    store.forget("user", "ada", "me")
store.close()
"""


@pytest.mark.parametrize("what", ["write", "forget"])
def test_what_another_process_changes_is_told(place: Place, what: str) -> None:
    text = "requests{} [3d] by(user)"
    beside = Store.open(place.path, write=False, clock=place.clock)
    engine = LocalEngine(beside, Calendar(), clock=place.clock)
    before = answer(engine, text)
    place.store.close()
    given = [str(place.path), str(NOON), str(AT - DAY), what]
    subprocess.run([sys.executable, "-c", WRITER, *given], check=True, timeout=60)
    wanted = answer(LocalEngine(beside, Calendar(), clock=place.clock), text)
    assert wanted != before
    assert answer(engine, text) == wanted
    beside.close()


def test_another_database_in_its_place_is_told(place: Place, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    backup.backup(place.path, copy)
    late(place)
    place.store.close()
    beside = Store.open(place.path, write=False, clock=place.clock)
    engine = LocalEngine(beside, Calendar(), clock=place.clock)
    before = answer(engine, REQUESTS)
    backup.restore(copy, place.path)
    wanted = answer(LocalEngine(beside, Calendar(), clock=place.clock), REQUESTS)
    assert wanted != before
    assert answer(engine, REQUESTS) == wanted
    beside.close()


def answer(engine: LocalEngine, text: str, at: Micros = AT) -> Result | str:
    """What it says, an error too."""
    try:
        return engine.instant(text, at)
    except MonitorError as error:
        return error.message
