"""Pilots that do not sleep for nothing."""

import asyncio
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from textual._compositor import Compositor
from textual.app import App, ScreenStackError
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.message_pump import MessagePump
from textual.pilot import Pilot, WaitForScreenTimeout

from tests.tui.screen_fakes import not_drawn

RESIZE = Pilot[Any].resize_terminal
PARSE = Stylesheet._parse_rules


class Colours(dict[str, str]):
    """A theme's variables, which are looked up as what they are and not by what they say."""

    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__


@lru_cache(64)
def same(variables: frozenset[tuple[str, str]]) -> Colours:
    """The one that stands for all that say the same."""
    return Colours(variables)


@lru_cache(4096)
def rules_of(colours: Colours, *given: Any, **named: Any) -> list[RuleSet]:
    """The rules of a style sheet, which depend on nothing but its text and the theme's colours."""
    return PARSE(Stylesheet(variables=dict(colours)), *given, **named)


def parsed_before(sheet: Stylesheet, *given: Any, **named: Any) -> list[RuleSet]:
    """The same rules for every application."""
    said: Any = sheet.__dict__.get("_said")
    if said is None or said[0] is not sheet._variables:
        said = sheet._said = sheet._variables, same(frozenset(sheet._variables.items()))  # type: ignore[attr-defined]
    return rules_of(said[1], *given, **named)


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


def at_work(node: MessagePump) -> bool:
    """Whether a node has something before it, or in hand: at rest it waits for its queue."""
    queue = node._message_queue
    if node._closed or node._closing or queue is None:
        return False
    return bool(queue.values) or not queue.ready_event._waiters  # type: ignore[attr-defined]


async def all_done(pilot: Pilot[Any], seconds: float = 30.0) -> bool:
    """Wait until no node of the screen has anything to do; False where the application broke.

    The toolkit's own sends each of them a message and waits for the answers, which is most of what a test
    of many keys costs. Raises WaitForScreenTimeout.
    """
    app: App[Any] = pilot.app
    end = time.monotonic() + seconds
    turns = 0
    while not app._exception_event.is_set():
        try:
            nodes: list[MessagePump] = [app, *app.screen.walk_children(with_self=True)]
        except ScreenStackError:
            return False
        if not any(map(at_work, nodes)):
            return True
        if time.monotonic() > end:
            raise WaitForScreenTimeout(f"still at work: {[one for one in nodes if at_work(one)]}")
        turns += 1
        await asyncio.sleep(0 if turns < 50 else 0.002)
    return False


@pytest.fixture(scope="session", autouse=True)
def pilots_wait_for_what_goes_on() -> Iterator[None]:
    """A test goes on when the screen is resized, not when the event is sent, and sends nothing to wait."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pilot, "resize_terminal", resized)
        patch.setattr(Pilot, "_wait_for_screen", all_done)
        yield


@pytest.fixture(autouse=True)
def seen_the_tour(toured: None) -> None:
    """The dashboard opens without it."""
