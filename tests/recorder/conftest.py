"""A real store, a real price book, and calls to give them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tui_monitor.config.settings import Collector, Prices
from tui_monitor.model.call import Call
from tui_monitor.model.clock import ManualClock
from tui_monitor.pricing.book import PriceBook
from tui_monitor.recorder.prepare import Preparer
from tui_monitor.store.database import Store

MakeCall = Callable[..., Call]


@pytest.fixture(scope="session")
def book() -> PriceBook:
    return PriceBook.load(Prices())


@pytest.fixture
def preparer(book: PriceBook, clock: ManualClock) -> Preparer:
    return Preparer(Collector(), book, clock)


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    store = Store.open(tmp_path / "monitor.db", write=True, clock=clock)
    yield store
    store.close()


@pytest.fixture
def make(clock: ManualClock) -> MakeCall:
    def build(key: str = "1", **fields: Any) -> Call:
        plain: dict[str, Any] = {
            "source": "events", "source_key": key, "ts_end": clock.now(), "provider": "openai",
            "model_served": "gpt-5", "in_uncached": 100, "out_total": 10, "status": "success",
        }  # fmt: skip
        return Call(**(plain | fields))

    return build
