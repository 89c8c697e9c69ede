"""Series as a few hundred scraped servers have them, for questions in PromQL.

Every server is scraped at its own offset and has 20 counters, which now and then begin anew, 13 gauges, a
classic histogram of 14 buckets with its sum and count, and an info series: 50 series.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from data import END

from tui_monitor.model.clock import MS, SECOND, Micros
from tui_monitor.model.feed import SampleType

TICK = 15 * SECOND
PER_SERVER = 50
_JOBS = 4
_CODES = ("200", "204", "404", "503")
_PATHS = ("/", "/admin/users", "/api/chat", "/api/embed", "/health")
_BOUNDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60", "+Inf")
_RESETS = 0.0004
"""Share of the scrapes before which a server began anew: about one in ten hours."""


@dataclass(frozen=True, slots=True)
class Scraped:
    """One series: its name, labels and values, one at each of the server's scrapes."""

    name: str
    labels: dict[str, str]
    kind: SampleType
    values: np.ndarray
    times: np.ndarray


def series(count: int, ticks: int) -> list[Scraped]:
    """So many series over so many scrapes, the last shortly before the end of all data."""
    rng = np.random.default_rng(42)
    return [one for server in range(count // PER_SERVER) for one in _server(rng, server, ticks)]


def _server(rng: np.random.Generator, number: int, ticks: int) -> Iterator[Scraped]:
    own = {"instance": f"host-{number:03d}:9100", "job": f"job-{number % _JOBS}"}
    # An odd number of ms: no window that ends at an even one begins at a sample.
    offset: Micros = (2 * int(rng.integers(0, 7_500)) + 1) * MS
    times = END - np.arange(ticks, 0, -1) * TICK + offset
    fresh = rng.random(ticks) < _RESETS
    for code in _CODES:
        for path in _PATHS:
            values = _counter(rng.poisson(rng.uniform(0.2, 40), ticks).astype(float), fresh)
            yield Scraped(
                "bench_requests_total", {**own, "code": code, "path": path}, "counter", values, times
            )
    seen = rng.multinomial(400, rng.dirichlet(np.ones(len(_BOUNDS))), ticks)
    cumulative = np.cumsum(seen, axis=1).astype(float)
    for column, bound in enumerate(_BOUNDS):
        values = _counter(cumulative[:, column], fresh)
        yield Scraped("bench_duration_seconds_bucket", {**own, "le": bound}, "counter", values, times)
    yield Scraped("bench_duration_seconds_count", own, "counter", _counter(cumulative[:, -1], fresh), times)
    spent = _counter(rng.gamma(400, 0.3, ticks), fresh)
    yield Scraped("bench_duration_seconds_sum", own, "counter", spent, times)
    for sensor in range(13):
        walk = np.round(45 + np.cumsum(rng.normal(0, 0.3, ticks)), 2)
        yield Scraped("bench_temperature", {**own, "sensor": str(sensor)}, "gauge", walk, times)
    info = {**own, "version": f"1.{number % 7}.0"}
    yield Scraped("bench_info", info, "gauge", np.ones(ticks), times)


def _counter(added: np.ndarray, fresh: np.ndarray) -> np.ndarray:
    """Running sums that begin anew where a server did; high at first, as that of a server long up."""
    total = np.cumsum(added) + 1e5
    lost = np.maximum.accumulate(np.where(fresh, total - added, 0.0))
    return total - lost


def lines(families: list[Scraped], unit: Micros) -> Iterator[str]:
    """The samples as text, one series after the other; times in units of so many µs."""
    digits = 0 if unit == 1_000 else 3
    for one in families:
        labels = ",".join(f'{name}="{value}"' for name, value in one.labels.items())
        name = f"{one.name}{{{labels}}}"
        moments = [f"{at / unit:.{digits}f}" for at in one.times.tolist()]
        rows = zip(one.values.tolist(), moments, strict=True)
        yield "".join(f"{name} {value!r} {at}\n" for value, at in rows)
