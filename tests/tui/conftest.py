"""Pilots that do not sleep for nothing."""

import asyncio
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from textual._compositor import Compositor
from textual.app import App
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.pilot import Pilot

from tests.tui.screen_fakes import not_drawn

RESIZE = Pilot[Any].resize_terminal
PARSE = Stylesheet._parse_rules


class Colours:
    """A theme's variables, hashed once for the hundred style sheets that are read under it."""

    def __init__(self, variables: dict[str, str]) -> None:
        self.variables = variables
        self._items = frozenset(variables.items())
        self._hash = hash(self._items)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Colours) and self._items == other._items)


@lru_cache(4096)
def rules_of(colours: Colours, *given: Any, **named: Any) -> list[RuleSet]:
    """The rules of a style sheet, which depend on nothing but its text and the theme's colours."""
    return PARSE(Stylesheet(variables=dict(colours.variables)), *given, **named)


def parsed_before(sheet: Stylesheet, *given: Any, **named: Any) -> list[RuleSet]:
    """The same rules for every application."""
    colours: Colours | None = getattr(sheet, "_colours", None)
    if colours is None or colours.variables is not sheet._variables:
        colours = sheet._colours = Colours(sheet._variables)  # type: ignore[attr-defined]
    return rules_of(colours, *given, **named)


@pytest.fixture(scope="session", autouse=True)
def style_sheets_parsed_once() -> Iterator[None]:
    """Each application parses every style sheet of the toolkit and ours, twice where a theme is set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parsed_before)
        yield


@pytest.fixture
def quick_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toolkit waits 20 ms and more after every key; plain data comes at once."""
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.002)


@pytest.fixture
def undrawn(quick_pilot: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does the toolkit draw what it throws away, as there is no terminal: a test looks when it asks."""
    monkeypatch.setattr(Compositor, "render_update", not_drawn)


async def resized(pilot: Pilot[Any], width: int, height: int) -> None:
    """Resize the terminal and wait until the screen has that size: on a busy machine it comes later."""
    await RESIZE(pilot, width, height)
    app: App[Any] = pilot.app
    async with asyncio.timeout(30):
        while not app.screen.size == app.screen._compositor.size == (width, height):
            await pilot.pause()


@pytest.fixture(scope="session", autouse=True)
def resizing_is_waited_for() -> Iterator[None]:
    """A test goes on when the screen is resized, not when the event is sent."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pilot, "resize_terminal", resized)
        yield


@pytest.fixture(autouse=True)
def seen_the_tour(toured: None) -> None:
    """The dashboard opens without it."""
