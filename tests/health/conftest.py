"""A real database with the query engine over it, and things to put in."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import ManualClock, Micros
from tui_monitor.query.local import LocalEngine
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

_keys = count()


@pytest.fixture
def store(tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    """An empty database, open for writing."""
    store = Store.open(tmp_path / "monitor.db", write=True, clock=clock)
    yield store
    store.close()


@pytest.fixture
def engine(store: Store) -> LocalEngine:
    """The query engine over it."""
    return LocalEngine(store, Calendar())


@pytest.fixture
def put(store: Store) -> Callable[..., None]:
    """Store so many calls of one provider and outcome, all booked at one instant."""

    def put(at: Micros, provider: str, calls: int = 1, category: str | None = None, **fields: object) -> None:
        status = "error" if category else "success"
        known = {"status": status, "error_category": category, "latency_ms": 900.0, **fields}
        store.write(
            WriteBatch(
                [Call("test", str(next(_keys)), ts_end=at, provider=provider, **known) for _ in range(calls)]
            )
        )

    return put
