"""`calls`: the list, and one call whole, by each of its names."""

from tests.cli.conftest import Cli


def test_the_newest_and_those_of_a_filter_with_their_ids(fed: Cli) -> None:
    found = fed("--json", "calls", "status=error").json["data"]
    assert (found["total"], len(found["result"])) == (20, 20)
    assert fed("--json", "calls").json["data"] == fed("--json", "query", "where").json["data"]
    told = fed("calls", "status=error", "--limit", "1")
    assert told.out.splitlines()[0].split()[-1] == "id"
    one = told.out.splitlines()[1].split()[-1]
    assert fed("--json", "calls", "--id", one).json["data"]["call"]["provider"] == "openai"


def test_one_call_is_what_the_pane_shows(fed: Cli) -> None:
    whole = fed("--json", "calls", "--id", "c3").json["data"]
    assert whole["call"]["user"] == "ana"
    shown = fed("calls", "--id", "c3")
    assert shown.code == 0
    for part in ("CALL\n", "PRICE\n", "WHO\n", "BEFORE AND AFTER", "USER ana"):
        assert part in shown.out
    assert "$0.50" in shown.out
    plain = fed("--plain", "calls", "--id", "c3").out
    assert "provider: anthropic" in plain
    assert "user: ana" in plain


def test_what_is_no_call_is_told(fed: Cli) -> None:
    assert fed("calls", "--id", "nonsense").code == 1
    ran = fed("calls", "--id", "c3", "--range", "24h")
    assert (ran.code, "takes no filter" in ran.err) == (2, True)
    assert fed("calls", "status=").code != 0
