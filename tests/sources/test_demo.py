"""The demo: the excerpt is the traces', and its calls are the same for the same moment, whoever asks."""

import csv
import gzip
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import SHARED
from tui_monitor.model.clock import DAY, HOUR, MINUTE
from tui_monitor.model.demo import Plan, origin_of
from tui_monitor.model.timerange import Span
from tui_monitor.sources.demo import excerpt as packaged
from tui_monitor.sources.demo.beside import beside
from tui_monitor.sources.demo.cast import CAST
from tui_monitor.sources.demo.plan import Calls

EVERY = 24
ANCHOR = 1_773_835_200_000_000
PLAN = Plan(ANCHOR, 0, "two traces")


def rows(name: str) -> list[dict[str, str]]:
    path = SHARED / "data" / name
    if not path.exists():
        pytest.skip(f"the original trace is not there: {path}")
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


def azure(name: str) -> list[tuple[int, int, int, int]]:
    found = rows(f"azure-llm-2023/{name}.csv.gz")
    first = datetime.fromisoformat(found[0]["TIMESTAMP"][:26])
    return [
        (
            round((datetime.fromisoformat(row["TIMESTAMP"][:26]) - first).total_seconds() * 1000),
            int(row["ContextTokens"]), int(row["GeneratedTokens"]), 0,
        )
        for row in found[::EVERY]
    ]  # fmt: skip


def mooncake() -> list[tuple[int, int, int, int]]:
    kept, seen = [], set()
    for number, row in enumerate(rows("mooncake/conversation.csv.gz")):
        blocks = row["hash_ids"].split()
        lead = next((n for n, block in enumerate(blocks) if block not in seen), len(blocks))
        seen.update(blocks)
        if number % EVERY == 0:
            given = int(row["input_length"])
            kept.append((int(row["timestamp"]), given, int(row["output_length"]), min(given, 512 * lead)))
    return kept


@pytest.mark.parametrize(
    ("stream", "original"),
    [("code", lambda: azure("code")), ("chat", lambda: azure("conv")), ("agents", mooncake)],
)
def test_the_excerpt_is_what_its_page_says(
    stream: str, original: Callable[[], list[tuple[int, int, int, int]]]
) -> None:
    trace = packaged.excerpt()
    mine = trace.stream == packaged.STREAMS.index(stream)
    columns = (trace.at[mine] // 1000, trace.input[mine], trace.output[mine], trace.cached[mine])
    expected = [row for row in original() if row[0] * 1000 < packaged.LOOP]
    assert sorted(zip(*(column.tolist() for column in columns), strict=True)) == sorted(expected)
    page = Path(packaged.__file__).with_name("README.md").read_text()
    assert f"Every {EVERY}th request" in page
    assert "CC-BY" in page
    assert "Apache-2.0" in page


def seen(calls: Calls, span: Span) -> set[tuple[object, ...]]:
    found = calls.between(span)
    if found is None:
        return set()
    return {
        (
            c.source_key,
            c.ts_start,
            c.ts_end,
            c.model,
            c.user,
            c.status,
            c.in_uncached,
            c.out_total,
            c.latency_ms,
        )
        for c in map(found.call, range(len(found)))
    }


def test_the_same_moment_has_the_same_calls_however_it_is_asked() -> None:
    span = Span(ANCHOR - 100 * MINUTE, ANCHOR + 20 * MINUTE)
    whole = seen(Calls(PLAN), span)
    assert len(whole) > 1000
    bounds = [span.start, ANCHOR - 61 * MINUTE, ANCHOR - 7, ANCHOR, ANCHOR + 3 * MINUTE, span.end]
    second = Calls(PLAN)
    # From the newest to the oldest, as the past is filled in.
    parts = [seen(second, Span(a, b)) for a, b in reversed(list(pairwise(bounds)))]
    assert sum(map(len, parts)) == len(whole)
    assert set().union(*parts) == whole


def test_when_it_begins_one_provider_fails_and_another_is_slow() -> None:
    found = Calls(PLAN).between(Span(ANCHOR - 5 * MINUTE, ANCHOR))
    assert found is not None
    calls = [found.call(row) for row in range(len(found))]
    failed = {p: [c.status == "error" for c in calls if c.provider == p] for p in ("openai", "anthropic")}
    assert np.mean(failed["openai"]) > 0.4
    assert np.mean(failed["anthropic"]) < 0.1
    assert {call.provider for call in calls} == {model.provider for stream in CAST for model in stream.models}
    assert all(call.out_total == 0 for call in calls if call.status == "error")
    assert all(call.booked > ANCHOR - 5 * MINUTE for call in calls)


def test_a_day_has_its_busy_hours() -> None:
    def count(hour: int) -> int:
        start = ANCHOR - ANCHOR % DAY - DAY + hour * HOUR
        return len(seen(Calls(PLAN), Span(start, start + HOUR)))

    assert count(11) > 4 * count(3)


def test_what_comes_beside_is_the_same_too() -> None:
    span = Span(ANCHOR - HOUR, ANCHOR)
    whole = list(beside(PLAN, span))
    halves = [
        *beside(PLAN, Span(span.start, ANCHOR - 1799 * 1_000_000)),
        *beside(PLAN, Span(ANCHOR - 1799 * 1_000_000, span.end)),
    ]
    assert sorted(e.source_key for e in whole) == sorted(e.source_key for e in halves)
    assert {event.kind for event in whole} >= {"cache", "rate_limit", "score", "progress"}


def test_a_database_says_whether_it_is_a_demo() -> None:
    assert Plan.of(PLAN.text()) == PLAN
    assert origin_of(PLAN.text()) == "two traces"
    assert origin_of(None) == ""
