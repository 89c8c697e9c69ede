"""The Query pane: asked while one types, pinned side by side, saved under a name; and the next window's."""

import asyncio
from typing import Any

import pytest

from tests.tui.screen_fakes import KEY, FakeMonitor, dashboard, settle, text, tick
from tui_monitor.config import places
from tui_monitor.config.saved import save_query, saved_file, saved_queries
from tui_monitor.model.errors import QueryError
from tui_monitor.model.units import show
from tui_monitor.tui.panes import query
from tui_monitor.tui.panes.answers import series_columns
from tui_monitor.tui.panes.pinned import Panel
from tui_monitor.tui.panes.querykept import Pin, pin, pins
from tui_monitor.tui.widgets.prompt import Prompt

pytestmark = pytest.mark.usefixtures("quick_pilot")


async def until(pilot: Any, shown: str) -> None:
    """Let it come to rest with this on the screen."""
    for _ in range(200):
        await settle(pilot)
        if shown in text(pilot.app):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{shown!r} is not in\n{text(pilot.app)}")


async def asked_again(monitor: FakeMonitor, before: int) -> None:
    """Until the pause is over."""
    for _ in range(500):
        await asyncio.sleep(0.01)
        if monitor.count("query_range") > before:
            return
    raise AssertionError("nothing was asked")


async def test_a_whole_line_is_asked_while_one_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "PAUSE", 0.01)
    monitor = FakeMonitor()
    ended: list[str] = []
    asked = monitor.query_range

    async def query_range(words: str, *args: Any) -> Any:
        try:
            return await asked(words, *args)
        except asyncio.CancelledError:
            ended.append(words)
            raise

    monitor.query_range = query_range  # type: ignore[method-assign]
    async with dashboard(monitor, ask_while_typing=True).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["query"], *"latency")
        await until(pilot, "3 series")
        chart = pilot.app.screen.query_one("#query-chart")
        # Half a line is no mistake: what was answered stays, with its text.
        monitor.error = QueryError("expected an operand", text="latency +", position=9, length=1)
        count = monitor.count("query_range")
        await settle(pilot, "+")
        await asked_again(monitor, count)
        await until(pilot, "below: the answer to latency")
        assert "^" not in text(pilot.app)
        assert chart.styles.opacity < 1
        # And is kept up with the data.
        monitor.error = None
        monitor.version += 1
        await tick(pilot)
        assert [args[0] for name, args in monitor.asked if name == "query_range"][-1] == "latency"
        # What is under way ends when somebody types on.
        monitor.gate.clear()
        count = monitor.count("query_range")
        await settle(pilot, "1")
        await asked_again(monitor, count)
        await settle(pilot, "2")
        monitor.gate.set()
        for _ in range(200):
            await settle(pilot)
            if pilot.app.screen.pane.answer.text == "latency+12":  # type: ignore[attr-defined]
                break
        assert pilot.app.screen.pane.answer.text == "latency+12"  # type: ignore[attr-defined]
        assert ended == ["latency+1"]
        assert pilot.app.screen.query_one(Prompt).value == "latency+12"
        assert pilot.app.screen.query_one(Prompt).history.lines == (), "only what was sent is remembered"


async def test_pinned_queries_live_side_by_side_and_in_the_next_window() -> None:
    monitor = FakeMonitor()
    app = dashboard(monitor)
    async with app.run_test(size=(200, 50), notifications=True) as pilot:
        await settle(pilot, KEY["query"], *"latency", "enter", "escape", "P")
        await until(pilot, "nothing is pinned yet")
        await settle(pilot, "p")
        await until(pilot, "pinned; P shows")
        await settle(pilot, "slash", "ctrl+u", *"cost", "enter", "escape", "v", "p", "P")
        await until(pilot, "latency")
        await settle(pilot)
        panels = list(app.screen.query(Panel))
        assert [panel.pin for panel in panels] == [Pin("latency"), Pin("cost", table=True)]
        assert panels[0].has_focus
        assert panels[0].region.y == panels[1].region.y, "beside each other"
        assert not app.screen.query_one("#query-state").region.area
        # Each asks for itself; the answer behind them does not.
        monitor.asked.clear()
        monitor.version += 1
        await tick(pilot)
        assert sorted(args[0] for name, args in monitor.asked if name == "query_range") == ["cost", "latency"]
        # What fails says so in its own place.
        monitor.change = lambda answer: answer
        await settle(pilot, "right")
        assert panels[1].has_focus
        await settle(pilot, "v", "left", "p")
        await until(pilot, "no longer pinned")
        assert pins() == (Pin("cost"),)
        await settle(pilot, "u")
        await until(pilot, "latency")
        assert pins() == (Pin("cost"), Pin("latency"))
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["query"], "escape", "P")
        await until(pilot, "3 series")
        first, second = app.screen.query(Panel)
        assert first.region.y < second.region.y, "below each other"
        await settle(pilot, "down", "c")
        assert app.screen.focused in second.query("Chart")
        second.focus()
        await settle(pilot, "enter")
        assert app.screen.query_one(Prompt).value == "latency"
        assert not app.screen.query_one("#query-pinned").region.area
        await settle(pilot, "slash", "up")
        assert app.screen.query_one(Prompt).history.lines[-1] == "latency"


async def test_a_query_is_saved_under_a_name_and_chosen() -> None:
    path = saved_file(places.config_file())
    nasty = "[/foo]\\u202e日本"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'# mine\n[queries]\n"{nasty}" = "latency[/]"\n')
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(100, 40), notifications=True) as pilot:
        await settle(pilot, KEY["query"], *"cost", "enter", "escape", "s", *"money", "enter")
        await until(pilot, "saved as money")
        assert saved_queries(path)["money"] == "cost"
        assert path.read_text().startswith("# mine\n")
        # Another one under that name is asked about.
        await settle(pilot, "slash", *"2", "enter", "escape", "s", *"money", "enter")
        assert "enter again replaces it" in text(app)
        await settle(pilot, "enter")
        assert saved_queries(path)["money"] == "cost2"
        await settle(pilot, "S")
        assert "latency[/]" in text(app)
        await settle(pilot, "end", "d")
        assert "money" not in saved_queries(path)
        await settle(pilot, "u")
        assert saved_queries(path)["money"] == "cost2"
        await settle(pilot, "home", "enter")
        assert app.screen.query_one(Prompt).value == "latency[/]"
        path.write_text("[queries]\nx = 5\n")
        await settle(pilot, "S")
        assert "x is no query" in " ".join(text(app).replace("│", " ").split())


def test_there_is_an_end_to_pins() -> None:
    assert all(pin(Pin(f"q{n}")) for n in range(12))
    assert not pin(Pin("one more"))
    assert pin(Pin("q3", table=True)), "how one is shown can be changed"
    assert pins()[3] == Pin("q3", table=True)
    places.pinned_file().write_text('{"query": 5}\n{"query": "a", "table": 1}\n[]\n"x"\n')
    assert pins() == (Pin("a"),)


def test_saved_queries_refuse_what_is_none() -> None:
    path = saved_file(places.config_file())
    path.parent.mkdir(parents=True, exist_ok=True)
    for name, words in (("", "cost"), ("x" * 61, "cost"), ("a\nb", "cost"), ("a", " "), ("a", "x" * 10_001)):
        with pytest.raises(Exception, match="has 1 to"):
            save_query(path, name, words)
    assert not path.exists()
    save_query(path, "a.b", 'x{y="z"}\n+ 1')
    assert saved_queries(path) == {"a.b": 'x{y="z"}\n+ 1'}
    path.write_text("queries = 3\n")
    with pytest.raises(Exception, match=r"queries.toml:1: queries must be a table"):
        saved_queries(path)


@pytest.mark.parametrize("value", [0.2304, -1234.0, 250e9])
def test_figures_have_room_for_their_unit(value: float) -> None:
    assert len(show(value, "tokens/s")) <= min(c.width for c in series_columns("tokens/s")[1:] if c.width)
