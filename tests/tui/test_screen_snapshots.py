"""Drawings of the panes, compared with those that were looked at and found good."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.screen_fakes import KEY, FakeMonitor, dashboard, settle
from tui_monitor.query.result import Result, Series, labels_of
from tui_monitor.tui.panes.table import PANES as TABLE

SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
PANES = tuple(entry.id for entry in TABLE)
Compare = Callable[..., bool]


def show(pane: str) -> Callable[[Pilot[Any]], Any]:
    async def run_before(pilot: Pilot[Any]) -> None:
        # The first pane gives the providers their colours, which others then have too.
        await settle(pilot)
        await settle(pilot, KEY[pane])
        if pane == "query":
            pilot.app.screen.pane.ask_for("latency{} [1h] p95 by(provider)")
        await settle(pilot)

    return run_before


def quiet() -> FakeMonitor:
    """One without a toast, which would be in the picture or not as time goes."""
    monitor = FakeMonitor()
    monitor.rings = False
    return monitor


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pane", PANES)
def test_pane(snap_compare: Compare, pane: str, size: str) -> None:
    assert snap_compare(dashboard(quiet()), terminal_size=SIZES[size], run_before=show(pane))


@pytest.mark.parametrize("pane", ["overview", "costs", "alerts"])
def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, pane: str) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(dashboard(quiet()), terminal_size=(120, 40), run_before=show(pane))


@pytest.mark.parametrize("size", {"80x24": (80, 24), "200x50": (200, 50)}.values(), ids=["80x24", "200x50"])
@pytest.mark.parametrize("what", ["list", "call"])
def test_calls(snap_compare: Compare, what: str, size: tuple[int, int]) -> None:
    async def run_before(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await settle(pilot, KEY["query"])
        pilot.app.screen.pane.ask_for("provider=claude AND latency>1000")
        await settle(pilot)
        if what == "call":
            await settle(pilot, "enter")

    assert snap_compare(dashboard(quiet()), terminal_size=size, run_before=run_before)


DRAWN = {
    "stack-80x24": ("stack", (80, 24), {}),
    "stack-200x50": ("stack", (200, 50), {}),
    "bars-ascii": ("bars", (120, 40), {"drawing": "ascii"}),
    "stack-no-colour": ("stack", (120, 40), {}),
    "heat-120x40": ("heat", (120, 40), {}),
    "crosshair-80x24": ("line", (80, 24), {}),
}


@pytest.mark.parametrize("case", DRAWN)
def test_charts(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    drawing, size, screen = DRAWN[case]
    monitor = quiet()

    def drawn(answer: Any) -> Any:
        if not isinstance(answer, Result):
            return answer
        if drawing != "heat":
            return replace(answer, unit="usd", metric="cost")
        counts = [(str(2.0**n / 100), n * (n - 3) + 9.0) for n in range(5, 12)]
        series = (
            Series(labels_of(le=le), tuple(v + i % 5 for i in range(len(answer.times)))) for le, v in counts
        )
        return replace(answer, series=tuple(series), unit="", bounds="s")

    async def run_before(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await settle(pilot, KEY["query"])
        pilot.app.screen.pane.ask_for("cost{} [1h] sum by(provider)")
        await settle(pilot)
        await settle(pilot, *["d"] * {"stack": 2, "bars": 3}.get(drawing, 0))
        if drawing != "bars":
            await settle(pilot, "c", "shift+left", "shift+left")

    monitor.change = drawn
    if case.endswith("no-colour"):
        monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(dashboard(monitor, **screen), terminal_size=size, run_before=run_before)
