"""`query --compare` and ranges in words: the same question about an earlier span, on a real database."""

from tests.cli.conftest import Cli


def test_an_earlier_value_stands_beside_the_present_one(fed: Cli) -> None:
    asked = ("query", "requests{} [1h] sum by(provider)", "--compare", "previous")
    told = fed(*asked, "--json").json["data"]
    assert told["before"]["end"] > told["before"]["start"]
    now = {row["metric"]["provider"]: row["value"][1] for row in told["result"]}
    head, *rows = fed(*asked, "--plain").out.splitlines()
    assert head.split() == ["provider", "requests", "before", "change"]
    assert {row.split()[0]: row.split()[1] for row in rows if row.split()[1] != "–"} == now
    # The same as asking then.
    at = told["before"]["end"]
    then = fed("query", "requests{} [1h] sum by(provider)", "--at", at, "--json").json["data"]
    assert then["result"] == told["before"]["result"]


def test_over_time_both_stand_at_the_same_times(fed: Cli) -> None:
    asked = ("query", "requests{} sum", "--range", "15h", "--step", "5h", "--compare", "previous")
    told = fed(*asked, "--json").json["data"]
    assert told["resultType"] == told["before"]["resultType"] == "matrix"
    assert "15 h" in fed(*asked, "--plain").out.splitlines()[0]
    assert fed(*asked, "--chart").code == 0
    assert fed("query", "where status=error", "--compare", "day").code == 2


def test_ranges_in_words(fed: Cli) -> None:
    day = fed("query", "requests{} sum", "--range", "yesterday", "--step", "1h", "--json").json["data"]
    ends = ("--from", "yesterday", "--to", "today")
    same = fed("query", "requests{} sum", *ends, "--step", "1h", "--json").json["data"]
    assert day == same
    assert fed("metrics", "requests", "--range", "since yesterday", "--json").code == 0
    wrong = fed("query", "requests{} sum", "--range", "yesterday 14:00 t")
    assert wrong.code == 2
    assert "yesterday 14:00 t\n                ^ not understood: 't'" in wrong.err
    assert fed("query", "requests", "--at", "yesterday", "--range", "last week").code == 2
    assert fed("query", "requests", "--from", "today", "--range", "1h").code == 2
    assert fed("query", "requests", "--from", "today", "--to", "yesterday").code == 2
