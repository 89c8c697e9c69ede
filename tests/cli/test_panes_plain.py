"""The panes as text and as JSON: what the screen shows is what the commands say of the same moment."""

import asyncio
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, Ran
from tui_monitor.config import places
from tui_monitor.model.clock import DAY, SECOND, ManualClock
from tui_monitor.model.errors import StoreError
from tui_monitor.model.units import count, milliseconds, ratio, usd
from tui_monitor.monitor.thread import CollectorThread
from tui_monitor.tui.app import MonitorApp
from tui_monitor.tui.panes.query import QueryPane
from tui_monitor.tui.panes.queryasking import QueryAnswer
from tui_monitor.tui.panes.querykept import Pin, pin
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.plain import _chart, texts, told
from tui_monitor.tui.widgets.figure import ChartData, ChartSeries
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow

DRAWING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f─-◿⠀-⣿]")


def without(form: Any, *keys: str) -> Any:
    """A form without what depends on the size of a screen, or on the moment of asking."""
    if isinstance(form, dict):
        return {key: without(value, *keys) for key, value in form.items() if key not in keys}
    return [without(value, *keys) for value in form] if isinstance(form, list) else form


def sections(ran: Ran) -> dict[str, list[str]]:
    """Each pane's lines, by its id."""
    found: dict[str, list[str]] = {}
    for line in ran.out.splitlines():
        name = next((entry.id for entry in PANES if line == entry.title.upper()), None)
        if name is not None and name not in found:
            found[name] = []
        elif found:
            found[list(found)[-1]].append(line)
    return found


def test_every_pane_says_what_the_commands_say(fed: Cli) -> None:
    names = [word for entry in PANES for word in ("--pane", entry.id)]
    ran = fed("--json", *names)
    assert ran.code == 0, ran.out + ran.err
    panes = ran.json["data"]
    status, costs = fed("--json", "status").json["data"], fed("--json", "costs").json["data"]
    small = ("spark", "spark_step")
    for view in (panes["overview"]["figures"]["providers"], panes["providers"]["view"]):
        assert without(view["rows"], *small) == without(status["providers"]["rows"], *small)
    assert panes["overview"]["figures"]["costs"]["spends"] == status["costs"]["spends"] == costs["spends"]
    assert panes["costs"]["rows"] == costs["rows"] != []
    assert panes["alerts"]["view"]["alerts"] == fed("--json", "alerts", "list").json["data"]["alerts"]
    found = fed("--json", "query", "provider=anthropic", "--limit", "500").json["data"]["result"]
    shown = [call for call in panes["calls"]["result"] if call["provider"] == "anthropic"]
    assert shown == found != []

    text = sections(fed("--plain"))
    assert set(text) == {entry.id for entry in PANES}
    for row in status["providers"]["rows"]:
        figures = (
            f"state {row['state']}", f"p95 {milliseconds(row['p95_ms'])}", ratio(row["success_rate"]),
            f"today {usd(row['cost_today'])}",
        )  # fmt: skip
        for pane in ("overview", "providers"):
            line = next(line for line in text[pane] if line.startswith(f"{row['provider']}: "))
            assert all(figure in line.replace("[LOW] ", "").replace("[HIGH] ", "") for figure in figures)
    for row in costs["rows"]:
        line = next(line for line in text["costs"] if line.startswith(f"{row['name']}: "))
        assert f"calls {count(row['calls'])}, " in line
        assert f"cost {usd(row['cost'])}" in line
    assert sum(": provider anthropic, " in line for line in text["calls"]) == len(shown)


QUERIES = ("latency{} [1h] p95 by(provider)", "requests{} by(provider)", "sum by (model) (cost)")


async def ask_on_the_screen(config: CollectorThread, form: str) -> list[Any]:
    """What the Query pane exports of each query, as a chart or as a table, and the seconds of its steps."""
    app = MonitorApp(config, environ={"LANG": "C.UTF-8"})
    found: list[Any] = []
    async with app.run_test(size=(120, 40)) as pilot:
        dashboard = app.get_default_screen()
        while dashboard.snapshot is None:
            await pilot.pause(0.02)
        await dashboard.action_pane("query")
        pane = dashboard.query_one(QueryPane)
        for text in QUERIES:
            pane.ask_for(text)
            await pilot.pause()
            while pane.asking or pane.answer is None or pane.answer.text != text:
                await pilot.pause(0.02)
            if form == "table" and not pane.as_table:
                await pane.run_action("view")
            assert isinstance(pane.answer, QueryAnswer)
            first, second = pane.answer.over.times[:2]
            found.append((pane.exported().data, (second - first) // SECOND))
    return found


@pytest.mark.parametrize("form", ["table", "chart"])
def test_the_query_pane_answers_as_the_command_does(fed: Cli, clock: ManualClock, form: str) -> None:
    database = Path(fed("--json", "config", "path").json["data"]["database"])
    thread = CollectorThread(None, {"database": {"path": database}}, collect=False, clock=clock)
    try:
        shown = asyncio.run(ask_on_the_screen(thread, form))
    finally:
        assert thread.stop(5)
    for text, (data, step) in zip(QUERIES, shown, strict=True):
        over = ["--range", "1h", "--step", f"{step}s"] if form == "chart" else []
        assert data == without(fed("--json", "query", text, *over).json["data"], "unit", "query"), text


def test_text_draws_nothing_and_a_pane_can_be_chosen(fed: Cli) -> None:
    ran = fed("--plain", "--pane", "costs", "--pane", "system")
    assert ran.code == 0
    assert list(sections(ran)) == ["costs", "system"]
    assert not DRAWING.findall(ran.out.replace("\n", ""))
    assert "BY model" in ran.out
    assert not [path for path in places.state_dir().iterdir() if path.name not in ("toured", "monitor.log")]


def test_pinned_queries_are_told_with_their_answers_and_saved_ones_with_their_texts(fed: Cli) -> None:
    asked = "requests{} by(provider)"
    for query, table in ((asked, True), ("latency{} [1h] p95", False), ("latancy", False)):
        assert pin(Pin(query, table))
    assert fed("query", "--save", "slow", "latency{} [1h] p95").code == 0
    lines = sections(fed("--plain", "--pane", "query"))["query"]
    now = fed("--json", "query", asked).json["data"]
    number = len(now["result"])
    at = lines.index(f"{asked}  {number} series")
    assert len([line for line in lines[at + 1 :][:number] if ": requests " in line]) == number > 0
    assert next(line for line in lines if line.startswith("unknown metric"))
    assert lines[-2:] == ["SAVED", "slow: latency{} [1h] p95"]
    found = fed("--json", "--pane", "query").json["data"]["query"]["pinned"]
    assert [one["query"] for one in found] == [asked, "latency{} [1h] p95", "latancy"]
    assert (found[0]["widget"], found[1]["widget"]) == ("table", "chart")
    assert found[0]["result"] == now["result"]
    assert "unknown metric" in found[2]["error"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--plain", "--pane", "cost"], "did you mean costs?"),
        (["--pane", "costs"], "--pane goes with --plain or --json"),
        (["--plain"], "there is no database yet"),
        (["--plain", "--attach", "http://127.0.0.1:1", "--token-file", "TOKEN"], "127.0.0.1"),
    ],
)
def test_mistakes_are_told(cli: Cli, words: list[str], said: str, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-token-of-somebody\n")
    token.chmod(0o600)
    ran = cli(*(str(token) if word == "TOKEN" else word for word in words))
    assert ran.code != 0
    assert said in ran.err


def test_a_database_that_cannot_be_opened_is_told_at_once(fed: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*_: object) -> None:
        raise StoreError("written by an older version", hint="run it once")

    monkeypatch.setattr(CollectorThread, "_open", failing)
    ran = fed("--plain", "--pane", "costs", "--pane", "alerts")
    assert ran.code == 1
    assert ran.out == ""
    assert "written by an older version" in ran.err
    assert "run it once" in ran.err
    assert fed("--json", "--pane", "costs").json["status"] == "error"


def test_buckets_are_counts_between_bounds() -> None:
    series = (ChartSeries("0.5", (3.0, 1_500.0), 0), ChartSeries("inf", (0.0, 2.0), 1))
    times = (0, 60 * SECOND)
    said = [*_chart(ChartData(times, series, "s", bounds=(0.5, math.inf), drawing="heat"))]
    assert said[1].startswith("to 500 ms: last 1.50 k at ")
    assert said[2].startswith("over 500 ms: last 2 at ")


def test_what_is_projected_is_not_told_as_what_was() -> None:
    days = tuple(n * DAY for n in range(5))
    spent = ChartSeries("spent", (0.0, 5.0, 9.0, 14.0, 19.0), 0)
    said = [*_chart(ChartData(days, (spent,), "usd", projected=days[2]))][1]
    assert said.startswith("spent: last $9.00 at 00:00, highest $9.00 at 00:00, lowest $0.00 at Thu 1 Jan")
    assert said.endswith("projected, about $19.00 at Mon 5 Jan 00:00")
    gone = replace(spent, values=(None, None, None, 14.0, 19.0))
    assert [*_chart(ChartData(days, (gone,), "usd", projected=days[2]))][1] == "spent: –"


def test_a_value_that_says_all_has_no_title_before_it() -> None:
    grid = Grid((Column("alert", "alert"), Column("state", "taken by")))
    cells = {"1": Cell("not taken", says=True), "2": Cell("ana 11:04")}
    grid.show([GridRow(key, {"alert": Cell(f"alert {key}"), "state": cell}) for key, cell in cells.items()])
    assert texts(grid)[:2] == ["alert 1: not taken", "alert 2: taken by ana 11:04"]


def test_signs_become_words() -> None:
    assert told("····▂▃··") == ""
    assert told(" ▲ 12 %  → ≈ $548") == "up 12 %  to about $548"
    assert told("▲ warning ▂▃▅▇█▇  ● healthy") == "warning  healthy"
    assert told("85 % ████░░░") == "85 %"
