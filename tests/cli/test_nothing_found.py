"""Where a query finds nothing: the value that was probably meant, and how far the data reach."""

import pytest

from tests.cli.conftest import Cli


@pytest.mark.parametrize(
    "query",
    [
        'requests{provider="antropic"} [1d]',
        'sum(rate(llm_requests_total{provider="antropic"}[1d]))',
        "provider=antropic",
    ],
)
def test_a_mistyped_value_is_met_with_the_nearest(fed: Cli, query: str) -> None:
    ran = fed("query", query)
    assert ran.code == 0
    assert 'no call has provider="antropic"; did you mean anthropic?' in ran.err


@pytest.mark.parametrize("query", ['requests{provider="zzz"} [1d]', 'requests{provider="claude"} [1ms]'])
def test_nothing_is_guessed_of_a_known_value_or_a_strange_one(fed: Cli, query: str) -> None:
    assert "did you mean" not in fed("query", query).err


def test_the_newest_call_is_named_where_the_range_is_behind_it(fed: Cli) -> None:
    late = fed("query", "requests [1m]", "--at", "2026-03-25")
    assert "the newest call is of 2026-03-18" in late.err
    early = fed("query", "requests [1m]", "--at", "2020-01-01")
    assert "newest" not in early.err
    assert "newest" not in fed("query", "requests [30d]").err
