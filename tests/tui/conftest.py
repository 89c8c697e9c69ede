"""Pilots that do not sleep for nothing."""

import pytest


@pytest.fixture
def quick_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toolkit waits 20 ms and more after every key; plain data comes at once."""
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.002)
