"""Counters of calls over random histories of a store, against a count of its calls in plain Python.

Histories have late calls, corrections, merges of two sources, calls taken back, new prices, packed cells, and
single calls that are gone, in zones that change to summer time. Calls often lie right on borders.
"""

import math
import random
import re
from collections.abc import Callable

import numpy as np
import pytest
from query_oracle import label, random_calls

from tui_monitor.config.settings import Retention
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.model.feed import Retract
from tui_monitor.model.timerange import Span
from tui_monitor.query.context import Context
from tui_monitor.query.promql.calls import GRID, DerivedCalls
from tui_monitor.query.promql.engine import Engine
from tui_monitor.query.reading import RecentFacts
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

NOW = 1_775_131_200_000_000
"""2026-04-02 12:00 UTC, some days after summer time began in Berlin."""
Takes = Callable[[Call], bool]
VALUES: dict[str, tuple[Callable[[Call], int | None], int]] = {
    "llm_requests_total": (lambda c: 1, 1),
    "llm_errors_total": (lambda c: int(c.status == "error"), 1),
    "llm_requests_unpriced_total": (lambda c: int(c.cost_status == "unpriced"), 1),
    "llm_cost_usd_total": (lambda c: c.cost, 10**9),
    "cost_count": (lambda c: None if c.cost is None else 1, 1),
    "llm_tokens_total": (lambda c: c.total_tokens, 1),
    "llm_request_duration_seconds_sum": (
        lambda c: None if c.latency_ms is None else round(c.latency_ms * 1000), 10**6,
    ),
}  # fmt: skip
"""What a call adds, in the store's integers, and how many of these are one; `None` is unknown."""
BYS = [(), ("model",), ("provider", "model"), ("user",), ("folder",), ("user", "project", "status")]
MATCHERS: list[tuple[str, Takes]] = [
    ("", lambda c: True),
    ('{provider="claude"}', lambda c: c.provider == "anthropic"),
    ('{model=~"gpt.*|sonnet"}', lambda c: bool(re.fullmatch("gpt.*|sonnet", c.model or ""))),
    ('{user=""}', lambda c: not c.user),
    ('{folder="a"}', lambda c: c.attrs.get("folder") == "a"),
    ('{model="flash", status!="unknown"}', lambda c: c.model == "flash" and c.status != "unknown"),
]  # fmt: skip


def fill(store: Store, draw: random.Random) -> list[Call]:
    """A history; the calls that are there in the end."""
    days = draw.choice([3, 20, 60])
    calls = random_calls(draw.randrange(10**9), 150, NOW - days * DAY, NOW)
    for call in calls:
        call.call_keys = (f"k{call.source_key}",)
    draw.shuffle(calls)
    for at in range(0, len(calls), 60):
        store.write(WriteBatch(calls=calls[at : at + 60]))
        store.seal(NOW + 2 * DAY)
    changed, merged, gone = (calls[at : at + 10] for at in (0, 10, 20))
    again = [
        Call("test", c.source_key, ts_end=c.booked + draw.choice([0, 1, -HOUR]), provider=c.provider,
             model_served=c.model, status=c.status, error_category=c.error_category, cost=7,
             cost_status="computed", latency_ms=5.0, user="zoe")
        for c in changed
    ]  # fmt: skip
    again += [
        Call("other", f"o{c.source_key}", ts_end=c.booked, call_keys=c.call_keys, provider=c.provider,
             model_served="merged", status=c.status, error_category=c.error_category, out_total=3)
        for c in merged
    ]  # fmt: skip
    store.write(WriteBatch(calls=again, retracts=[Retract("test", c.source_key) for c in gone]))

    def price(call: Call) -> None:
        known = call.source_key[-1] in "0123"
        call.cost = call.cost_computed = (call.out_total or 0) * 1000 if known else None
        call.cost_status = "computed" if known else "unpriced"

    store.reprice(NOW - DAY, price)
    store.seal(NOW + 2 * DAY)
    left = [call for call, _ in store.calls(Span(0, NOW + DAY))]
    assert len(left) == len(calls) - len(gone)
    return left


def expected(
    calls: list[Call], name: str, by: tuple[str, ...], takes: Takes, at: int, length: int
) -> dict[tuple[tuple[str, str], ...], float]:
    """Each group's increase; a group is there from the first call on of which the metric is known."""
    value, divisor = VALUES[name]
    single = name == "llm_errors_total" and "status" in by
    sums: dict[tuple[tuple[str, str], ...], int] = {}
    for call in calls:
        counted = value(call)
        if call.booked > at or not takes(call) or counted is None or (single and not counted):
            continue
        of = tuple(sorted((n, label(call, n)) for n in by if label(call, n)))
        sums[of] = sums.get(of, 0) + (counted if call.booked > at - length else 0)
    return {of: total / divisor for of, total in sums.items()}


def asked(store: Store, zone: str, text: str, instants: np.ndarray):
    """The cells of an answer that are there, and whether something was left out of it."""
    context = Context(store, Calendar(zone), text, RecentFacts(store), store.version())
    value = Engine(DerivedCalls(context)).over(text, instants).value
    cells = {
        (of, int(at)): float(number)
        for of, numbers, present in zip(value.labels, value.values, value.present, strict=True)
        for at, number, here in zip(instants, numbers, present, strict=True)
        if here
    }
    return cells, any("left out" in warning for warning in context.warnings)


@pytest.mark.parametrize("seed", range(6))
def test_increase_is_what_plain_python_counts(tmp_path, seed):
    draw = random.Random(seed)
    zone = draw.choice(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
    store = Store.open(tmp_path / "monitor.db", write=True, clock=ManualClock(NOW), zone=zone)
    calls = fill(store, draw)
    shortened = seed % 2 == 1
    if shortened:
        kept = draw.choice(
            [{"raw": "1d"}, {"raw": "1d", "minute": "2d"}, {"raw": "1d", "minute": "1d", "hour": "3d"}]
        )
        assert store.retain(Retention.model_validate(kept), NOW + draw.choice([DAY, 3 * DAY])).calls > 0
    told = 0
    for _ in range(60):
        name, by, (matchers, takes) = draw.choice([*VALUES]), draw.choice(BYS), draw.choice(MATCHERS)
        length = draw.choice([MINUTE, 5 * MINUTE, HOUR, 7 * HOUR + SECOND, DAY, 30 * DAY])
        last = draw.choice(
            [
                NOW,
                NOW // DAY * DAY,
                NOW // HOUR * HOUR - 1,
                *(c.booked - draw.choice([0, 1]) for c in calls[:9]),
            ]
        )
        step = draw.choice([15 * SECOND, 5 * MINUTE, 37 * MINUTE, HOUR, DAY])
        instants = last - step * np.arange(draw.choice([1, 2, 12]))[::-1]
        plain = draw.random() < 0.25
        risen = f"{name}{matchers}" if plain else f"increase({name}{matchers}[{length // SECOND}s])"
        text = f"sum by({', '.join(by)})({risen})"
        found, left_out = asked(store, zone, text, instants)
        told += left_out
        wanted = {
            (of, at): number
            for at in instants.tolist()
            # A plain counter has stood since the last quarter of a minute, and counts from the first call on.
            for of, number in expected(
                calls, name, by, takes, at // GRID * GRID if plain else at, at if plain else length
            ).items()
        }
        if left_out:
            assert shortened, text
            continue
        if shortened:
            # What only single calls that are gone would tell of is not there where it would be 0.
            wanted = {of: number for of, number in wanted.items() if of in found or number}
        assert found.keys() == wanted.keys(), (text, instants)
        for of, number in wanted.items():
            assert math.isclose(found[of], number, rel_tol=1e-9, abs_tol=1e-12), (text, of)
    assert (told > 0) == shortened
    store.close()
