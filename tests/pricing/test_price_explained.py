"""How a price is explained: its parts add up to what calls are charged, or it says why they do not."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pricing.test_book import SPRING, VECTORS, at
from tui_monitor.config.settings import Prices
from tui_monitor.model.call import NANO, Call
from tui_monitor.pricing.book import PriceBook
from tui_monitor.pricing.explaining import Explaining, explained

BOOK = PriceBook.load(Prices())


def stored(provider: str | None, model: str | None, day: str = SPRING, **fields: Any) -> Call:
    call = Call("test", "1", ts_end=at(day), provider=provider, model_served=model, **fields)
    BOOK.price(call)
    return call


@pytest.mark.parametrize(("provider", "model", "day", "fields", "usd"), VECTORS)
def test_published_prices(provider: str, model: str, day: str, fields: dict[str, Any], usd: str) -> None:
    call = stored(provider, model, day, **fields)
    price = explained(BOOK, call)
    assert sum(Decimal(part.usd) for part in price.parts) == Decimal(price.sum_usd or "-1") == Decimal(usd)
    assert price.cost == call.cost == price.list_cost
    assert price.differs == ""
    assert (price.why, price.source, price.version) == ("computed from its tokens", "genai-prices", "0.2.3")


tokens = st.none() | st.integers(0, 3_000_000)


@given(
    st.sampled_from(["claude-sonnet-4-5", "gpt-5", "gemini-2.5-pro", "gpt-4o-mini", "o3", "nobody"]),
    tokens, tokens, tokens, tokens, tokens, st.none() | st.integers(0, 10**12), st.booleans(),
)  # fmt: skip
def test_parts_add_up_and_the_call_stays_as_it_is(
    model: str, plain: int | None, read: int | None, w5: int | None, out: int | None, thought: int | None,
    reported: int | None, batch: bool,
) -> None:  # fmt: skip
    provider = {"c": "anthropic", "g": "openai", "o": "openai", "n": "openai"}[model[0]]
    if model.startswith("gemini"):
        provider = "google"
    call = stored(
        provider, model, in_uncached=plain, cache_read=read, cache_write_5m=w5, out_total=out,
        reasoning=min(thought, out) if thought and out else None, cost_reported=reported, batch=batch,
    )  # fmt: skip
    before = replace(call)
    price = explained(BOOK, call)
    assert call == before
    assert price.differs == ""
    assert (price.cost, price.list_cost) == (call.cost, call.list_cost)
    for part in price.parts:
        if part.tokens is not None:
            assert Decimal(part.usd) == part.tokens * Decimal(part.usd_per_million or 0) / 1_000_000
    if price.list_cost is not None:
        assert price.sum_usd is not None
        # Exact but for the last nano-dollar.
        assert abs(Decimal(price.sum_usd) * NANO - price.list_cost) <= Decimal("0.5")
        assert sum(Decimal(part.usd) for part in price.parts) == Decimal(price.sum_usd)
    if call.cost is None:
        assert price.why.startswith("unpriced: ")


WHYS: list[tuple[Call, str]] = [
    (stored(None, "gpt-5", in_uncached=5), "unpriced: its provider is not known"),
    (stored("openai", None, in_uncached=5), "unpriced: its model is not known"),
    (stored("openai", "my-own", in_uncached=5), "unpriced: no list has a price of my-own of openai"),
    (stored("openai", "gpt-5"), "unpriced: its tokens are not known"),
    (stored("openai", "text-embedding-3-small", out_total=5),
     "unpriced: output tokens have no price in the list"),
    (stored("openai", "gpt-5", out_total=10**15),
     "unpriced: no call costs that much: its tokens must be wrong"),
    (stored("ollama", "llama3", in_uncached=5), "free, as prices.free_providers says"),
    (stored("openai", "gpt-5", in_uncached=5, cost_reported=77), "told by the source"),
    (stored("openai", "gpt-5", in_uncached=5, cost_status="subscription"),
     "covered by a subscription: it counts as $0.00"),
    (stored("openai", "gpt-5", in_uncached=5, cost_status="free"), "free, as its source says"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "why"), WHYS)
def test_why(call: Call, why: str) -> None:
    price = explained(BOOK, call)
    assert (price.why, price.differs) == (why, "")


def test_what_was_priced_by_another_list_differs() -> None:
    call = stored("openai", "gpt-5", in_uncached=1_000_000)
    old = replace(call, cost=NANO, cost_computed=NANO, list_cost=NANO, price_version="0.1.0")
    price = explained(BOOK, old)
    assert price.cost == 1_250_000_000
    assert "cost is stored as $1.00, and would be $1.25 now" in price.differs
    assert "priced by genai-prices 0.1.0, prices are now those of genai-prices 0.2.3" in price.differs


def test_an_estimated_tier_says_so() -> None:
    price = explained(BOOK, stored("openai", "gpt-5", in_uncached=10, service_tier="unheard-of"))
    assert price.estimated == ("the list has no price of that day for unheard-of; the nearest is taken",)


def test_ones_own_file_its_entry_days_and_discount(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    text = """
    [[prices]]
    provider = "openai"
    model = "gpt-5"
    input = 2.0
    output = 8.0
    request = 0.001
    valid_from = 2026-01-01
    discount = 0.25
    """
    file.write_text(text)
    settings, explaining = Prices(file=file), Explaining()
    call = stored("openai", "gpt-5", in_uncached=1_000_000, out_total=250_000)
    PriceBook.load(settings).price(call)
    price = explaining.explained(settings, call)
    assert price.source == f"{file}, entry 1"
    assert (price.valid_from, price.valid_to, price.discount) == ("2026-01-01", None, "0.25")
    assert [(p.kind, p.usd_per_million, p.usd) for p in price.parts] == [
        ("request", None, "0.001"), ("input", "2", "2"), ("output", "8", "2"),
    ]  # fmt: skip
    assert (price.list_cost, price.computed) == (4_001_000_000, 3_000_750_000)
    assert price.cost == call.cost == 3_000_750_000
    # The file is read again when it has changed.
    file.write_text(text.replace("2.0", "2.50"))
    assert "would be" in explaining.explained(settings, call).differs
