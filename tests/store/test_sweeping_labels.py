"""Texts and label sets go when nothing refers to them, and never a moment too soon."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import EVER, a_call, check_layers, contents, read, total, write

from tests.examples import examples
from tests.store.conftest import Opener
from tui_monitor.config.settings import Retention
from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.clock import DAY, HOUR, ManualClock
from tui_monitor.model.feed import Retract, Sample
from tui_monitor.store import sweep as sweeping
from tui_monitor.store.api import ImportInfo, Layer, WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.facts import rollup_facts
from tui_monitor.store.sealing import Limits
from tui_monitor.store.where import HasLabel

START = 1_780_000_000_000_000
TERMS = ("source", "session", "region", "environment", "batch_id", "cost_status", "model_requested")
PACKED = Limits(rows=4, head=0, age=0, identities=0, cells=1)
SHORT = Retention.model_validate({"raw": "10d", "minute": "20d", "hour": "40d", "day": "80d"})


def texts(store: Store) -> set[str]:
    with store._read() as conn:
        return {text for (text,) in conn.execute("SELECT text FROM terms")}


def numbers(store: Store, table: str) -> dict[str, int]:
    column = "text" if table == "terms" else "labels"
    with store._read() as conn:
        return dict(conn.execute(f"SELECT {column}, id FROM {table}").fetchall())


def answers(store: Store) -> tuple[object, ...]:
    """What every layer says, by every label that is kept as a number."""
    raw = read(store, Layer.RAW, labels=(*DIMENSIONS, *TERMS))
    rows = sorted(
        str((end, *(column.values[column.codes[i]] for column in raw.labels.values())))
        for i, end in enumerate(raw.end.tolist())
    )
    return rows, *(contents(read(store, layer)) for layer in (Layer.MINUTE, Layer.HOUR, Layer.DAY))


def sweep(store: Store) -> int:
    side = store._writing
    with side.upkeep:
        return sweeping.sweep(side)


names = st.sampled_from(["a", "b", "c", None])
step = st.one_of(
    st.tuples(st.just("write"), st.integers(0, 9), names, names, names),
    st.tuples(st.just("retract"), st.integers(0, 9)),
    st.tuples(st.sampled_from(["seal", "retain", "sweep", "reopen"])),
    st.tuples(st.just("wait"), st.sampled_from([HOUR, 9 * DAY, 31 * DAY])),
)


@settings(max_examples=examples(12), suppress_health_check=list(HealthCheck))
@given(st.lists(step, min_size=3, max_size=14))
def test_any_order_of_writing_dropping_and_sweeping_answers_the_same(steps: list[tuple]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(START)
        with _open(Path(folder), clock) as both:
            for action, *rest in steps:
                for swept, store in enumerate(both):
                    _do(store, action, rest, clock, swept=bool(swept))
                if action == "wait":
                    clock.advance(rest[0])
                if action == "reopen":
                    for store in both:
                        store.close()
                    both[:] = [_store(Path(folder), number, clock) for number in range(2)]
            plain, swept = both
            sweep(swept)
            assert answers(plain) == answers(swept)
            assert sweep(swept) == 0
            # Nothing that is kept has another number than before.
            for table in ("terms", "series_keys"):
                assert set(numbers(swept, table)) <= set(numbers(plain, table))


def _store(folder: Path, number: int, clock: ManualClock) -> Store:
    return Store.open(folder / f"{number}.db", write=True, clock=clock)


@contextmanager
def _open(folder: Path, clock: ManualClock) -> Iterator[list[Store]]:
    both = [_store(folder, number, clock) for number in range(2)]
    try:
        yield both
    finally:
        for store in both:
            store.close()


def _do(store: Store, action: str, rest: list, clock: ManualClock, *, swept: bool) -> None:
    match action:
        case "write":
            key, session, region, user = rest
            call = a_call(
                f"k{key}", clock.now() - key * HOUR, session=session, region=region, user=user, project=region
            )
            write(store, call)
        case "retract":
            store.write(WriteBatch(retracts=[Retract("events:app", f"k{rest[0]}")]))
        case "seal":
            store.seal(clock.now(), PACKED)
        case "retain":
            store.retain(SHORT, clock.now())
        case "sweep" if swept:
            sweep(store)


def test_what_only_gone_calls_had_goes_and_the_rest_stays(opener: Opener, clock: ManualClock) -> None:
    store = opener()
    old = [a_call(f"o{n}", clock.now(), session=f"old{n}", user="gone", region="r") for n in range(3_000)]
    write(store, *old)
    clock.advance(100 * DAY)
    new = [a_call(f"n{n}", clock.now(), session="new", region="r") for n in range(3)]
    write(store, *new)
    before = numbers(store, "terms")
    assert len(before) > 3_000
    short = dict.fromkeys(("raw", "minute", "hour", "day"), "1d")
    report = store.retain(Retention.model_validate(short), clock.now())
    # The set with the user; sessions are in the ledger, which stays.
    assert report.labels == 1
    with store._writing.transaction():
        store._writing.conn.execute("DELETE FROM sessions WHERE session <> ?", (before["new"],))
    assert sweep(store) == 3_000
    assert texts(store) == {"events:app", "gpt-4o", "computed", "new", "r"} & set(before)
    assert total(read(store, Layer.RAW, where={"session": "new"})) == 3
    write(store, *(a_call(f"x{n}", clock.now(), session=f"old{n}", region="r") for n in range(5)))
    assert min(numbers(store, "terms")[f"old{n}"] for n in range(5)) > max(before.values())


def test_packed_cells_keep_their_label_sets(opener: Opener, clock: ManualClock) -> None:
    store = opener()
    write(store, *(a_call(f"c{n}", clock.now(), user=f"u{n}") for n in range(20)))
    clock.advance(100 * DAY)
    write(store, a_call("last", clock.now()))
    assert store.seal(clock.now(), PACKED).blocks
    before = [contents(read(store, layer)) for layer in (Layer.HOUR, Layer.DAY)]
    assert store.retain(Retention(), clock.now()).calls == 20
    assert [contents(read(store, layer)) for layer in (Layer.HOUR, Layer.DAY)] == before
    assert len(store.label_values("user")) == 20


def test_imports_samples_and_events_keep_their_texts(opener: Opener, clock: ManualClock) -> None:
    store = opener()
    store.begin_import(ImportInfo("batch", clock.now(), ("f",), "csv", 0))
    samples = [Sample("cpu", clock.now(), 1.0, batch_id="batch")]
    store.write(WriteBatch(samples=samples))
    write(store, a_call("a", clock.now(), batch_id="other"))
    store.write(WriteBatch(retracts=[Retract("events:app", "a")]))
    write(store, a_call("b", clock.now(), environment="last"))
    sweep(store)
    assert "batch" in texts(store)
    assert "other" not in texts(store)
    assert store.undo_import("batch") == 0
    assert store.series() == []


def test_what_is_written_while_it_looks_is_spared(
    opener: Opener, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opener()
    write(store, a_call("a", clock.now(), region="back", user="back"))
    store.write(WriteBatch(retracts=[Retract("events:app", "a")]))
    write(store, a_call("last", clock.now()))
    real, kept = sweeping._sets, [a_call("b", clock.now(), region="back", user="back", project="new")]

    def meanwhile(conn: object) -> object:
        found = real(conn)  # type: ignore[arg-type]
        write(store, *kept)
        return found

    monkeypatch.setattr(sweeping, "_sets", meanwhile)
    sweep(store)
    check_layers(store, [a_call("last", clock.now()), *kept])
    raw = read(store, Layer.RAW, labels=("region", "user"))
    assert sorted(str(v) for v in raw.labels["region"].values) == ["None", "back"]


def test_a_viewer_never_sees_another_text_under_a_number(opener: Opener, clock: ManualClock) -> None:
    store, viewer = opener(), opener(write=False)
    write(store, a_call("a", clock.now(), region="first"))
    assert read(viewer, Layer.RAW, labels=("region",)).labels["region"].values == ["first"]
    store.write(WriteBatch(retracts=[Retract("events:app", "a")]))
    sweep(store)
    write(store, a_call("b", clock.now(), region="second"))
    assert read(viewer, Layer.RAW, labels=("region",)).labels["region"].values == ["second"]


def test_calls_are_filtered_beside_those_whose_labels_are_gone(opener: Opener, clock: ManualClock) -> None:
    store = opener()
    store.begin_import(ImportInfo("load", clock.now(), ("f",), "csv", 0))
    some = [a_call(f"c{n}", clock.now(), user=f"u{n}") for n in range(3)]
    brought = [a_call(f"i{n}", clock.now(), user=f"later {n}", batch_id="load") for n in range(4)]
    write(store, *some, *brought)
    store.seal(clock.now(), Limits(rows=7, head=0, age=0, identities=0))
    store.undo_import("load")
    viewer = opener(write=False)
    found = viewer.calls(EVER, HasLabel("user", lambda user: user == "u1"))
    assert [call.source_key for call, _ in found] == ["c1"]


def test_who_sees_an_earlier_moment_knows_its_label_sets(opener: Opener, clock: ManualClock) -> None:
    store, viewer = opener(), opener(write=False)
    write(store, a_call("a", clock.now(), user="ana"))
    with viewer._reading() as before:
        write(store, a_call("b", clock.now(), user="ben"))
        store.write(WriteBatch(retracts=[Retract("events:app", "a")]))
        store.retain(Retention(), clock.now())
        assert "ana" not in repr(numbers(store, "series_keys"))
        assert viewer.label_values("user") == ["ben"]
        assert set(read(viewer, Layer.HOUR).labels["user"].values) == {"ben"}
        facts = rollup_facts(
            before.conn, before.lookup, Layer.HOUR, EVER, ["user"], ["calls"], [], {}, None
        )  # fmt: skip
        assert facts.labels["user"].values == ["ana"]
