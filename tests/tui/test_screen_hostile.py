"""Text from outside on every pane: it neither crashes nor styles nor drives anything."""

from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

import pytest

from tests.tui.screen_fakes import KEY, FakeMonitor, alerts, collector, dashboard, lines, settle, tick
from tui_monitor.model.errors import MonitorError

pytestmark = pytest.mark.usefixtures("undrawn")

NASTY = {
    "closing": "[/foo]",
    "half": "[/",
    "click": "[@click=app.quit]x[/]",
    "link": "[link=http://x]y",
    "escape": "a\x1b[31mb\x1b]0;title\x07c",
    "c1": "a\x9b31mb\x9d0;x\x9c",
    "bidi": "a\u202eb\u2066c",
    "wide": "日本語プロバイダー名前がとても長い",
    "long": "m" * 5_000,
    "lines": "a\nb\r\nc\td",
    "joined": "👩‍👩‍👧‍👦👍🏽e\u0301\u0302\u0303\u0304",
    "empty": "",
    "format": "{provider} %s {0}",
}
KEPT = {"id", "period", "kind", "op", "zone", "query"}


def poison(value: Any, nasty: str, name: str = "") -> Any:
    """The same data with every free text replaced."""
    if isinstance(value, Enum) or name in KEPT:
        return value
    if isinstance(value, str):
        return nasty
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{f.name: poison(getattr(value, f.name), nasty, f.name) for f in fields(value)}
        )
    if isinstance(value, tuple):
        return tuple(poison(item, nasty) for item in value)
    if isinstance(value, list):
        return [poison(item, nasty) for item in value]
    if isinstance(value, dict):
        return {f"{nasty}{n}": poison(item, nasty) for n, item in enumerate(value.values())}
    return value


def unique(answer: Any) -> Any:
    """Rows that have become equal differ again by a number behind the text."""
    for name, key in (("rows", "provider"), ("rows", "name"), ("gauges", "name")):
        rows = getattr(answer, name, ())
        if rows and hasattr(rows[0], key):
            told = tuple(replace(row, **{key: f"{getattr(row, key)}{n}"}) for n, row in enumerate(rows))
            answer = replace(answer, **{name: told})
    return answer


def check(app: Any, width: int, height: int) -> None:
    shown = lines(app)
    assert len(shown) == height
    for strip in app.screen._compositor.render_strips():
        assert strip.cell_length == width
    for character in "".join(shown):
        # The line one types into keeps joined characters whole.
        assert character.isprintable() or character == "\u200d", repr(character)
        assert character not in "\u202e\u2066"


def fill(monitor: FakeMonitor, nasty: str) -> None:
    """From now on every text that the monitor tells is this one."""
    monitor.change = lambda answer: unique(poison(answer, nasty))
    sources = poison(collector().sources, nasty)
    numbered = tuple(replace(row, name=f"{row.name}{n}") for n, row in enumerate(sources))
    monitor.status = replace(poison(collector(), nasty), sources=numbered)
    monitor.values = (nasty, "b", "c")
    monitor.alert_list = [poison(one, nasty) for one in alerts()]
    monitor.version += 1


@pytest.mark.parametrize("key", KEY.values())
async def test_every_pane(key: str) -> None:
    monitor = FakeMonitor()
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, key)
        for nasty in NASTY.values():
            fill(monitor, nasty)
            app.screen.host = nasty
            if key == KEY["query"]:
                app.screen.pane.ask_for(f'latency{{model="{nasty}"}}')
            await tick(pilot)
            check(app, 120, 40)
            await settle(pilot, {KEY["alerts"]: "a", KEY["query"]: "v"}.get(key, "down"))
            check(app, 120, 40)
            assert not app._exit, nasty


async def test_errors_and_toasts() -> None:
    monitor = FakeMonitor()
    app = dashboard(monitor)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settle(pilot, KEY["alerts"])
        for nasty in NASTY.values():
            monitor.error = MonitorError(nasty or "x", hint=nasty)
            monitor.version += 1
            await tick(pilot)
            await settle(pilot, "a")
            check(app, 80, 24)
            assert not app._exit, nasty


async def test_a_cell_under_the_mouse_is_no_button() -> None:
    monitor = FakeMonitor()
    monitor.change = lambda answer: unique(poison(answer, "[@click=app.quit]x[/]"))
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for y in range(4, 12):
            await pilot.click(offset=(5, y))
        await settle(pilot)
        assert not app._exit
