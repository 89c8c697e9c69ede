"""`query` with a filter: calls as a table, in the envelope and as lines, and what is said beside them."""

import json

from tests.cli.conftest import Cli


def test_calls_are_listed_the_newest_first(fed: Cli) -> None:
    ran = fed("query", "provider=claude", "--range", "24h", "--limit", "3")
    lines = ran.out.splitlines()
    assert lines[0].split()[:4] == ["time", "provider", "model", "status"]
    assert len(lines) == 4
    assert all("anthropic" in line for line in lines[1:])
    assert [line[:19] for line in lines[1:]] == sorted((line[:19] for line in lines[1:]), reverse=True)
    assert "more: --limit" in ran.err


def test_the_envelope_holds_calls_by_the_names_of_the_feed(fed: Cli) -> None:
    data = fed("--json", "query", "status=error", "--range", "24h", "--limit", "5").json["data"]
    assert data["resultType"] == "calls"
    assert data["filter"] == "status=error"
    assert len(data["result"]) == 5
    assert data["total"] > 5
    assert {call["status"] for call in data["result"]} == {"error"}


def test_lines_are_all_calls(fed: Cli) -> None:
    total = fed("--json", "query", "where", "--range", "24h").json["data"]["total"]
    lines = fed("query", "where", "--range", "24h", "--lines").out.splitlines()
    assert len(lines) == total > 0
    assert all("id" in json.loads(line) for line in lines)
    assert len(fed("query", "where", "--range", "24h", "--lines", "--limit", "7").out.splitlines()) == 7


def test_a_filter_is_explained(fed: Cli) -> None:
    out = fed("query", "--explain", "not (latency > 1.5s or cost>$5)", "--range", "24h").out
    assert out.splitlines()[0] == "calls where NOT (latency>1.5s OR cost>$5)"
    assert "raw" in out


def test_the_other_reading_is_offered(fed: Cli) -> None:
    assert "'where latency>1000'" in fed("query", "latency > 1000").err
    assert "where" not in fed("query", "error_rate > 0.1").err


def test_mistakes(fed: Cli) -> None:
    ran = fed("query", "provider=claude AND latancy=5")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[:2] == [
        "provider=claude AND latancy=5",
        '                    ^^^^^^^ unknown field "latancy", did you mean latency?',
    ]
    assert fed("query", "provider=claude", "--chart").code == 2
    assert fed("query", "provider=claude", "--limit", "0").code == 2
    assert fed("query", "provider=claude", "--limit", "10001").code == 2
    assert "--limit" in fed("query", "latency", "--limit", "5").err
    assert fed("query", "user=nobody").out == "no such call in this time range\n"


def test_what_came_from_outside_drives_no_terminal(fed: Cli) -> None:
    ran = fed("query", 'user="\x1b]0;x\x07[/red]"', "--range", "24h")
    assert "\x1b" not in ran.out + ran.err
