"""Times, tokens, lengths and money of many rows: from cells to the columns of calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from tui_monitor.model.call import MAX_MONEY, NANO
from tui_monitor.model.columns import UNKNOWN
from tui_monitor.sources.fields import MONEY, NUMBERS, TIMES, TOKENS
from tui_monitor.sources.imports.bytewise import Cells, decimals, instants, whole
from tui_monitor.sources.imports.general import SECONDS

_TARGETS = {**TIMES, **{name: name for name in (*NUMBERS, *TOKENS, MONEY)}, **SECONDS}
"""Fields read here, and what of a call they set."""


@dataclass(slots=True)
class Numbers:
    """Columns of calls by field, and in which rows all cells were read."""

    good: np.ndarray
    integers: dict[str, np.ndarray] = field(default_factory=dict)
    lengths: dict[str, np.ndarray] = field(default_factory=dict)


def readable(fields: Mapping[str, int]) -> bool:
    """Whether no two columns say the same of a call."""
    targets = [_TARGETS[name] for name in fields if name in _TARGETS]
    return len(targets) == len(set(targets))


def number_columns(fields: Mapping[str, int]) -> set[int]:
    """Indexes of the columns that `read_numbers` reads."""
    return {at for name, at in fields.items() if name in _TARGETS}


def read_numbers(
    fields: Mapping[str, int], cells: Callable[[int], Cells], rows: int, *, naive: bool
) -> Numbers:
    """All of these fields that are numbers or times."""
    found = Numbers(np.ones(rows, dtype=bool))
    tokens: dict[str, np.ndarray] = {}
    for name, at in fields.items():
        if name in TIMES:
            found.integers[TIMES[name]], good = instants(cells(at), naive=naive)
        elif name in TOKENS:
            tokens[name], good = whole(cells(at))
        elif name in NUMBERS:
            found.lengths[name], good = decimals(cells(at))
        elif name in SECONDS:
            seconds, good = decimals(cells(at))
            found.lengths[SECONDS[name]] = seconds * 1000
        elif name == MONEY:
            found.integers["cost_reported"], good = nano_dollars(*decimals(cells(at)))
        else:
            continue
        found.good &= good
    if tokens:
        found.good &= split(tokens, found.integers)
    return found


def nano_dollars(dollars: np.ndarray, good: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Dollars as nano-dollars; amounts below 0 or beyond the limit are not good."""
    known = ~np.isnan(dollars)
    amount = np.where(known, dollars, 0.0) * NANO
    good = good & (amount >= 0) & (amount <= MAX_MONEY)
    whole_ = np.rint(np.where(good, amount, 0.0)).astype(np.int64)
    return np.where(known & good, whole_, UNKNOWN), good


def split(written: Mapping[str, np.ndarray], integers: dict[str, np.ndarray]) -> np.ndarray:
    """Written tokens as the parts of a call, as `fields.split_tokens` does; and which rows make sense."""
    absent = np.full(len(next(iter(written.values()))), UNKNOWN, dtype=np.int64)
    total, read, wrote, long, out, thought = (written.get(name, absent) for name in TOKENS)
    wrote = np.where(wrote == UNKNOWN, long, wrote)
    read_0, wrote_0, long_0 = (np.where(part == UNKNOWN, 0, part) for part in (read, wrote, long))
    plain = total - read_0 - wrote_0
    good = (total == UNKNOWN) | (plain >= 0)
    good &= long_0 <= wrote_0
    parts = {
        "in_uncached": np.where(total == UNKNOWN, UNKNOWN, plain),
        "cache_read": read,
        "cache_write_1h": long,
        "cache_write_5m": np.where(wrote == UNKNOWN, UNKNOWN, wrote_0 - long_0),
        "out_total": out,
        "reasoning": thought,
    }
    integers |= {name: part for name, part in parts.items() if (part != UNKNOWN).any()}
    return good
