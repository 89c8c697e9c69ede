"""Events that become one: sums are kept, the latest state wins, whatever is merged with what first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model.merging import Item, merge

CALLS = st.builds(
    lambda provider, calls, cost, latency: Item(
        "request_completed",
        1,
        {"provider": provider, "calls": calls}
        | ({} if cost is None else {"cost_usd": cost})
        | ({} if latency is None else {"latency_ms": latency}),
    ),
    st.sampled_from(["a", "b", None]),
    st.integers(1, 50),
    st.none() | st.integers(0, 1_000),
    st.none() | st.integers(0, 1_000),
)
ALERTS = st.builds(
    lambda name, state: Item("alert_update", 1, {"id": name, "state": state}),
    st.sampled_from("xy"),
    st.sampled_from(["pending", "firing", "resolved"]),
)


def same(one: Item, other: Item) -> bool:
    assert (one.event, one.merged, set(one.data)) == (other.event, other.merged, set(other.data))
    return all(
        value == pytest.approx(other.data[name]) if isinstance(value, float) else value == other.data[name]
        for name, value in one.data.items()
    )


@given(st.lists(CALLS | ALERTS, max_size=20), st.lists(CALLS | ALERTS, max_size=20))
def test_in_two_steps_it_is_the_same_as_in_one(first: list[Item], second: list[Item]) -> None:
    for one, other in zip(merge([*merge(first), *second]), merge([*first, *second]), strict=True):
        assert same(one, other)


@given(st.lists(CALLS | ALERTS, max_size=40))
def test_sums_are_kept_and_the_latest_state_wins(items: list[Item]) -> None:
    merged = merge(items)
    for name in ("calls", "cost_usd"):
        assert sum(i.data.get(name, 0) for i in merged) == sum(i.data.get(name, 0) for i in items)
    assert sum(i.merged for i in merged) == len(items)
    timed = [i.data["latency_ms"] * i.data["calls"] for i in items if "latency_ms" in i.data]
    together = [i.data["latency_ms"] * i.data["calls"] for i in merged if "latency_ms" in i.data]
    assert sum(together) == pytest.approx(sum(timed))
    states = {i.data["id"]: i.data["state"] for i in items if "id" in i.data}
    assert {i.data["id"]: i.data["state"] for i in merged if "id" in i.data} == states
    assert len([i for i in merged if "id" in i.data]) == len(states)


def test_of_very_many_kinds_the_rest_is_told_in_one() -> None:
    items = [Item("request_completed", 1, {"app": str(n), "calls": 1, "cost_usd": 2.0}) for n in range(100)]
    merged = merge(items)
    assert len(merged) == 33
    assert merged[-1].data == {"calls": 68, "cost_usd": 136.0, "others": True}


def test_where_a_state_went_from_is_where_it_was_before_the_first() -> None:
    steps = (("healthy", "degraded"), ("degraded", "unavailable"))
    items = [
        Item("provider_status", 1, {"provider": "p", "before": was, "state": state}) for was, state in steps
    ]
    assert merge(items)[0].data == {"provider": "p", "before": "healthy", "state": "unavailable"}
