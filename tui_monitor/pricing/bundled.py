"""The price list that ships with the installation: genai-prices, offline.

Importing it takes the better part of a second and loads an HTTP client, so only `Bundled.load` does.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_monitor.model.call import Call
from tui_monitor.model.clock import to_datetime
from tui_monitor.model.errors import MonitorError
from tui_monitor.pricing.names import candidates
from tui_monitor.pricing.rate import Tier

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

SOURCE = "genai-prices"
_KEYS = {
    "input_mtok": "input",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write_5m",
    "cache_write_5m_mtok": "cache_write_5m",
    "cache_write_1h_mtok": "cache_write_1h",
    "output_mtok": "output",
    "output_reasoning_mtok": "reasoning",
}
_STARTS = re.compile(r"start_date=(?:datetime\.)?date\((\d+), (\d+), (\d+)\)")
_STANDARD_TIERS = frozenset({"", "default", "standard", "standard_only", "auto", "on_demand"})

Context = tuple[tuple[str, str], ...]
"""What a request asked for beside the model, as the price list names it."""


def context(service_tier: str | None, batch: bool | None) -> Context:
    """The context of a call; a tier that no list knows stays in it, so that it is not priced in silence."""
    tier = (service_tier or "").lower()
    if batch or tier == "batch":
        return (("processing", "batch"),)
    return () if tier in _STANDARD_TIERS else (("service_tier", tier),)


@dataclass(frozen=True, slots=True)
class Listed:
    """Prices of one model at one moment."""

    provider: str
    model: str
    tiers: tuple[Tier, ...]
    valid_from: date | None = None
    valid_to: date | None = None
    """The last day, where a change is listed."""
    tier_estimated: bool = False
    hours: str = ""
    """The time of day (UTC) at which these prices hold, where that matters."""
    free: bool = False


def newest_change(today: date) -> tuple[str, date | None]:
    """The list's version, and the last day up to `today` on which it knows a price to have changed.

    Reads the list as text: loading it takes a second.
    """
    from importlib.metadata import version
    from importlib.util import find_spec

    spec = find_spec("genai_prices")
    if spec is None or spec.origin is None:
        raise MonitorError("the price list is not installed", hint="install tui-monitor anew")
    text = (Path(spec.origin).parent / "data.py").read_text(encoding="utf-8")
    days = (date(*map(int, day)) for day in _STARTS.findall(text))
    return version(SOURCE), max((day for day in days if day <= today), default=None)


class Bundled:
    """Looks models up in the bundled list."""

    def __init__(self, providers: "list[Provider]", version: str) -> None:
        self._providers = {provider.id: provider for provider in providers}
        self._all = providers
        self.version = version
        self._found: dict[tuple[str, str], tuple[Provider, ModelInfo] | None] = {}

    @classmethod
    def load(cls) -> "Bundled":
        """Import the list: slow, so in a thread. No network."""
        from genai_prices import __version__
        from genai_prices.data import providers

        return cls(providers, __version__)

    def find(self, provider: str, model: str) -> "tuple[Provider, ModelInfo] | None":
        """The provider and model that this name means, if it means one."""
        key = (provider, model)
        if key not in self._found:
            if len(self._found) >= 4096:
                self._found.clear()
            self._found[key] = self._search(provider, model)
        return self._found[key]

    def _search(self, provider: str, model: str) -> "tuple[Provider, ModelInfo] | None":
        for provider_id, name in candidates(provider, model):
            # By exact id: the list's own search takes any provider whose name contains a known one.
            known = self._providers.get(provider_id)
            info = known.find_model(name, all_providers=self._all) if known else None
            if known and info:
                return known, info
        return None

    def holders(self, model: str) -> list[str]:
        """Ids of all providers that list this model themselves."""
        return [p for p in self._providers if (found := self.find(p, model)) and _own(*found)]

    def at(self, provider: str, model: str, instant: int, asked: Context = ()) -> Listed | None:
        """The prices of a model at an instant (µs UTC), in a context."""
        found = self.find(provider, model)
        if found is None:
            return None
        owner, info = found
        moment = to_datetime(instant)
        standard = info.get_prices(moment)
        chosen, estimated = _in_context(owner, info, standard, moment, asked)
        listed = _listed(owner, info, standard, moment)
        return replace(listed, tiers=_tiers(chosen), tier_estimated=estimated)

    def total(self, call: Call, asked: Context) -> Decimal | None:
        """USD of a call with units beside tokens, by the list's own (slower) arithmetic.

        `None` where the model has no price for such a unit, or the counts contradict each other.
        """
        from genai_prices import Usage
        from genai_prices.data_units import unit_data

        found = self.find(call.provider or "", call.model or "")
        if found is None:
            return None
        moment = to_datetime(call.booked)
        prices, _ = _in_context(*found, found[1].get_prices(moment), moment, asked)
        media = {unit: number for unit, number in (call.media or {}).items() if number}
        for unit in media:
            known = unit_data.get(unit)
            # Tokens of a medium without a price of its own are priced as the other tokens are.
            plain = known is not None and known["dimensions"]["family"] == "tokens"
            if known is None or (not plain and getattr(prices, known["price_key"]) is None):
                return None
        written = None
        if call.cache_write_5m is not None or call.cache_write_1h is not None:
            written = (call.cache_write_5m or 0) + (call.cache_write_1h or 0)
        tokens = {
            "input_tokens": call.total_in,
            "cache_read_tokens": call.cache_read,
            "cache_write_tokens": written,
            "cache_write_1h_tokens": call.cache_write_1h,
            "output_tokens": call.out_total,
        }
        try:
            return prices.calc_price(Usage(**tokens, **media))["total_price"]
        except ValueError:
            return None

    def timed(self, provider: str, model: str) -> bool:
        """Whether the price depends on the time of day."""
        found = self.find(provider, model)
        if found is None or not isinstance(found[1].prices, list):
            return False
        return any(hasattr(entry.constraint, "start_time") for entry in found[1].prices)


def _own(provider: "Provider", info: "ModelInfo") -> bool:
    """Whether the provider lists the model itself, rather than by another provider's list."""
    return any(info is model for model in provider.models)


def _in_context(
    owner: "Provider", info: "ModelInfo", standard: "ModelPrice", moment: datetime, asked: Context
) -> "tuple[ModelPrice, bool]":
    """The prices for what was asked; and whether they are estimated, as the list knows them later or not."""
    if not asked:
        return standard, False
    wanted = dict(asked)
    # A list that another provider's models are looked up in says nothing of this one's tiers.
    if _own(owner, info):
        prices = info.get_prices(moment, wanted)
        if prices != standard:
            return prices, False
        later = _first_start(info, wanted, moment)
        if later is not None:
            return info.get_prices(later, wanted), True
    return standard, True


def _first_start(info: "ModelInfo", wanted: dict[str, str], moment: datetime) -> datetime | None:
    """The first day from which the list knows prices for what was asked: it dates most of them too late."""
    starts = [
        start
        for variant in info.price_variants or ()
        if all(wanted.get(key) == value for key, value in variant.when.items())
        and (start := getattr(variant.constraint, "start_date", None)) is not None
        and start > moment.date()
    ]
    return datetime.combine(min(starts), time(), moment.tzinfo) if starts else None


def _listed(provider: "Provider", info: "ModelInfo", prices: "ModelPrice", moment: datetime) -> Listed:
    valid_from, valid_to, hours = None, None, ""
    if isinstance(info.prices, list):
        for entry in info.prices:
            start = getattr(entry.constraint, "start_date", None)
            if entry.prices is prices:
                valid_from = start
                begin, end = (getattr(entry.constraint, name, None) for name in ("start_time", "end_time"))
                hours = f"{begin:%H:%M}–{end:%H:%M}" if begin and end else ""
            if start is not None and start > moment.date() and (valid_to is None or start <= valid_to):
                valid_to = start - timedelta(days=1)
    tiers = _tiers(prices)
    free = provider.id == "openrouter" and info.id.endswith(":free")
    return Listed(provider.id, info.id, tiers, valid_from, valid_to, hours=hours, free=free)


def _tiers(prices: "ModelPrice") -> tuple[Tier, ...]:
    """The list's prices by our names; a threshold re-prices the whole call."""
    values: dict[str, Any] = {k: v for k, v in vars(prices).items() if v is not None}
    starts = sorted({tier.start for v in values.values() if hasattr(v, "tiers") for tier in v.tiers})
    return tuple(_tier(values, above) for above in (-1, *starts))


def _tier(values: dict[str, Any], above: int) -> Tier:
    named: dict[str, Decimal] = {}
    for key, name in _KEYS.items():
        value = values.get(key)
        if value is not None:
            named[name] = _price_at(value, above)
    if "requests_kcount" in values:
        named["request"] = _price_at(values["requests_kcount"], above) / 1000
    return Tier(above, named)


def _price_at(value: Any, above: int) -> Decimal:
    if isinstance(value, Decimal):
        return value
    price = value.base
    for tier in value.tiers:
        if tier.start <= above:
            price = tier.price
    return price
