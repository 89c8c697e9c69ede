"""The prices of many calls at once: what `PriceBook.price` says of each, to the nano-dollar.

Which rule holds is asked of the book once for each kind of call (model, day, what is known of it); the
arithmetic of `Rate` is then done on whole columns of integers.
"""

from dataclasses import replace

import numpy as np

from tui_monitor.model.call import MAX_MONEY, Call
from tui_monitor.model.clock import DAY, MINUTE
from tui_monitor.model.columns import INPUT, UNKNOWN, CallColumns, PerModel, numbered
from tui_monitor.pricing.book import PriceBook
from tui_monitor.pricing.rate import Rate

_PRICES = dict(zip(INPUT, ("input", "cache_read", "write_5m", "write_1h"), strict=True))
_TOKENS = (*INPUT, "out_total")
_ROOM = 1 << 62
Way = tuple[str, str | None, str | None, bool]
"""How a call is paid: status, source and version of the price, whether its tier is a guess."""
PaidModels = PerModel[dict[Way, Call]]
"""Models by how their calls are paid."""


class NotAlike(Exception):
    """Calls that cannot be priced together: their amounts are too large, or only some are known."""


def price(book: PriceBook, calls: CallColumns, known: PaidModels) -> CallColumns:
    """The calls with their money set; there are more models then, one for each way to pay.

    `known` holds those that were made before. Raises `NotAlike`.
    """
    first, kind = _kinds(book, calls)
    ways: dict[Way, int] = {}
    way = np.zeros(len(calls), dtype=np.int64)
    money = {
        name: np.full(len(calls), UNKNOWN, dtype=np.int64) for name in ("list_cost", "cost_computed", "cost")
    }
    order = np.argsort(kind, kind="stable")
    bounds = np.searchsorted(kind[order], np.arange(len(first) + 1)).tolist()
    for row, begin, end in zip(first.tolist(), bounds, bounds[1:], strict=False):
        rows = order[begin:end]
        example = calls.call(row)
        book.price(example)
        for name, column in _money(book.rate(example), example, calls.take(rows)).items():
            money[name][rows] = column
        way[rows] = ways.setdefault(_way(example), len(ways))
    both, which = numbered(calls.model * len(ways) + way)
    listed = list(ways)
    models = [_priced(calls.models[n // len(ways)], listed[n % len(ways)], known) for n in both.tolist()]
    return replace(calls, models=models, model=which, integers={**calls.integers, **money})


def _way(call: Call) -> Way:
    return call.cost_status, call.price_source, call.price_version, call.tier_estimated


def _priced(model: Call, way: Way, known: PaidModels) -> Call:
    made = known.get(model)
    if made is None:
        made = known.put(model, {})
    if way not in made:
        status, source, version, estimated = way
        made[way] = replace(
            model, cost_status=status, price_source=source, price_version=version, tier_estimated=estimated
        )
    return made[way]


def _money(rate: Rate | None, example: Call, calls: CallColumns) -> dict[str, np.ndarray]:
    """The columns of money of calls that are priced like the example."""
    found: dict[str, np.ndarray] = {}
    amount = None if rate is None else amounts(rate, calls)
    reported = calls.integer("cost_reported")
    if amount is not None:
        if any((column > MAX_MONEY).any() for column in amount):
            raise NotAlike
        found["list_cost"], found["cost_computed"] = amount
    elif example.list_cost is not None:
        found["list_cost"] = reported
    if example.cost_status == "reported":
        found["cost"] = reported
    elif example.cost_status == "computed":
        found["cost"] = found["cost_computed"]
    elif example.cost_status != "unpriced":
        found["cost"] = np.zeros(len(calls), dtype=np.int64)
    return found


def _kinds(book: PriceBook, calls: CallColumns) -> tuple[np.ndarray, np.ndarray]:
    """Calls that one rule holds for: the first row of each kind, and the kind of each row."""
    numbers: dict[tuple[object, ...], int] = {}
    price_of = np.array([numbers.setdefault(_said(m), len(numbers)) for m in calls.models], dtype=np.int64)
    timed = np.array([book.timed(m.provider, m.model) for m in calls.models], dtype=bool)
    booked = calls.booked
    _, slot = np.unique(np.where(timed[calls.model], booked // MINUTE, booked // DAY), return_inverse=True)
    total, reported = calls.sum_of_known(*_TOKENS), calls.integer("cost_reported")
    states = [total == UNKNOWN, total == 0, reported == UNKNOWN, reported == 0]
    # Without a price for one kind of its tokens nothing is known of a call's cost.
    states += [calls.integers[name] > 0 for name in _TOKENS if name in calls.integers]
    code = price_of[calls.model] * (int(slot.max(initial=0)) + 1) + slot
    for state in states:
        code = code * 2 + state
    _, first, kind = np.unique(code, return_index=True, return_inverse=True)
    return first, kind


def _said(model: Call) -> tuple[object, ...]:
    """What of a call's labels its price depends on."""
    return (
        model.provider, model.model, model.service_tier, model.batch, model.cost_status, model.price_source,
        model.attrs.get("speed"), model.attrs.get("inference_geo"),
    )  # fmt: skip


def amounts(rate: Rate, calls: CallColumns) -> tuple[np.ndarray, np.ndarray] | None:
    """By list and after discount, as `Rate.amount` of each call; `None` where that is none for any.

    In all calls the same kinds of tokens are there. Raises `NotAlike`.
    """
    if (calls.sum_of_known(*_TOKENS) == UNKNOWN).all():
        level = rate.levels[0]
        if not (level.request and level.input is None and level.output is None):
            return None
    counts = {name: _known(calls, name) for name in (*_TOKENS, "reasoning")}
    counts["reasoning"][counts["out_total"] == 0] = 0
    total_in = _known(calls, "in_uncached")
    for name in INPUT[1:]:
        total_in = total_in + counts[name]
    chosen = np.zeros(len(calls), dtype=np.int64)
    for number, level in enumerate(rate.levels[1:], 1):
        chosen[total_in > level.above] = number
    total = np.zeros(len(calls), dtype=np.int64)
    levels: list[int] = np.unique(chosen).tolist()
    unknown = 0
    for number in levels:
        here = chosen == number
        sum_ = _sum(rate, number, {name: column[here] for name, column in counts.items()})
        if sum_ is None:
            unknown += 1
        else:
            total[here] = sum_
    if unknown:
        if unknown < len(levels):
            raise NotAlike
        return None
    listed = half_even(total, rate.scale)
    if rate.factor == rate.denominator:
        return listed, listed
    return listed, half_even(total * rate.factor, rate.scale * rate.denominator)


def _known(calls: CallColumns, name: str) -> np.ndarray:
    column = calls.integer(name)
    return np.where(column == UNKNOWN, 0, column)


def _sum(rate: Rate, number: int, counts: dict[str, np.ndarray]) -> np.ndarray | None:
    level = rate.levels[number]
    reasoning = None if level.reasoning is None else level.reasoning - (level.output or 0)
    prices = [(name, getattr(level, price)) for name, price in _PRICES.items()]
    prices += [("out_total", level.output), ("reasoning", reasoning)]
    room = level.request
    total = np.full(len(counts["reasoning"]), level.request, dtype=np.int64)
    for name, price_ in prices:
        highest = int(counts[name].max(initial=0))
        if not highest or (name == "reasoning" and price_ is None):
            continue
        if price_ is None:
            return None
        room += highest * abs(price_)
        if room * max(rate.factor, rate.denominator) * 2 >= _ROOM or rate.scale * rate.denominator >= _ROOM:
            raise NotAlike
        total += counts[name] * price_
    return total


def half_even(numerator: np.ndarray, denominator: int) -> np.ndarray:
    """Quotients of non-negative integers, rounded half to even."""
    if denominator == 1:
        return numerator
    quotient, rest = np.divmod(numerator, denominator)
    twice = 2 * rest
    return quotient + ((twice > denominator) | ((twice == denominator) & (quotient % 2 == 1)))
