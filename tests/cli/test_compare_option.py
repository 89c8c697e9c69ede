"""`query --compare` and ranges in words: the same question about an earlier span, on a real database."""

import asyncio
from types import SimpleNamespace

import pytest

from tests.cli.conftest import Cli
from tui_monitor.cli.comparing import then
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR
from tui_monitor.model.timerange import Span, TimeRange
from tui_monitor.query.result import Result


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


class Days:
    """Answers about `[yesterday]`: of the moment that is asked for."""

    async def query(self, text: str, *, at: int) -> Result:
        span = Span.half_open(*Calendar().period("yesterday", at))
        return Result(text, "vector", (at,), (), span=span)

    async def snapshot(self, shown: TimeRange) -> SimpleNamespace:
        return SimpleNamespace(extent=SimpleNamespace(first=0))


def test_a_period_that_is_over_is_compared_with_the_one_right_before_it(fed: Cli) -> None:
    monitor, now = Days(), 40 * DAY + HOUR
    found = asyncio.run(monitor.query("requests{} [yesterday] sum", at=now))
    args = SimpleNamespace(compare="previous")
    context = SimpleNamespace(args=args, now=now, calendar=Calendar())
    told = asyncio.run(then(monitor, context, found.query, found, TimeRange()))
    assert told.result.span == told.span == Span.half_open(38 * DAY, 39 * DAY)
    assert fed("query", "requests{} [last_month] sum", "--compare", "week").code == 2


def test_what_was_not_recorded_whole_is_not_compared_with(fed: Cli) -> None:
    asked = ("query", "requests{} [30d] sum", "--compare", "previous", "--json")
    told = fed(*asked).json["data"]
    assert told["result"]
    assert told["before"]["result"] == []


def test_every_verb_that_gives_figures_compares(fed: Cli) -> None:
    plain = fed("costs", "--period", "today", "--compare", "week", "--plain").out
    assert "changes: against the same a week before" in plain
    told = fed("costs", "--period", "today", "--compare", "day", "--json").json["data"]
    same = fed("costs", "--period", "today", "--json").json["data"]
    assert (told["against"], same["against"]) == ("day", "previous")
    assert told["spends"][0]["previous"] == same["spends"][0]["previous"], "a day before today is yesterday"

    before = fed("status", "--compare", "previous", "--json").json["data"]["before"]["providers"]
    asked = ("metrics", "latency", "--group-by", "provider", "--compare", "previous")
    spread = fed(*asked, "--json").json["data"]
    then = {row["metric"]["provider"]: row for row in spread["before"]["result"]}
    assert {name: row["p95"] for name, row in then.items()} == before["p95_ms"]
    at = spread["before"]["end"]
    alone = fed("metrics", "latency", "--group-by", "provider", "--to", at, "--json").json["data"]["result"]
    assert {row["metric"]["provider"]: row["p95"] for row in alone} == pytest.approx(before["p95_ms"])
    lines = fed(*asked, "--plain").out.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == ["before", "change"]
    assert "before" in fed("metrics", "requests", "--compare", "day", "--json").json["data"]
    assert fed(*asked, "--chart").code == 0
    pane = fed("--plain", "--pane", "providers", "--compare", "week").out
    assert "a week before" in pane
    assert fed("--compare", "week").code == 2


def test_over_time_both_stand_at_the_same_times(fed: Cli) -> None:
    asked = ("query", "requests{} sum", "--range", "15h", "--step", "5h", "--compare", "previous")
    told = fed(*asked, "--json").json["data"]
    assert told["resultType"] == told["before"]["resultType"] == "matrix"
    assert "15 h" in fed(*asked, "--plain").out.splitlines()[0]
    assert "┄┄ 15 h before" in fed(*asked, "--chart").out
    assert fed("query", "where status=error", "--compare", "day").code == 2


def test_ranges_in_words(fed: Cli) -> None:
    day = fed("query", "requests{} sum", "--range", "yesterday", "--step", "1h", "--json").json["data"]
    ends = ("--from", "yesterday", "--to", "today")
    same = fed("query", "requests{} sum", *ends, "--step", "1h", "--json").json["data"]
    assert day == same
    assert fed("metrics", "requests", "--range", "since yesterday", "--json").code == 0
    # A day that is not over begins at midnight, and is compared with the same part of the one before.
    told = fed("metrics", "requests", "--range", "today", "--compare", "previous", "--json").json["data"]
    same = fed("query", "requests{} [today] sum", "--compare", "previous", "--json").json["data"]
    assert told["result"][0]["value"][1] == same["result"][0]["value"][1]
    assert told["before"]["start"] == same["before"]["start"]
    wrong = fed("query", "requests{} sum", "--range", "yesterday 14:00 t")
    assert wrong.code == 2
    assert "yesterday 14:00 t\n                ^ not understood: 't'" in wrong.err
    assert fed("query", "requests", "--at", "yesterday", "--range", "last week").code == 2
    assert fed("query", "requests", "--from", "today", "--range", "1h").code == 2
    assert fed("query", "requests", "--from", "today", "--to", "yesterday").code == 2
