"""The alerts of a real database."""

from collections.abc import AsyncIterator

import pytest

from tui_monitor.store.alerts import AlertStore
from tui_monitor.store.database import Store


@pytest.fixture
async def alert_store(store: Store) -> AsyncIterator[AlertStore]:
    """Its alerts, open for writing."""
    alerts = await AlertStore.open(store.path, write=True, guard=store.guard)
    yield alerts
    await alerts.close()
