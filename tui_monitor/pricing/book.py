"""The price book: one's own file first, then the bundled list; what is in neither is unpriced, never 0."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

from tui_monitor.config.settings import Prices
from tui_monitor.model.call import MAX_MONEY, Call
from tui_monitor.model.clock import DAY, MINUTE, Micros, to_datetime
from tui_monitor.model.providers import canonical
from tui_monitor.pricing import bundled, file
from tui_monitor.pricing.bundled import Bundled, Listed
from tui_monitor.pricing.file import PriceFile
from tui_monitor.pricing.names import free_variant
from tui_monitor.pricing.rate import Amount, Rate, Tier

MAX_CACHED = 8192
"""Resolved prices kept; the oldest go first."""
_OURS = frozenset({"settings", "name"})
"""Price sources of calls that are free by a setting or by their name, not because their source said so."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which price holds for a model, and where it comes from. Prices in USD per million tokens."""

    provider: str
    model: str
    source: str
    version: str
    prices: dict[str, Decimal] = field(default_factory=dict)
    """`input`, `output`, `cache_read` …; `request` is USD per call."""
    tiers: tuple[Tier, ...] = ()
    """Prices that hold for the whole call above a number of input tokens."""
    discount: Decimal = Decimal(0)
    valid_from: date | None = None
    valid_to: date | None = None
    """The last day (UTC)."""
    note: str = ""


class PriceBook:
    """Prices calls. Not thread-safe: one thread prices."""

    def __init__(self, settings: Prices, own: PriceFile, listed: Bundled) -> None:
        self._settings = settings
        self._own = own
        self._listed = listed
        self._free = frozenset(canonical(name) for name in settings.free_providers)
        self._rates: dict[tuple[object, ...], Rate | None] = {}
        self._timed: dict[tuple[str, str], bool] = {}

    @classmethod
    def load(cls, settings: Prices) -> "PriceBook":
        """Read the price file and import the bundled list: up to a second, so in a thread.

        Raises `UsageError` naming file, entry and key.
        """
        return cls(settings, PriceFile.read(settings.file), Bundled.load())

    @property
    def file(self) -> Path | None:
        """The file of one's own prices, if there is one."""
        return self._own.path

    def price(self, call: Call) -> None:
        """Set `list_cost`, `cost_computed`, `cost`, `cost_status`, `price_source` and `price_version`."""
        declared = call.cost_status if call.price_source not in _OURS else ""
        rate = self.rate(call)
        amount = None
        if rate is not None:
            amount = rate.amount(call) if not call.media else self._with_media(call, rate)
        if amount is not None and max(amount) > MAX_MONEY:
            # No call costs that much: its tokens are wrong, and a few such sums would not fit into 64 bits.
            amount = None
        if rate is None or amount is None:
            call.list_cost = call.cost_computed = call.price_source = call.price_version = None
            call.tier_estimated = False
        else:
            call.list_cost, call.cost_computed = amount.list, amount.net
            call.price_source, call.price_version = rate.source, rate.version
            call.tier_estimated = rate.tier_estimated or _beyond_list(call)
        if declared in ("subscription", "free"):
            if call.list_cost is None:
                call.list_cost = call.cost_reported
            call.cost, call.cost_status = 0, declared
        else:
            self._decide(call, amount, rate)

    def timed(self, provider: str | None, model: str | None) -> bool:
        """Whether a model's price depends on the time of day; else it is one for a day (UTC)."""
        return provider is not None and model is not None and self._listed.timed(provider, model)

    def _with_media(self, call: Call, rate: Rate) -> Amount | None:
        """Audio, images, searches: only the bundled list has prices for them."""
        if rate.source == file.SOURCE:
            return None if any(call.media.values()) else rate.amount(call)  # type: ignore[union-attr]
        total = self._listed.total(call, bundled.context(call.service_tier, call.batch))
        return None if total is None else rate.of_total(total)

    def _decide(self, call: Call, amount: Amount | None, rate: Rate | None) -> None:
        reported = call.cost_reported
        # Many gateways report 0 for what they could not price.
        if reported == 0 and call.total_tokens:
            reported = None
        computed = None if amount is None else amount.net
        if reported is not None and (computed is None or self._settings.prefer == "reported"):
            call.cost, call.cost_status = reported, "reported"
        elif computed is not None:
            call.cost, call.cost_status = computed, "computed"
        elif call.provider is not None and canonical(call.provider) in self._free:
            call.cost, call.cost_status, call.price_source = 0, "free", "settings"
        elif rate is not None and rate.free:
            call.cost, call.cost_status, call.price_source = 0, "free", "name"
        else:
            call.cost, call.cost_status = None, "unpriced"

    def rate(self, call: Call) -> Rate | None:
        """The prices that hold for a call; `None` where no list knows its model."""
        provider, model = call.provider, call.model_served or call.model_requested
        if provider is None or model is None:
            return None
        booked = call.booked
        moment = booked // DAY
        if self._timed and self._timed.get((provider, model)):
            moment = booked // MINUTE + (1 << 40)
        key = (provider, model, moment, call.service_tier, call.batch)
        try:
            return self._rates[key]
        except KeyError:
            return self._resolve(call, provider, model, key)

    def _resolve(self, call: Call, provider: str, model: str, key: tuple[object, ...]) -> Rate | None:
        if (provider, model) not in self._timed and self._listed.timed(provider, model):
            if len(self._timed) >= MAX_CACHED:
                self._timed.clear()
            self._timed[provider, model] = True
            return self.rate(call)
        rate = self._find(provider, model, call.booked, bundled.context(call.service_tier, call.batch))
        if len(self._rates) >= MAX_CACHED:
            del self._rates[next(iter(self._rates))]
        self._rates[key] = rate
        return rate

    def _find(self, provider: str, model: str, instant: Micros, asked: bundled.Context) -> Rate | None:
        entry = self._own.find(provider, model, to_datetime(instant).date())
        if entry is not None and entry.prices:
            return Rate(
                entry.tiers,
                source=file.SOURCE,
                version=self._own.version,
                discount=entry.discount,
                tier_estimated=bool(asked),
            )
        listed = self._listed.at(provider, model, instant, asked)
        if listed is None:
            free = free_variant(provider, model)
            return Rate((Tier(-1, {}),), source="name", version="", free=True) if free else None
        return Rate(
            listed.tiers,
            source=bundled.SOURCE if entry is None else f"{bundled.SOURCE}, discount of {file.SOURCE}",
            version=self._listed.version,
            discount=entry.discount if entry is not None else Decimal(0),
            tier_estimated=listed.tier_estimated,
            free=listed.free,
        )

    def entry(self, call: Call) -> Explanation | None:
        """The entry of the list that holds for a call; `None` where no list has its model."""
        if call.provider is None or call.model is None:
            return None
        return self._explain(call.provider, call.model, call.booked)

    def explain(self, provider: str | None, model: str, at: Micros) -> list[Explanation]:
        """Which price holds for a model at an instant, for one provider or every one that has the model.

        Empty when no list knows the model.
        """
        if provider is not None:
            providers: Sequence[str] = [canonical(provider)]
        else:
            own = [entry.provider for entry in self._own.entries if entry.model != file.ANY_MODEL]
            providers = list(dict.fromkeys([*own, *self._listed.holders(model)]))
        found = (self._explain(name, model, at) for name in providers)
        return [explanation for explanation in found if explanation is not None]

    def _explain(self, provider: str, model: str, at: Micros) -> Explanation | None:
        entry = self._own.find(provider, model, to_datetime(at).date())
        if entry is not None and entry.prices:
            return Explanation(
                provider, entry.model, f"{self._own.path}, entry {entry.number}", self._own.version,
                entry.prices, (), entry.discount, entry.valid_from, entry.valid_to,
            )  # fmt: skip
        listed = self._listed.at(provider, model, at)
        if listed is None:
            return None
        return Explanation(
            provider, listed.model, bundled.SOURCE, self._listed.version,
            dict(listed.tiers[0].prices), listed.tiers[1:], entry.discount if entry else Decimal(0),
            listed.valid_from, listed.valid_to, _note(provider, listed),
        )  # fmt: skip


def _note(provider: str, listed: Listed) -> str:
    notes = []
    if listed.provider != provider:
        notes.append(f"listed by {listed.provider}")
    if listed.hours:
        notes.append(f"from {listed.hours} UTC only")
    if listed.free:
        notes.append("a free variant")
    elif not any(tier.prices for tier in listed.tiers):
        notes.append("the list names the model without a price per token")
    return "; ".join(notes)


def _beyond_list(call: Call) -> bool:
    """Whether a call is known to cost more than listed: answered fast, or kept in one country."""
    return call.attrs.get("speed") == "fast" or call.attrs.get("inference_geo") == "us"
