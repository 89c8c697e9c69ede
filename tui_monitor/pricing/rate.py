"""The arithmetic of one call, in whole numbers: prices become integers once, calls are only multiplied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from tui_monitor.model.call import NANO, Call

TOKEN_PRICES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")
"""Names of prices in USD per million tokens; `request` is one more, in USD per call."""
REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Tier:
    """Prices that hold for the whole call once it has more than `above` input tokens."""

    above: int
    prices: Mapping[str, Decimal]


class Amount(NamedTuple):
    """Nano-dollars: by list, and after discount."""

    list: int
    net: int


@dataclass(frozen=True, slots=True)
class Level:
    """A tier's prices as whole numbers: nano-dollars per token, times the rate's `scale`."""

    above: int
    input: int | None
    cache_read: int | None
    write_5m: int | None
    write_1h: int | None
    output: int | None
    reasoning: int | None
    request: int


Parts = tuple[Level, list[tuple[str, int, int]]]
"""A tier, and (kind, tokens, price) of what is paid by it: scaled like the tier's prices."""


def half_even(numerator: int, denominator: int) -> int:
    """The quotient of two non-negative integers, rounded half to even."""
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient & 1):
        quotient += 1
    return quotient


def _decimals(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


class Rate:
    """The prices of one model at one moment, ready for multiplication.

    `tiers` start with the one above 0 (or -1); later ones hold from their threshold on, for the whole call.
    """

    __slots__ = (
        "denominator",
        "factor",
        "free",
        "levels",
        "scale",
        "source",
        "tier_estimated",
        "version",
    )

    def __init__(
        self,
        tiers: Sequence[Tier],
        *,
        source: str,
        version: str,
        discount: Decimal = Decimal(0),
        tier_estimated: bool = False,
        free: bool = False,
    ) -> None:
        self.source = source
        self.version = version
        self.tier_estimated = tier_estimated
        self.free = free
        # A price of USD per million tokens is `price × 1000` nano-dollars per token.
        places = max(
            (_decimals(p * 1000) for t in tiers for k, p in t.prices.items() if k != "request"), default=0
        )
        calls = max((_decimals(t.prices.get("request", Decimal(0)) * NANO) for t in tiers), default=0)
        self.scale = 10 ** max(places, calls)
        self.levels = tuple(_level(tier, self.scale) for tier in sorted(tiers, key=lambda t: t.above))
        net = 1 - discount
        self.denominator = 10 ** _decimals(net)
        self.factor = int(net * self.denominator)

    def amount(self, call: Call) -> Amount | None:
        """What the call costs, from the tokens that are known.

        `None` where that is unknown: no tokens are known, or there are tokens of a kind without a price.
        """
        sum_ = self._sum(call)
        if sum_ is None:
            return None
        scale = self.scale
        listed = sum_ if scale == 1 else half_even(sum_, scale)
        if self.factor == self.denominator:
            return Amount(listed, listed)
        return Amount(listed, half_even(sum_ * self.factor, scale * self.denominator))

    def of_total(self, usd: Decimal) -> Amount:
        """An amount that was reckoned elsewhere, with this rate's discount."""
        nano = usd * NANO
        net = nano * self.factor / self.denominator
        return Amount(*(int(value.to_integral_value(ROUND_HALF_EVEN)) for value in (nano, net)))

    def _sum(self, call: Call) -> int | None:
        parts = self.parts(call)
        if parts is None:
            return None
        total = 0
        for _, count, price in parts[1]:
            total += count * price
        return total

    def parts(self, call: Call) -> Parts | None:
        """The tier that holds for a call, and what makes up its list price.

        `None` where that is unknown, as for `amount`.
        """
        plain, read, w5, w1 = call.in_uncached, call.cache_read, call.cache_write_5m, call.cache_write_1h
        out = call.out_total
        levels = self.levels
        level = levels[0]
        parts = [(REQUEST, 1, level.request)] if level.request else []
        if plain is None and read is None and w5 is None and w1 is None and out is None:
            only_requests = level.request and level.input is None and level.output is None
            return (level, parts) if only_requests else None
        total_in = (plain or 0) + (read or 0) + (w5 or 0) + (w1 or 0)
        if len(levels) > 1:
            for higher in levels[1:]:
                if total_in > higher.above:
                    level = higher
            parts = [(REQUEST, 1, level.request)] if level.request else []
        for name, count, price in (
            ("input", plain, level.input),
            ("cache_read", read, level.cache_read),
            ("cache_write_5m", w5, level.write_5m),
            ("cache_write_1h", w1, level.write_1h),
        ):
            if count:
                if price is None:
                    return None
                parts.append((name, count, price))
        if out:
            if level.output is None:
                return None
            thought = call.reasoning if level.reasoning is not None else None
            parts.append(("output", out - (thought or 0), level.output))
            if thought and level.reasoning is not None:
                parts.append(("reasoning", thought, level.reasoning))
        return level, parts


def _level(tier: Tier, scale: int) -> Level:
    def per_token(*names: str) -> int | None:
        """The first price there is, in scaled nano-dollars per token."""
        for name in names:
            price = tier.prices.get(name)
            if price is not None:
                return int(price * 1000 * scale)
        return None

    return Level(
        tier.above,
        per_token("input"),
        per_token("cache_read", "input"),
        per_token("cache_write_5m", "input"),
        per_token("cache_write_1h", "cache_write_5m", "input"),
        per_token("output"),
        per_token("reasoning"),
        int(tier.prices.get("request", Decimal(0)) * NANO * scale),
    )
