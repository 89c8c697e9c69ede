"""Buckets of requests: never more than the rate allows, and never less to who waits as told."""

from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.server import rates
from tui_monitor.server.rates import Rates, origin_of


@given(st.integers(1, 50), st.lists(st.floats(0, 0.5), max_size=200))
def test_no_more_pass_than_the_rate_and_the_burst(limit: int, gaps: list[float]) -> None:
    buckets = Rates(limit)
    now, passed = 1000.0, 0
    for gap in gaps:
        now += gap
        passed += buckets.wait("a", now) == 0
        assert passed <= limit * (2 + now - 1000.0) + 1e-6


@given(st.integers(1, 5_000), st.integers(0, 30))
def test_who_waits_as_told_passes(limit: int, over: int) -> None:
    buckets = Rates(limit)
    now = 5.0
    for _ in range(2 * limit + over):
        wait = buckets.wait("a", now)
    if over:
        assert 0 < wait <= 1 / limit + 1e-9
        assert buckets.wait("a", now + wait + 1e-6) == 0
    assert buckets.wait("b", now) == 0


def test_no_limit_and_a_clock_that_stands() -> None:
    buckets = Rates(0)
    assert {buckets.wait("a", 1.0) for _ in range(1000)} == {0.0}
    one = Rates(1)
    assert [one.wait("a", at) for at in (9.0, 8.0, 7.0)] == [0.0, 0.0, 1.0]


def test_only_so_many_clients_are_remembered() -> None:
    buckets = Rates(1)
    for n in range(rates._MOST * 2):
        buckets.wait(str(n), 1.0)
    assert len(buckets._left) == rates._MOST


def test_a_host_with_many_addresses_is_one_client() -> None:
    assert origin_of("2001:db8::1") == origin_of("2001:db8::ffff:2") != origin_of("2001:db8:0:1::1")
    assert origin_of("::ffff:192.0.2.7") == origin_of("192.0.2.7") == "192.0.2.7"
    assert origin_of("") == ""
