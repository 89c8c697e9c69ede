"""`query --explain`: the short form as PromQL, what it is read from, and why some have no such form."""

from tests.cli.conftest import Cli


def test_a_short_form_is_shown_as_promql(fed: Cli) -> None:
    text = "sum by (provider) (increase(requests[1d])) > 0"
    ran = fed("query", "--explain", "requests [1d] by(provider)")
    assert ran.out.splitlines()[0] == text
    assert ran.out.splitlines()[1].startswith("read from: ")
    explained = fed("query", "--explain", "requests [1d] by(provider)", "--json").json["data"]
    assert explained["promql"] == text
    assert explained["layers"]
    # What it prints is a query, with the same answer.
    ours = fed("query", "requests [1d] by(provider)", "--json").json["data"]
    assert fed("query", text, "--json").json["data"] == ours


def test_one_outcome_is_no_regular_expression(fed: Cli) -> None:
    text = fed("query", "--explain", "error_rate [1h]").out
    assert 'requests{status="error"}[1h]' in text
    assert 'requests{status=~"error|success"}[1h]' in text


def test_what_promql_cannot_say_is_told(fed: Cli) -> None:
    assert fed("query", "--explain", "cost [today]").out.startswith("not in PromQL: a calendar period")
    over_time = fed("query", "--explain", "requests", "--range", "1h", "--step", "5m").out
    assert over_time.startswith("sum(increase(requests[5m])) > 0\n")


def test_promql_is_printed_as_it_is(fed: Cli) -> None:
    assert fed("query", "--explain", "sum( rate(cost[5m]) )").out.startswith("sum(rate(cost[5m]))\n")
    assert fed("query", "--explain", "sum(rat(cost[5m]))").code == 1


def test_no_database_is_needed(cli: Cli) -> None:
    ran = cli("query", "--explain", "requests [1d] by(provider)")
    assert ran.code == 0
    assert ran.out.splitlines() == ["sum by (provider) (increase(requests[1d])) > 0", "read from: nothing"]
    assert "no database yet" in ran.err
    over_time = cli("query", "--explain", "requests", "--range", "1h", "--step", "5m", "--json").json
    assert over_time["data"] == {"promql": "sum(increase(requests[5m])) > 0", "layers": []}
    assert cli("query", "--explain", "sum(rat(cost[5m]))").code == 1
