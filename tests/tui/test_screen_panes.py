"""What each pane says, at the sizes that people have."""

from dataclasses import replace
from typing import Any

import pytest

from tests.tui.screen_fakes import (  # fmt: skip
    CALENDAR,
    KEY,
    NOON,
    FakeMonitor,
    alert,
    costs,
    dashboard,
    lines,
    settle,
    text,
    tick,
)
from tui_monitor.health.views import SourceRow
from tui_monitor.model.clock import HOUR, MINUTE
from tui_monitor.model.sampling import SampledScope
from tui_monitor.model.states import AlertState, Severity, SourceState
from tui_monitor.model.timerange import TimeRange
from tui_monitor.query.result import Result, Series, labels_of
from tui_monitor.tui.drawing import BRAILLE
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes.answers import series_rows
from tui_monitor.tui.panes.charts import Colours, chart_of
from tui_monitor.tui.panes.money import level, month_lines
from tui_monitor.tui.panes.providers import columns
from tui_monitor.tui.widgets.columns import lay_out

pytestmark = pytest.mark.usefixtures("undrawn")

SIZES = [(80, 24), (120, 40), (200, 50)]


@pytest.fixture
def monitor() -> FakeMonitor:
    return FakeMonitor()


def row(app, word: str) -> str:
    return next(line for line in lines(app) if word in line)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_providers(monitor: FakeMonitor, size: tuple[int, int]) -> None:
    async with dashboard(monitor).run_test(size=size) as pilot:
        await settle(pilot, KEY["providers"])
        shown = text(pilot.app)
        assert "✖ unavailable" in row(pilot.app, "openai")
        assert "[LOW] 40.0 %" in row(pilot.app, "openai")
        assert "[HIGH] 1.20 s" in row(pilot.app, "google")
        assert "● healthy" in row(pilot.app, "anthropic")
        assert "○ unknown" in row(pilot.app, "mistral")
        assert "12 of the last 20 calls failed: server 12" in shown
        assert "p95 1.20 s is 2.4 × the usual 500 ms" in shown
        assert "12 unpriced" in lines(pilot.app)[-1]
        assert "15 calls have no price" in shown
        assert "LATENCY p95 by provider" in shown
        # Unknown is never 0.
        assert " 0" not in row(pilot.app, "mistral  ")


def test_one_order_for_chart_legend_and_list() -> None:
    # A sum: one large step is less than many small ones.
    span = TimeRange(HOUR).span(NOON)
    times = tuple(range(span.start + MINUTE, span.end + 1, MINUTE))
    steps = {f"u{n}": tuple(1.0 if i < 10 + n else None for i in range(60)) for n in range(10)}
    steps["once"] = (5.0, *(None,) * 59)
    over = Result("q", "matrix", times, tuple(Series(labels_of(user=u), v) for u, v in steps.items()), "usd")
    sums = tuple(Series(labels_of(user=u), (sum(v or 0 for v in s),)) for u, s in steps.items())
    now = Result("q", "vector", (NOON,), sums, "usd")
    look = Look(NOON, 1, TimeRange(HOUR), CALENDAR)
    chart = chart_of(over, look, Colours(), now=now)
    rows = series_rows(over, now, {line.name: line.index for line in chart.series}, BRAILLE)
    names = [f"u{n}" for n in range(9, -1, -1)]
    assert [line.name for line in chart.series] == names[:8]
    assert [row.cells["name"].text for row in rows] == [*names, "once"]


async def test_providers_wide_has_everything(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(200, 50)) as pilot:
        await settle(pilot, KEY["providers"])
        found = row(pilot.app, "openai")
        for figure in ("2.10 s", "4.84 s", "9.80 s", "60.0 %", "250", "1.35 M", "$67.89"):
            assert figure in found
        assert "bars: requests per 10 m, to 9" in text(pilot.app)


async def test_numbers_are_right_aligned(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["providers"])
        rows = [row(pilot.app, name) for name in ("openai", "google", "anthropic")]
        ends = {
            line.index(cost) + len(cost)
            for line, cost in zip(rows, ("$67.89", "$12.45", "$45.23"), strict=True)
        }
        assert len(ends) == 1


async def test_the_row_under_the_cursor_says_why(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["providers"])
        assert "none of the last 31 calls failed" not in text(pilot.app)
        await settle(pilot, "j", "j")
        assert "none of the last 31 calls failed" in text(pilot.app)
        assert "last call 1 m ago" in text(pilot.app)


async def test_the_chart_falls_back_on_what_there_is(monitor: FakeMonitor) -> None:
    answer = monitor.query_range

    async def only_requests(text: str, *rest: Any) -> Any:
        result = await answer(text, *rest)
        return result if text.startswith("requests") else replace(result, series=())

    monitor.query_range = only_requests  # type: ignore[method-assign]
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["providers"])
        assert "REQUESTS by provider" in text(pilot.app)
        await settle(pilot, "m")
        assert "TOKENS by provider" in text(pilot.app)
        assert "m shows another figure" in text(pilot.app)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_costs(monitor: FakeMonitor, size: tuple[int, int]) -> None:
    async with dashboard(monitor).run_test(size=size) as pilot:
        await settle(pilot, KEY["costs"])
        shown = text(pilot.app)
        for words in (
            "$425.67 of $500.00", "85.1 %", "14 days left", "≈ $548.00 by the month's end, linear",
            "used up ≈ Fri 27 Mar", "search  project=search", "$5.84 of $20.00 a day", "$125.57", "▲ 12 %",
            "BY model   this month", "claude-sonnet-4-5", "$189.23", "44.4 %",
        ):  # fmt: skip
            assert words in shown, words
        mine = row(pilot.app, "my-own-model").split()
        assert mine[:3] == ["my-own-model", "12", "12"] or "12" in mine
        assert "$0.00" not in shown
        assert "░" in shown


async def test_costs_without_a_budget_tells_how_to_have_one(monitor: FakeMonitor) -> None:
    monitor.change = lambda view: replace(view, budgets=()) if hasattr(view, "budgets") else view
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["costs"])
        assert "no month budget: [[budgets]] in config.toml draws its bar here" in text(pilot.app)


def test_a_budget_is_judged_by_where_it_is_going() -> None:
    budget = costs().budgets[0]
    assert level(budget) == "warn"
    assert level(replace(budget, spent=600)) == "crit"
    assert level(replace(budget, spent=100, projected=300.0)) == "ok"


async def test_worst_severity_marks_the_tab(monitor: FakeMonitor) -> None:
    monitor.alert_list = [alert(severity=Severity.WARNING), alert("x", state=AlertState.PENDING)]
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "4 Alerts ▲1" in lines(pilot.app)[1]


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_system(monitor: FakeMonitor, size: tuple[int, int]) -> None:
    async with dashboard(monitor).run_test(size=size) as pilot:
        await settle(pilot, KEY["system"])
        shown = text(pilot.app)
        memory = "8.00 GiB x2" if size[0] < 100 else "8.00 GiB, 50.0 %, 2 processes"
        for words in (
            "HOST  gpu-box-2", "processor", "41.0 %", "memory ✖", "93.0 %", "12.1 KiB/s",
            "● running  pid 4242", "for 3 h", "9 Collector", "3 requests", "PROGRAMS", "ollama", memory,
        ):  # fmt: skip
            assert words in shown, words
        assert row(pilot.app, "  load").split()[1] == "–"
        assert row(pilot.app, "  postgres").split()[1] == "–"
        # Filters and orders reach the programs, too.
        await settle(pilot, "slash", *"ollama", "enter")
        assert "network in" not in text(pilot.app)
        assert "ollama" in text(pilot.app)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_sampling_is_told_in_the_status_bar_and_beside_the_collector(
    monitor: FakeMonitor, size: tuple[int, int]
) -> None:
    scope = SampledScope("anthropic", "claude-haiku-4-5", 4)
    monitor.status = replace(monitor.status, sources=(), sampling=(scope,), left_out=12_000)
    async with dashboard(monitor).run_test(size=size) as pilot:
        await settle(pilot)
        assert "sampling 1 in 4" in lines(pilot.app)[0]
        await settle(pilot, KEY["collector"])
        assert "sampling 1 in 4 of anthropic claude-haiku-4-5" in text(pilot.app)
        assert "12.0 k calls without a row" in text(pilot.app)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_collector(monitor: FakeMonitor, size: tuple[int, int]) -> None:
    async with dashboard(monitor).run_test(size=size) as pilot:
        await settle(pilot, KEY["collector"])
        shown = text(pilot.app)
        for words in (
            "● running  pid 4242", "for 3 h", "▲ degraded", "▲ sources failed: probes", "lag 400 ms",
            "120 k calls, 45.8 MiB", "p50 3.00 ms", "p95 42.0 ms", "kept answers 81.0 %",
            "2 http, 1 socket, 3 websocket",
            "of a core", "94.4 MiB", "SLOW QUERIES  from 500 ms on", "1.20 s",
        ):  # fmt: skip
            assert words in shown, words
        assert "1.20 s" in row(pilot.app, "sum by (user)")
        await settle(pilot, "end")
        assert "✖ failed" in row(pilot.app, " probes  ")


async def test_collector_wide_has_everything(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(200, 50)) as pilot:
        await settle(pilot, KEY["collector"])
        slow = row(pilot.app, "increase(llm_cost_usd_total[30d])")
        for words in ("1.20 s", "http grafana", "3 m", "60 steps, 12 series, 1.20 M samples"):
            assert words in slow, words
        assert "cancelled" in row(pilot.app, "p95 too high")
        assert "last 180 ms, longest 300 ms, 120 times" in row(pilot.app, "app silent")
        assert "2 failed" in row(pilot.app, "error rate  ")
        assert "2 restarts" in row(pilot.app, "2 restarts")


async def test_collector_where_nobody_collects(monitor: FakeMonitor) -> None:
    monitor.status = replace(monitor.status, running=False, pid=None, sources=())
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["collector"])
        assert "nobody collects into this database" in text(pilot.app)
        assert "120 k calls" in text(pilot.app)
        assert "queries" not in text(pilot.app)


async def test_system_without_a_collector(monitor: FakeMonitor) -> None:
    monitor.status = replace(monitor.status, running=False, pid=None, sources=())
    monitor.empty = True
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["system"])
        assert "nobody collects into this database" in text(pilot.app)
        assert "No sample of this host: nobody collects." in text(pilot.app)


async def test_system_of_a_collector_that_hangs(monitor: FakeMonitor) -> None:
    monitor.status = replace(monitor.status, running=False, pid=4711, sources=())
    monitor.empty = True
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["system"])
        shown = " ".join(text(pilot.app).split())
        assert shown.count("process 4711 writes this database and does not answer") == 2
        assert "nobody collects" not in text(pilot.app)


# Empty panes teach.


@pytest.mark.parametrize("key", [KEY[name] for name in ("overview", "providers", "costs", "alerts")])
async def test_empty_panes_teach(monitor: FakeMonitor, key: str) -> None:
    monitor.empty, monitor.newest = True, None
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot, key)
        shown = " ".join(text(pilot.app).split())
        if key == KEY["alerts"]:
            assert '[[alerts.rules]] name = "errors" expr = "error_rate{} [5m] by(provider) > 0.05"' in shown
        else:
            assert "tui-monitor import --format azure-llm-2023" in shown
            assert "curl http://127.0.0.1:4319/monitor/v1/events" in shown


async def test_a_range_without_calls_says_where_they_are(monitor: FakeMonitor) -> None:
    monitor.empty, monitor.newest = True, monitor.at - 26 * 3_600_000_000
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "No calls in this time range; the newest is 1 d 2 h old. n goes there." in text(pilot.app)


async def test_the_lessons_name_the_database_and_the_door_that_are_used(monitor: FakeMonitor) -> None:
    from pathlib import Path

    monitor.empty, monitor.newest = True, None
    app = dashboard(monitor)
    settings = app.backend.settings
    assert settings is not None
    settings.database.path = Path("/data/my calls.db")
    sources = tuple(row for row in monitor.status.sources if row.name != "http")
    monitor.status = replace(monitor.status, sources=sources)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "tui-monitor --db '/data/my calls.db' import" in text(app)
        assert "curl" not in text(app)


async def test_the_lessons_are_true_at_this_moment(monitor: FakeMonitor) -> None:
    monitor.empty, monitor.newest = True, None
    door = SourceRow("http", SourceState.FAILED, "", last_error="127.0.0.1:4319 is in use")
    monitor.status = replace(monitor.status, sources=(door,))
    app = dashboard(monitor)
    async with app.run_test(size=(80, 30)) as pilot:
        await settle(pilot)
        assert "curl" not in text(app)
        door = SourceRow("http", SourceState.RUNNING, "http://[::1]:4400 (insecure: off loopback)")
        monitor.status = replace(monitor.status, sources=(door,))
        await tick(pilot)
        assert "curl http://[::1]:4400/monitor/v1/events" in text(app)
        assert "authorization" not in text(app)
        said = "https://0.0.0.0:4400 (certificate for monitor.lan until 2027-01-01)"
        monitor.status = replace(monitor.status, sources=(replace(door, detail=said),))
        await tick(pilot)
        assert "curl https://monitor.lan:4400/monitor/v1/events" in text(app)
        assert '-H "authorization: Bearer $(tui-monitor token)" \\' in text(app)
        insecure = "http://0.0.0.0:4400 (insecure: off loopback without TLS)"
        monitor.status = replace(monitor.status, sources=(replace(door, detail=insecure),))
        await tick(pilot)
        assert "curl http://127.0.0.1:4400/monitor/v1/events" in text(app)
        assert "authorization: Bearer" in text(app)
        monitor.status = replace(monitor.status, running=False, pid=None, sources=())
        await tick(pilot)
        assert "nobody collects now. This does:" in text(app)
        assert "tui-monitor collect --detach" in text(app)
        assert "agents" not in text(app)
        app.backend.settings.consent.agent_logs = True
        monitor.status = replace(monitor.status, running=True)
        await tick(pilot)
        assert f"their logs are read as they grow; {KEY['sources']} shows how far." in text(app)
        app.backend.settings.consent.agent_logs = None
        monitor.status = replace(monitor.status, running=True, sources=(door,))
        await tick(pilot)
        assert "C asks whether their logs may be read." in text(app)


async def test_no_projection_says_why(monitor: FakeMonitor) -> None:
    monitor.empty = True
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["costs"])
        assert "no projection yet: the month has just begun" in text(pilot.app)
        look = pilot.app.screen.pane.look
        assert month_lines(await monitor.costs(), look, 80, pilot.app.glyphs)


async def test_costs_of_a_fixed_range_are_asked_as_of_its_end(monitor: FakeMonitor) -> None:
    asked: list[object] = []
    answer = monitor.costs

    async def costs_at(by: str, period: str, *, at: int | None = None, against: str = "previous") -> Any:
        if by == "model":
            # Overview may have asked for its own before the key came.
            asked.append(at)
        return await answer(by, period, at=at)

    monitor.costs = costs_at  # type: ignore[method-assign]
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["costs"])
        await settle(pilot, "comma")
        assert asked == [None, monitor.at - 30 * MINUTE]
        await settle(pilot, "N")
        assert asked[-1] is None


def test_a_provider_has_as_much_room_on_a_larger_screen() -> None:
    rooms = [
        next(room for column, room in lay_out(columns(width), width - 2) if column.key == "provider")
        for width in (80, 120, 200)
    ]
    assert rooms == sorted(rooms)


async def test_costs_use_the_room_of_a_large_screen(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(200, 50)) as pilot:
        await settle(pilot, KEY["costs"])
        assert pilot.app.screen.query_one("#costs-days").region.height > 16
        assert "▇" * 17 in row(pilot.app, "claude-sonnet-4-5")
