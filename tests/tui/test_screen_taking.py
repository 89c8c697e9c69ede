"""`x` and `y` on every pane: files that hold what is shown, and what is under the cursor in the clipboard."""

import csv
from pathlib import Path
from typing import Any

import orjson
import pytest
from textual.pilot import Pilot

from tests.tui.screen_fakes import KEY, FakeMonitor, dashboard, lines, settle, text
from tui_monitor.tui import taking

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture
def monitor() -> FakeMonitor:
    monitor = FakeMonitor()
    monitor.rings = False
    return monitor


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was copied."""
    found: list[str] = []
    monkeypatch.setattr(taking, "copying", lambda text, environ: found.append(text) or "")
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


async def written(pilot: Pilot, home: Path) -> Path:
    for _ in range(200):
        found = [path for path in home.glob("tui-monitor-*") if not path.name.startswith(".")]
        if found:
            return found[0]
        await pilot.pause(0.01)
    raise AssertionError(text(pilot.app))


@pytest.mark.parametrize("pane", ["providers", "costs", "alerts", "calls", "sources", "system", "collector"])
async def test_every_pane_as_csv(monitor: FakeMonitor, home: Path, pane: str) -> None:
    async with dashboard(monitor).run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot, KEY[pane])
        await settle(pilot, "x")
        assert "export" in text(pilot.app)
        assert f"~/tui-monitor-{pane}-2026-03-18-120000.csv" in text(pilot.app)
        await settle(pilot, "enter")
        path = await written(pilot, home)
        header, *rows = list(csv.reader(path.open(newline="", encoding="utf-8")))
        assert rows
        assert all(len(row) == len(header) for row in rows)
        await settle(pilot)
        assert f"written to ~/{path.name}" in text(pilot.app)


async def test_values_are_exact(monitor: FakeMonitor, home: Path) -> None:
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["calls"], "x", "enter")
        header, first, *_ = list(csv.reader((await written(pilot, home)).open(newline="")))
        row = dict(zip(header, first, strict=True))
        assert (row["cost_usd"], row["latency_ms"], row["input_tokens"]) == ("0.00425", "850.0", "2000")
        # What has no room on the screen is there too.
        assert row["price_version"] == "0.2.3"


async def test_json_is_what_the_command_line_gives(monitor: FakeMonitor, home: Path) -> None:
    from tui_monitor.cli.calls import data
    from tui_monitor.model.timerange import TimeRange

    found = await monitor.calls("where", TimeRange(), 200)
    wanted: Any = data(found, len(found.calls))
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["calls"], "x", "down", "enter")
        path = await written(pilot, home)
        assert path.suffix == ".json"
        told = orjson.loads(path.read_bytes())
        assert told["result"] == orjson.loads(orjson.dumps(wanted["result"]))
        assert (told["filter"], told["resultType"]) == (wanted["filter"], wanted["resultType"])


async def test_a_query_over_time_has_a_column_for_each_series(monitor: FakeMonitor, home: Path) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["query"])
        pilot.app.screen.pane.ask_for("latency by(provider)")  # type: ignore[attr-defined]
        await settle(pilot)
        await settle(pilot, "x", "enter")
        header, *rows = list(csv.reader((await written(pilot, home)).open(newline="")))
        assert header == ["time", "provider=anthropic", "provider=google", "provider=openai"]
        assert len(rows) > 20
        assert any(cell == "" for row in rows for cell in row)


async def test_a_picture_is_of_the_pane_and_not_of_the_dialog(monitor: FakeMonitor, home: Path) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["costs"], "x", "end", "enter")
        content = (await written(pilot, home)).read_text()
        assert content.startswith("<svg")
        assert "MONTH" in content
        assert "enter&#160;writes" not in content
        # Whoever opens it asks nobody for anything.
        assert "url(http" not in content
        assert "@font-face" not in content


async def test_a_file_that_is_there_is_asked_about(monitor: FakeMonitor, home: Path) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        taken = home / "tui-monitor-costs-2026-03-18-120000.csv"
        taken.write_text("mine")
        await settle(pilot, KEY["costs"], "x", "enter")
        assert "it is there already: enter again replaces it" in text(pilot.app)
        await settle(pilot, "escape")
        assert taken.read_text() == "mine"
        await settle(pilot, "x", "enter", "enter")
        for _ in range(200):
            if taken.read_text() != "mine":
                break
            await pilot.pause(0.01)
        assert "claude-sonnet-4-5" in taken.read_text()


async def test_a_name_of_ones_own_and_one_that_cannot_be(monitor: FakeMonitor, home: Path) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["costs"], "x", "t", "ctrl+u", *"~/no/x", "enter")
        assert "there is no directory" in text(pilot.app)
        await settle(pilot, "ctrl+u", *"~/tui-monitor-mine", "enter")
        assert (await written(pilot, home)).name == "tui-monitor-mine"


COPIED = {
    "providers": ("openai", None),
    "alerts": ("a1", None),
    "calls": (None, "openai"),
    "query": ("latency{} [1h] p95 by(model)", None),
}


@pytest.mark.parametrize("pane", COPIED)
async def test_what_is_under_the_cursor_is_copied(monitor: FakeMonitor, copied: list[str], pane: str) -> None:
    async with dashboard(monitor).run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot, KEY[pane])
        if pane == "query":
            await settle(pilot, "escape")
        await settle(pilot, "y")
        name, value = COPIED[pane]
        assert len(copied) == 1
        assert name in (None, copied[0])
        assert (
            f"copied the {'query' if pane == 'query' else 'id' if pane != 'providers' else 'name'}"
            in text(pilot.app)
        )
        if value is not None:
            await settle(pilot, "right", "y", "Y")
            assert copied[1] == value
            assert value in copied[2]
            assert "850 ms" in copied[2]


async def test_a_call_is_copied_by_an_id_that_finds_it(monitor: FakeMonitor, copied: list[str]) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["calls"], "j", "y")
        assert (await monitor.call(copied[0])).call.source_key == "c1"


async def test_where_nothing_is_there_is_nothing_to_copy(monitor: FakeMonitor, copied: list[str]) -> None:
    monitor.empty, monitor.newest = True, None
    async with dashboard(monitor).run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot, KEY["calls"], "y")
        assert copied == []
        assert " y copy" not in lines(pilot.app)[-1]


async def test_letters_that_are_typed_are_letters(monitor: FakeMonitor, copied: list[str]) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["calls"], "slash", "x", "y", "Y")
        assert copied == []
        assert pilot.app.screen is pilot.app.get_default_screen()
