"""What goes wrong in the demo, and when: the same for the same days, and something when it begins."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tui_monitor.model.clock import DAY, HOUR, MINUTE, Micros

SEED = 20_231_116
"""The day of the first trace."""
_SOME = ("anthropic", "google", "openai")
_CHANCE = 0.3
"""Of a day to have trouble."""
_AGAIN = 2 * HOUR
"""After how long something goes wrong again while the demo runs."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A provider that fails, or is slow, for a while."""

    provider: str
    start: Micros
    end: Micros
    failing: float = 0.0
    """Share of the calls that fail."""
    slower: float = 1.0
    """How many times longer an answer takes."""


def troubles(anchor: Micros, start: Micros, end: Micros) -> Iterator[Trouble]:
    """All that touch a stretch of time. `anchor` is the moment at which the demo began."""
    found = [*_at_the_beginning(anchor), *_later(anchor, end)]
    for day in range((start - DAY) // DAY, end // DAY + 1):
        found += _of_day(day)
    for each in found:
        if each.start < end and start < each.end:
            yield each


def _at_the_beginning(anchor: Micros) -> Iterator[Trouble]:
    yield Trouble("openai", anchor - 7 * MINUTE, anchor + 20 * MINUTE, failing=0.8, slower=1.6)
    yield Trouble("google", anchor - 25 * MINUTE, anchor + 60 * MINUTE, slower=3.4)


def _later(anchor: Micros, end: Micros) -> Iterator[Trouble]:
    for n in range(1, (end - anchor) // _AGAIN + 1):
        start, provider = anchor + n * _AGAIN, _SOME[n % len(_SOME)]
        failing, slower = ((0.6, 1.5), (0.0, 3.0))[n % 2]
        yield Trouble(provider, start, start + 15 * MINUTE, failing, slower)


@lru_cache(maxsize=64)
def _of_day(day: int) -> tuple[Trouble, ...]:
    rng = np.random.default_rng((SEED, 1, day))
    if rng.random() > _CHANCE:
        return ()
    start = day * DAY + int(rng.integers(0, DAY))
    length = int(rng.integers(12, 50)) * MINUTE
    failing, slower = ((0.55, 1.5), (0.0, 3.2))[int(rng.integers(0, 2))]
    return (Trouble(_SOME[int(rng.integers(0, len(_SOME)))], start, start + length, failing, slower),)
