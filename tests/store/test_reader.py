"""Labels, filters, and many at once."""

import threading
import time

import pytest
from store_helpers import EVER, a_call, read, total, write

from tests.store.conftest import Opener
from tui_monitor.model.clock import HOUR, SECOND, ManualClock
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Facts, Layer
from tui_monitor.store.database import Store


def texts(facts: Facts, label: str) -> list[str | None]:
    """A label's values by row, in order of time."""
    column = facts.labels[label]
    order = facts.end.argsort(kind="stable")
    return [column.values[code] for code in column.codes[order].tolist()]


def test_every_field_and_attribute_is_a_label_of_raw_calls(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    write(
        store,
        a_call("a", now, session="s1", trace_id="t1", stream=True, http_status=200, attrs={"folder": "x"}),
        a_call("b", now + 1, model_requested="asked", stream=False, attrs={'od"d': "y", "deep": {"a": [1]}}),
        a_call("c", now + 2, user="zoë", attrs={"ok": True, "n": 3}),
    )
    wanted = [
        "session", "trace_id", "stream", "http_status", "folder", "n", "model_requested", 'od"d', "deep",
        "user", "ok", "source", "cost_status", "nowhere",
    ]  # fmt: skip
    facts = store.facts(Layer.RAW, EVER, wanted, ("calls",))
    assert {label: texts(facts, label) for label in wanted} == {
        "session": ["s1", None, None],
        "trace_id": ["t1", None, None],
        "stream": ["true", "false", None],
        "http_status": ["200", None, None],
        "folder": ["x", None, None],
        "n": [None, None, "3"],
        "model_requested": [None, "asked", None],
        'od"d': [None, "y", None],
        "deep": [None, '{"a":[1]}', None],
        "user": [None, None, "zoë"],
        "ok": [None, None, "true"],
        "source": ["events:app"] * 3,
        "cost_status": ["computed"] * 3,
        "nowhere": [None] * 3,
    }


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        ({"provider": "openai"}, {"a", "b"}),
        ({"provider": "openai", "user": "u1"}, {"a"}),
        ({"user": ""}, {"c"}),
        ({"session": "s1"}, {"a", "c"}),
        ({"session": ""}, {"b"}),
        ({"folder": "x"}, {"b"}),
        ({"folder": ""}, {"a", "c"}),
        ({"provider": "nobody"}, set()),
        ({"provider": "' OR 1=1 --"}, set()),
        ({"folder' OR '1'='1": "x"}, set()),
    ],
)
def test_where_keeps_rows(store: Store, clock: ManualClock, where: dict[str, str], keys: set[str]) -> None:
    now = clock.now()
    write(
        store,
        a_call("a", now, user="u1", session="s1"),
        a_call("b", now, user="u2", attrs={"folder": "x"}),
        a_call("c", now, provider="anthropic", session="s1"),
    )
    facts = store.facts(Layer.RAW, EVER, ("source_key",), ("calls",), where=where)
    assert set(texts(facts, "source_key")) == keys
    if where.keys() <= {"provider", "user"}:
        for layer in (Layer.HOUR, Layer.DAY):
            assert total(store.facts(layer, EVER, (), ("calls",), where=where)) == len(keys)


def test_a_model_is_the_served_or_the_requested_one(store: Store, clock: ManualClock) -> None:
    write(store, a_call("a", clock.now(), model_served=None, model_requested="asked"))
    for layer in Layer:
        assert texts(store.facts(layer, EVER, ("model",), ("calls",)), "model") == ["asked"]


def test_names_and_values_of_labels(store: Store, clock: ManualClock) -> None:
    now = clock.now()
    write(
        store,
        a_call("a", now, user="b", session="s2", attrs={"folder": "y"}),
        a_call("b", now, user="a", session="s1", attrs={"folder": "x", "n": 1}),
        a_call("c", now),
    )
    assert store.label_values("user") == ["a", "b"]
    assert store.label_values("user", limit=1) == ["a"]
    assert store.label_values("session") == ["s1", "s2"]
    assert store.label_values("folder") == ["x", "y"]
    assert store.label_values("nowhere") == []
    assert {"folder", "n", "provider", "session"} <= set(store.label_names())


def test_nothing_stored_is_no_rows(store: Store) -> None:
    for layer in Layer:
        facts = read(store, layer)
        assert len(facts) == 0
        assert facts.labels["provider"].codes.tolist() == []
    extent = store.extent()
    assert (extent.calls, extent.first, extent.last) == (0, None, None)


def test_the_version_follows_commits_of_any_process(opener: Opener, clock: ManualClock) -> None:
    from tui_monitor.store.api import WriteBatch

    store = opener()
    reader = opener(write=False)
    versions = [reader.version()]
    assert reader.version() == versions[0]
    write(store, a_call("a", clock.now()))
    versions.append(reader.version())
    assert store.version() == versions[-1]
    write(store, a_call("a", clock.now()))
    assert reader.version() == versions[-1], "a duplicate changes nothing"
    store.write(WriteBatch(offsets={"file": "1"}))
    assert reader.version() == versions[-1], "a query cannot see an offset"
    write(store, a_call("b", clock.now()))
    versions.append(reader.version())
    assert len(set(versions)) == 3


def test_readers_see_whole_transactions_while_another_writes(opener: Opener, clock: ManualClock) -> None:
    store, now = opener(), clock.now()
    seen: list[tuple[int, ...]] = []
    problems: list[BaseException] = []
    done = threading.Event()

    def look() -> None:
        try:
            while not done.is_set():
                raw = read(store, Layer.RAW, Span(now - HOUR, now + HOUR))
                seen.append((total(raw), total(raw, "cost")))
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for i in range(30):
        write(store, *(a_call(f"{i}-{j}", now + i * SECOND + j) for j in range(20)))
    time.sleep(0.05)
    done.set()
    for thread in threads:
        thread.join()
    assert not problems
    assert len(seen) > 3
    assert all(calls % 20 == 0 and cost == calls * 1000 for calls, cost in seen)
    assert total(read(store, Layer.RAW)) == 600
