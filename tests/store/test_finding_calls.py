"""Single calls by a filter: the same ones, in the same order, as a plain loop over all calls finds."""

import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import EVER, a_call, write

from tests.examples import examples
from tests.store.conftest import Opener
from tui_monitor.model.call import Call
from tui_monitor.model.clock import HOUR, MINUTE, ManualClock
from tui_monitor.model.timerange import Span
from tui_monitor.store.database import Store
from tui_monitor.store.sealing import Limits
from tui_monitor.store.segments import Segment
from tui_monitor.store.where import EVERY, All, HasLabel, HasNumber, Not, Some, Where

START = 1_780_000_000_000_000


def maybe(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | values


calls = st.builds(
    Call,
    source=st.sampled_from(["litellm", "import"]),
    source_key=st.integers(0, 60).map(str),
    ts_end=st.integers(0, 8).map(lambda n: START + n * MINUTE),
    provider=st.sampled_from(["openai", "anthropic", None]),
    user=st.sampled_from(["u", "v", None]),
    session=st.sampled_from(["s", None]),
    status=st.sampled_from(["success", "error"]),
    in_uncached=maybe(st.integers(0, 5)),
    cache_read=maybe(st.integers(0, 5)),
    out_total=maybe(st.integers(0, 5)),
    cost=maybe(st.integers(0, 5)),
    latency_ms=maybe(st.sampled_from([0.5, 1.0, 2.0])),
    http_status=maybe(st.sampled_from([200, 429])),
    stream=st.sampled_from([None, True, False]),
    attrs=st.dictionaries(st.just("folder"), st.sampled_from(["x", "y", 1]), max_size=1),
)
labels = st.sampled_from(
    ["provider", "user", "session", "source", "status", "stream", "folder", "source_key"]
)
texts = st.sampled_from(["", "openai", "u", "s", "import", "error", "true", "x", "1", "7"])
has_label = st.builds(lambda label, text: HasLabel(label, text.__eq__), labels, texts)
numbers = st.sampled_from(
    [("input",), ("output",), ("input", "output"), ("cost",), ("latency",), ("http_status",)]
)
bounds = maybe(st.integers(-1, 6) | st.sampled_from([429, 500, 1000, 1001]))
has_number = st.builds(HasNumber, numbers, bounds, bounds)
wheres = st.recursive(
    has_label | has_number,
    lambda part: (
        part.map(Not)
        | st.lists(part, max_size=3).map(lambda parts: All(tuple(parts)))
        | st.lists(part, max_size=3).map(lambda parts: Some(tuple(parts)))
    ),
    max_leaves=6,
)
VALUE: dict[str, Callable[[Call], int | None]] = {
    "input": lambda call: call.total_in,
    "output": lambda call: call.out_total,
    "cost": lambda call: call.cost,
    "latency": lambda call: None if call.latency_ms is None else int(call.latency_ms * 1000),
    "http_status": lambda call: call.http_status,
}


def text_of(call: Call, label: str) -> str:
    value: Any = call.attrs.get(label) if label == "folder" else getattr(call, label)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def passes(call: Call, where: Where) -> bool:
    """The rules, one call at a time."""
    match where:
        case HasLabel():
            return where.accepts(text_of(call, where.label))
        case HasNumber():
            known = [v for name in where.numbers if (v := VALUE[name](call)) is not None]
            low = where.low is None or sum(known) >= where.low
            return bool(known) and low and (where.high is None or sum(known) <= where.high)
        case Not(part):
            return not passes(call, part)
        case All(parts):
            return all(passes(call, part) for part in parts)
        case Some(parts):
            return any(passes(call, part) for part in parts)


@given(
    st.lists(st.lists(calls, max_size=20), max_size=3),
    st.lists(wheres, min_size=1, max_size=6),
    st.integers(0, 8),
)
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow])
def test_calls_are_found_as_by_a_plain_loop(
    batches: list[list[Call]], questions: list[Where], since: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(START + HOUR)
        store = Store.open(Path(folder) / "monitor.db", write=True, clock=clock)
        model: dict[tuple[str, str], Call] = {}
        for number, batch in enumerate(batches):
            write(store, *batch)
            model |= {(call.source, call.source_key): call for call in batch}
            if number < 2:
                store.seal(clock.now(), Limits(rows=4, head=0, age=0, identities=0))
        span = Span(START + (since - 1) * MINUTE, START + 7 * MINUTE)
        for where in questions:
            wanted = [c for c in model.values() if span.start < c.booked <= span.end and passes(c, where)]
            found = [call for call, _ in store.calls(span, where)]
            assert store.count_calls(span, where) == len(found)
            assert [c.booked for c in found] == sorted((c.booked for c in wanted), reverse=True)
            assert {(c.source, c.source_key): c for c in found} == {
                (c.source, c.source_key): c for c in wanted
            }
        store.close()


def test_newest_calls_of_many_are_read_from_few_segments(opener: Opener, monkeypatch: Any) -> None:
    store = opener()
    write(store, *(a_call(str(n), START + n, latency_ms=float(n // 100)) for n in range(1000)))
    store.seal(START + HOUR, Limits(rows=100, head=0, age=0, identities=0))
    read: set[int] = set()
    blob = Segment._blob
    monkeypatch.setattr(Segment, "_blob", lambda self, name: (read.add(self.id), blob(self, name))[1])
    assert [c.source_key for c, _ in islice(store.calls(EVER), 3)] == ["999", "998", "997"]
    assert len(read) == 1
    read.clear()
    slow = HasNumber(("latency",), 3000, 3000)
    assert len(list(store.calls(EVER, slow))) == 100
    assert len(read) == 1, "zones tell where such calls can be"
    assert not list(store.calls(EVER, HasLabel("provider", "mistral".__eq__)))
    assert not list(store.calls(EVER, Some(())))
    assert len(read) == 1
    assert len(list(store.calls(EVER, Not(Not(EVERY))))) == 1000


def test_a_segment_without_bounds_is_looked_into(opener: Opener) -> None:
    store = opener()
    write(store, *(a_call(str(n), START + n) for n in range(10)))
    store.seal(START + HOUR, Limits(rows=10, head=0, age=0, identities=0))
    with store._writing.transaction():
        store._writing.conn.execute("UPDATE segments SET zones = '{}'")
    assert len(list(store.calls(EVER, HasNumber(("latency",), 1)))) == 10
