"""The price of one call, explained: by the same book and the same arithmetic that price calls."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal, localcontext
from pathlib import Path

from tui_monitor.config.settings import Prices
from tui_monitor.model.call import MAX_MONEY, NANO, Call
from tui_monitor.model.callprice import CallPrice, PricePart
from tui_monitor.model.units import exact_usd
from tui_monitor.pricing import file
from tui_monitor.pricing.book import PriceBook
from tui_monitor.pricing.rate import REQUEST, Rate

_DIGITS = 60
"""More than any product of a price and tokens has."""
_MILLION_PER_NANO = 1000
"""A nano-dollar for a token is so many thousandths of a dollar for a million."""


def explained(book: PriceBook, call: Call) -> CallPrice:
    """How the price of a stored call is made up; the call stays as it is."""
    now = replace(call)
    book.price(now)
    rate, entry = book.rate(call), book.entry(call)
    found = CallPrice(_why(call, rate), cost=now.cost, differs=_differs(call, now))
    if rate is None:
        return found
    found = replace(
        found,
        source=rate.source if entry is None else entry.source,
        version=rate.version or None,
        estimated=tuple(_estimated(call, now, rate)),
        list_cost=now.list_cost if now.cost_computed is not None else None,
        computed=now.cost_computed,
    )
    if entry is not None:
        found = replace(
            found, provider=entry.provider, model=entry.model, discount=_plain(entry.discount),
            valid_from=entry.valid_from and entry.valid_from.isoformat(),
            valid_to=entry.valid_to and entry.valid_to.isoformat(),
        )  # fmt: skip
    return _with_parts(found, rate, call)


def _with_parts(found: CallPrice, rate: Rate, call: Call) -> CallPrice:
    of_tokens = rate.parts(call)
    with localcontext() as context:
        context.prec = _DIGITS
        parts: list[PricePart] = []
        total = Decimal(0)
        if of_tokens is not None:
            level, counted = of_tokens
            if level.above >= 0:
                found = replace(found, above=level.above)
            for kind, count, price in counted:
                amount = Decimal(count * price) / rate.scale / NANO
                total += amount
                single = kind == REQUEST
                each = None if single else _plain(Decimal(price) / rate.scale / _MILLION_PER_NANO)
                parts.append(PricePart(kind, None if single else count, each, _plain(amount)))
        if call.media and found.list_cost is not None:
            rest = Decimal(found.list_cost) / NANO - total
            if rest:
                parts.append(PricePart("media", None, None, _plain(rest)))
                total += rest
        known = found.list_cost is not None
        return replace(found, parts=tuple(parts), sum_usd=_plain(total) if known else None)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _estimated(call: Call, now: Call, rate: Rate) -> Iterator[str]:
    if rate.tier_estimated:
        asked = call.service_tier or "batch"
        yield f"the list has no price of that day for {asked}; the nearest is taken"
    elif now.tier_estimated:
        yield "answered fast or kept in one country, which costs more than listed"
    if call.model_guessed:
        yield "the model is a guess"


def _why(call: Call, rate: Rate | None) -> str:
    match call.cost_status:
        case "reported":
            return "told by the source"
        case "computed":
            return "computed from its tokens"
        case "subscription":
            return "covered by a subscription: it counts as $0.00"
        case "free" if call.price_source == "settings":
            return "free, as prices.free_providers says"
        case "free" if call.price_source == "name":
            return "free, a free variant of the model"
        case "free":
            return "free, as its source says"
        case _:
            return f"unpriced: {_missing(call, rate)}"


def _missing(call: Call, rate: Rate | None) -> str:
    if call.provider is None:
        return "its provider is not known"
    if call.model is None:
        return "its model is not known"
    if rate is None:
        return f"no list has a price of {call.model} of {call.provider}"
    if (
        call.media
        and any(call.media.values())
        and (rate.source == file.SOURCE or rate.parts(call) is not None)
    ):
        return "there is no price for its audio, images or searches"
    parts = rate.parts(call)
    if parts is None:
        if call.total_tokens is None:
            return "its tokens are not known"
        return f"{_without_price(call, rate)} tokens have no price in the list"
    if sum(count * price for _, count, price in parts[1]) > MAX_MONEY * rate.scale:
        return "no call costs that much: its tokens must be wrong"
    return "it was stored before there was a price"


def _without_price(call: Call, rate: Rate) -> str:
    level = max(
        (level for level in rate.levels if (call.total_in or 0) > level.above),
        key=lambda level: level.above, default=rate.levels[0],
    )  # fmt: skip
    kinds = (
        ("input", call.in_uncached, level.input), ("cached", call.cache_read, level.cache_read),
        ("cache write", call.cache_write_5m or call.cache_write_1h, level.write_5m),
        ("output", call.out_total, level.output),
    )  # fmt: skip
    return " and ".join(name for name, count, price in kinds if count and price is None)


def _differs(call: Call, now: Call) -> str:
    stored, today = (
        (each.cost, each.list_cost, each.cost_computed, each.cost_status) for each in (call, now)
    )
    if stored == today:
        return ""
    said = [
        f"{name} is stored as {_usd(was)}, and would be {_usd(would)} now"
        for name, was, would in zip(("cost", "list price", "computed"), stored[:3], today[:3], strict=True)
        if was != would
    ]
    words = (
        said[0] if said else f"its cost is stored as {call.cost_status}, and would be {now.cost_status} now"
    )
    return f"{words}: {_cause(call, now)}"


def _cause(call: Call, now: Call) -> str:
    way = "`tui-monitor reprice` brings it up to date"
    if call.price_version != now.price_version:
        was = f"{call.price_source or 'no list'} {call.price_version or ''}".strip()
        would = f"{now.price_source or 'no list'} {now.price_version or ''}".strip()
        return f"it was priced by {was}, prices are now those of {would}; {way}"
    return f"prices, settings or tokens have changed since; {way}"


def _usd(nano: int | str | None) -> str:
    return exact_usd(nano) if isinstance(nano, int) else "unknown"


class Explaining:
    """The book that explains: loaded when it is first asked, and again when settings or the file change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: tuple[object, PriceBook] | None = None

    def explained(self, settings: Prices, call: Call) -> CallPrice:
        """As `explained` above; the first time takes up to a second. Any thread may ask.

        Raises `UsageError` for a broken price file.
        """
        key = (settings, _stamp(settings.file))
        with self._lock:
            if self._loaded is None or self._loaded[0] != key:
                self._loaded = key, PriceBook.load(settings)
            return explained(self._loaded[1], call)


def _stamp(path: Path | None) -> tuple[int, int] | None:
    try:
        found = None if path is None else path.expanduser().stat()
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_size)
