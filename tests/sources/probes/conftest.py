"""One client for many questions: making one costs more than asking with it."""

import asyncio
from collections.abc import Iterator

import pytest

from tui_monitor.model.clock import SystemClock
from tui_monitor.sources.web import Web


@pytest.fixture(scope="package")
def web() -> Iterator[Web]:
    """A thread that asks, until the last test is done."""
    web = Web(SystemClock(), at_once=8)
    asyncio.run(web.__aenter__())
    yield web
    asyncio.run(web.__aexit__())
