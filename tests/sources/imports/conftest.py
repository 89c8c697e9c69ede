"""A store to import into, and files to import."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tui_monitor.config.settings import Collector, Prices
from tui_monitor.model.clock import ManualClock
from tui_monitor.pricing.book import PriceBook
from tui_monitor.recorder.prepare import Preparer
from tui_monitor.sources.imports import ImportOptions, ImportSummary, StoreSink, run_import
from tui_monitor.store.api import Facts, Layer
from tui_monitor.store.database import Store

RunImport = Callable[..., ImportSummary]


@pytest.fixture(scope="session")
def book() -> PriceBook:
    return PriceBook.load(Prices())


@pytest.fixture
def preparer(book: PriceBook, clock: ManualClock) -> Preparer:
    return Preparer(Collector(), book, clock)


@pytest.fixture
def load(store: Store, preparer: Preparer, clock: ManualClock) -> RunImport:
    """Import files into the store: `load(path, …, format=…, **options)`."""

    def run(*paths: Path, format: str | None = None, **options: Any) -> ImportSummary:
        return run_import(
            paths, format, ImportOptions(now=clock.now(), **options), StoreSink(store, preparer)
        )

    return run


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file: `write("a.csv", text)`."""

    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return put


def all_facts(store: Store, layer: Layer = Layer.RAW) -> Facts:
    from tui_monitor.model.timerange import Span

    measures = ("calls", "input", "output", "cost", "latency", "unpriced")
    return store.facts(layer, Span(0, 1_900_000_000_000_000), ("provider", "model", "status"), measures)


def totals(store: Store, layer: Layer = Layer.RAW) -> Mapping[str, int]:
    """Sums over everything a layer holds."""
    facts = all_facts(store, layer)
    return {name: int(numbers.total.sum()) for name, numbers in facts.numbers.items()}
