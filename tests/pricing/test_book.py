"""What calls cost: published vectors, tiers, contexts, one's own file, and what stays unknown."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tui_monitor.config.settings import Prices
from tui_monitor.model.call import NANO, Call
from tui_monitor.model.clock import HOUR, from_datetime
from tui_monitor.model.errors import UsageError
from tui_monitor.pricing import book as book_module
from tui_monitor.pricing.book import PriceBook

SPRING = "2026-03-02"


def at(day: str, time: str = "12:00") -> int:
    return from_datetime(datetime.fromisoformat(f"{day}T{time}:00+00:00"))


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return PriceBook.load(Prices())


def priced(
    book: PriceBook, provider: str | None, model: str | None, day: str = SPRING, **fields: Any
) -> Call:
    call = Call("test", "1", ts_end=at(day), provider=provider, model_served=model, **fields)
    book.price(call)
    return call


VECTORS = [
    ("openai", "gpt-5", SPRING, {"in_uncached": 1_000_000}, "1.25"),
    ("anthropic", "claude-sonnet-4-5", SPRING, {"in_uncached": 100_000}, "0.30"),
    (
        "openai", "gpt-4o-mini", SPRING,
        {"in_uncached": 476, "cache_read": 1024, "out_total": 200},
        "0.0002682",
    ),
    (
        "anthropic", "claude-sonnet-4-5", SPRING,
        {"in_uncached": 10, "cache_read": 5000, "cache_write_5m": 100, "cache_write_1h": 200,
         "out_total": 80},
        "0.004305",
    ),
    (
        "google", "gemini-2.5-flash", SPRING,
        {"in_uncached": 300, "cache_read": 600, "out_total": 170},
        "0.000533",
    ),
    ("openai", "o3", "2025-06-01", {"in_uncached": 1_000_000}, "10"),
    ("openai", "o3", "2025-07-01", {"in_uncached": 1_000_000}, "2"),
    ("anthropic", "claude-sonnet-4-5", SPRING, {"in_uncached": 200_000}, "0.60"),
    ("anthropic", "claude-sonnet-4-5", SPRING, {"in_uncached": 200_001}, "1.200006"),
    ("openai", "gpt-5", "2026-11-20", {"in_uncached": 100_000, "batch": True}, "0.0625"),
    ("anthropic", "claude-sonnet-4-5", "2026-11-20", {"in_uncached": 100_000, "batch": True}, "0.15"),
    ("google", "gemini-2.5-flash", "2026-11-20", {"in_uncached": 100_000, "batch": True}, "0.015"),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "model", "day", "fields", "usd"), VECTORS)
def test_published_vectors(
    book: PriceBook, provider: str, model: str, day: str, fields: dict[str, Any], usd: str
) -> None:
    call = priced(book, provider, model, day, **fields)
    assert call.cost == round(float(usd) * NANO)
    assert (call.cost_status, call.tier_estimated) == ("computed", False)
    assert call.list_cost == call.cost_computed == call.cost
    assert (call.price_source, call.price_version) == ("genai-prices", "0.2.3")


def test_the_integers_agree_with_the_lists_own_arithmetic(book: PriceBook) -> None:
    from genai_prices import Usage, calc_price

    moment = datetime.fromisoformat(f"{SPRING}T12:00:00+00:00")
    tokens = [(0, 0, 1), (1, 7, 3), (12_345, 6_789, 1_111), (150_000, 60_000, 9), (300_001, 1, 77)]
    for provider, model in [
        ("openai", "gpt-5-nano"), ("anthropic", "claude-opus-4-1"), ("google", "gemini-2.5-pro"),
        ("x-ai", "grok-4"), ("mistral", "mistral-small-latest"), ("openrouter", "qwen/qwen3-32b"),
    ]:  # fmt: skip
        for plain, read, out in tokens:
            call = priced(book, provider, model, in_uncached=plain, cache_read=read, out_total=out)
            usage = Usage(input_tokens=plain + read, cache_read_tokens=read, output_tokens=out)
            theirs = calc_price(usage, model, provider_id=provider, genai_request_timestamp=moment)
            assert call.cost == round(theirs.total_price * NANO), (model, plain)


@pytest.mark.parametrize("service_tier", ["batch", "flex", "priority", "scale"])
def test_a_tier_that_the_list_dates_later_is_estimated(book: PriceBook, service_tier: str) -> None:
    call = priced(book, "openai", "gpt-5", in_uncached=100_000, service_tier=service_tier)
    usd = {"batch": 0.0625, "flex": 0.0625, "priority": 0.25, "scale": 0.125}[service_tier]
    assert (call.cost, call.tier_estimated) == (round(usd * NANO), True)


@pytest.mark.parametrize(
    ("attrs", "estimated"),
    [({"speed": "fast"}, True), ({"inference_geo": "us"}, True), ({"speed": "standard"}, False)],
)
def test_what_is_known_to_cost_more_than_listed_is_estimated(
    book: PriceBook, attrs: dict[str, Any], estimated: bool
) -> None:
    for status in ("unpriced", "subscription"):
        call = priced(
            book, "anthropic", "claude-sonnet-4-5", in_uncached=100_000, attrs=attrs, cost_status=status
        )
        assert (call.list_cost, call.tier_estimated) == (300_000_000, estimated)


def test_the_standard_tier_is_not_estimated(book: PriceBook) -> None:
    for tier in (None, "default", "standard", "auto"):
        call = priced(book, "openai", "gpt-5", in_uncached=100_000, service_tier=tier)
        assert (call.cost, call.tier_estimated) == (125_000_000, False)


def test_prices_by_the_time_of_day(book: PriceBook) -> None:
    costs = set()
    for hour in ("00:15", "00:45"):
        call = Call(
            "t", "1", ts_end=at("2025-03-01", hour), provider="deepseek", model_served="deepseek-chat"
        )
        call.in_uncached = 1_000_000
        book.price(call)
        costs.add(call.cost)
    assert len(costs) == 2


@pytest.mark.parametrize(
    ("provider", "model", "same_as"),
    [
        ("OpenAI", "GPT-5", ("openai", "gpt-5")),
        ("claude", "claude-sonnet-4-5@20250929", ("anthropic", "claude-sonnet-4-5-20250929")),
        ("azure", "azure/gpt-5", ("azure", "gpt-5")),
        ("google", "models/gemini-2.5-flash", ("google", "gemini-2.5-flash")),
        ("litellm", "openai/gpt-5", ("openai", "gpt-5")),
        ("bedrock", "bedrock/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
         ("aws", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0")),
    ],
)  # fmt: skip
def test_spellings_that_are_allowed(
    book: PriceBook, provider: str, model: str, same_as: tuple[str, str]
) -> None:
    call, other = (priced(book, *pair, in_uncached=1000) for pair in ((provider, model), same_as))
    assert call.cost is not None
    assert call.cost == other.cost


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-5x"), ("openai", "my-gpt-5"), ("my-openai-gateway", "gpt-5"), (None, "gpt-5"),
        ("openai", None), ("openai", "openai/azure/gpt-5"), ("openai", "claude-sonnet-4-5"),
    ],
)  # fmt: skip
def test_nothing_is_guessed(book: PriceBook, provider: str | None, model: str | None) -> None:
    call = priced(book, provider, model, in_uncached=1000, out_total=5)
    assert (call.cost, call.list_cost, call.cost_status) == (None, None, "unpriced")
    assert call.price_source is None


def test_unknown_tokens_have_no_price_and_known_zeros_do(book: PriceBook) -> None:
    assert priced(book, "openai", "gpt-5").cost is None
    assert priced(book, "openai", "gpt-5", in_uncached=0, out_total=0).cost == 0


def test_a_model_listed_without_token_prices_is_unpriced(book: PriceBook) -> None:
    call = priced(book, "openai", "whisper-1", in_uncached=1000)
    assert (call.cost, call.cost_status) == (None, "unpriced")


def test_free_providers_and_free_variants(book: PriceBook) -> None:
    for provider, model in (("ollama", "llama3"), ("openrouter", "deepseek/deepseek-r1:free")):
        call = priced(book, provider, model, in_uncached=1000)
        assert (call.cost, call.cost_status, call.list_cost) == (0, "free", None)


def test_a_free_provider_is_only_free_as_long_as_the_setting_says_so(book: PriceBook) -> None:
    call = priced(book, "ollama", "llama3", in_uncached=1000)
    PriceBook.load(Prices(free_providers=[])).price(call)
    assert (call.cost, call.cost_status) == (None, "unpriced")


def test_units_beside_tokens_are_priced_or_the_call_is_not(book: PriceBook, tmp_path: Path) -> None:
    searched = priced(book, "openai", "gpt-5", in_uncached=1_000_000, media={"web_searches": 3})
    assert searched.cost == 1_250_000_000 + 30_000_000
    spoken = priced(book, "google", "gemini-2.5-flash", in_uncached=1000, media={"input_audio_tokens": 400})
    assert spoken.cost == 600 * 300 + 400 * 1000
    assert priced(book, "openai", "gpt-5", in_uncached=9, media={"holograms": 1}).cost is None
    assert (
        priced(book, "mistral", "mistral-small-latest", in_uncached=9, media={"web_searches": 1}).cost is None
    )
    # More audio than input altogether cannot be.
    odd = priced(book, "google", "gemini-2.5-flash", in_uncached=9, media={"input_audio_tokens": 10})
    assert odd.cost is None
    mine = own(tmp_path, '[[prices]]\nprovider = "openai"\nmodel = "gpt-5"\ninput = 1\n')
    assert priced(mine, "openai", "gpt-5", in_uncached=1000, media={"web_searches": 1}).cost is None
    assert priced(mine, "openai", "gpt-5", in_uncached=1000, media={"web_searches": 0}).cost == 1_000_000


def test_a_subscription_costs_nothing_and_shows_its_list_price(book: PriceBook) -> None:
    call = priced(book, "openai", "gpt-5", in_uncached=1_000_000, cost_status="subscription")
    assert (call.cost, call.list_cost, call.cost_status) == (0, 1_250_000_000, "subscription")
    book.price(call)
    assert (call.cost, call.cost_status) == (0, "subscription")


def test_which_of_two_costs_counts(book: PriceBook) -> None:
    reported = priced(book, "openai", "gpt-5", in_uncached=1_000_000, cost_reported=7)
    assert (reported.cost, reported.cost_status, reported.cost_computed) == (7, "reported", 1_250_000_000)
    zero = priced(book, "openai", "gpt-5", in_uncached=1_000_000, cost_reported=0)
    assert (zero.cost, zero.cost_status) == (1_250_000_000, "computed")
    nothing = priced(book, "openai", "unheard-of", in_uncached=0, out_total=0, cost_reported=0)
    assert (nothing.cost, nothing.cost_status) == (0, "reported")
    unknown = priced(book, "openai", "unheard-of", in_uncached=9, cost_reported=0)
    assert (unknown.cost, unknown.cost_status) == (None, "unpriced")

    turned = PriceBook.load(Prices(prefer="computed"))
    assert priced(turned, "openai", "gpt-5", in_uncached=1_000_000, cost_reported=7).cost == 1_250_000_000
    assert priced(turned, "openai", "unheard-of", in_uncached=9, cost_reported=7).cost == 7


def test_pricing_again_forgets_the_price_before(book: PriceBook) -> None:
    call = priced(book, "openai", "gpt-5", in_uncached=100, service_tier="flex")
    call.model_served, call.service_tier = "unheard-of", None
    book.price(call)
    assert (call.cost, call.list_cost, call.price_source, call.tier_estimated) == (None, None, None, False)


def test_the_cache_is_bounded(book: PriceBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "MAX_CACHED", 50)
    fresh = PriceBook.load(Prices())
    for i in range(200):
        priced(fresh, "openai", f"flood-{i}", in_uncached=1)
    assert len(fresh._rates) <= 50
    assert priced(fresh, "openai", "gpt-5", in_uncached=1_000_000).cost == 1_250_000_000


def own(tmp_path: Path, text: str) -> PriceBook:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    return PriceBook.load(Prices(file=path))


def test_ones_own_prices_come_first_and_end_when_they_say(tmp_path: Path) -> None:
    mine = own(tmp_path, """
        [[prices]]
        provider = "OpenAI"
        model = "gpt-5"
        input = 1.0
        output = 8
        cache_read = 0.1
        valid_from = 2026-03-01
        valid_to = "2026-03-31"
        discount = 0.25

        [[prices]]
        provider = "vllm"
        model = "llama-3"
        input = 0.05
        output = 0.1
        """)  # fmt: skip
    call = priced(mine, "openai", "gpt-5", "2026-03-31", in_uncached=1_000_000)
    assert (call.list_cost, call.cost, call.price_source) == (NANO, NANO * 3 // 4, "file")
    assert priced(mine, "openai", "gpt-5", "2026-04-01", in_uncached=1_000_000).cost == 1_250_000_000
    home = priced(mine, "vllm", "llama-3", in_uncached=1_000_000, out_total=1_000_000)
    assert (home.cost, home.cost_status) == (150_000_000, "computed")


def test_a_price_per_call_needs_no_tokens(tmp_path: Path) -> None:
    mine = own(tmp_path, '[[prices]]\nprovider = "acme"\nmodel = "painter"\nrequest = 0.04\n')
    assert priced(mine, "acme", "painter").cost == 40_000_000


def test_a_discount_alone_comes_off_the_bundled_list(tmp_path: Path) -> None:
    mine = own(tmp_path, '[[prices]]\nprovider = "openai"\ndiscount = 0.1\n')
    call = priced(mine, "openai", "gpt-5", in_uncached=1_000_000)
    assert (call.list_cost, call.cost) == (1_250_000_000, 1_125_000_000)
    assert "discount" in (call.price_source or "")
    assert priced(mine, "anthropic", "claude-sonnet-4-5", in_uncached=100_000).cost == 300_000_000


def test_halves_round_to_even(tmp_path: Path) -> None:
    mine = own(tmp_path, '[[prices]]\nprovider = "a"\nmodel = "b"\ninput = 0.0005\noutput = 0.0\n')
    # Half a nano-dollar a token: 1 → 0.5 → 0, 3 → 1.5 → 2.
    assert [priced(mine, "a", "b", in_uncached=n).cost for n in (1, 2, 3, 5)] == [0, 1, 2, 2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[prices]]\nprovider = "a"\nmodel = "b"\ninputs = 1', ["entry 1", "'inputs'"]),
        ('[[prices]]\nprovider = "a"\nmodel = "b"\ninput = "1"', ["entry 1", "input"]),
        ('[[prices]]\nprovider = "a"\nmodel = "b"\ninput = -1', ["entry 1", "input"]),
        ('[[prices]]\nprovider = "a"\nmodel = "b"\ninput = nan', ["entry 1", "input"]),
        ('[[prices]]\nmodel = "b"\ninput = 1', ["entry 1", "provider"]),
        ('[[prices]]\nprovider = "a"\ninput = 1', ["entry 1", "model"]),
        ('[[prices]]\nprovider = "a"\nmodel = "b"', ["entry 1", "no price"]),
        ('[[prices]]\nprovider = "a"\nmodel = "b"\ninput = 1\nvalid_from = "soon"', ["valid_from"]),
        ('[[prices]]\nprovider = "a"\nmodel = "b"\ninput = 1\nvalid_from = 2026-02-01T00:00:00Z',
         ["valid_from"]),
        ('[[prices]]\nprovider = "a"\nmodel = "b"\ninput = 1\nvalid_from = 2026-02-01\nvalid_to = 2026-01-01',
         ["after"]),
        ('[[prices]]\nprovider = "a"\nmodel = "b"\ninput = 1\n' * 2, ["entry 2", "entry 1"]),
        ('[prices]\nprovider = "a"', ["[[prices]]"]),
        ("price = 1", ["'price'"]),
        ("[[prices", ["prices.toml"]),
    ],
)  # fmt: skip
def test_a_broken_price_file_names_file_entry_and_key(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        own(tmp_path, text)
    for word in ["prices.toml", *words]:
        assert word in caught.value.message


def test_a_missing_price_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.toml"):
        PriceBook.load(Prices(file=tmp_path / "nowhere.toml"))


def test_explaining_a_price(tmp_path: Path, book: PriceBook) -> None:
    everywhere = book.explain(None, "gpt-5", at(SPRING))
    assert "openai" in [e.provider for e in everywhere]
    (o3,) = book.explain("openai", "o3", at("2025-06-01"))
    assert (str(o3.prices["input"]), str(o3.valid_to), o3.source) == ("10", "2025-06-09", "genai-prices")
    (sonnet,) = book.explain("claude", "claude-sonnet-4-5", at(SPRING))
    assert [tier.above for tier in sonnet.tiers] == [200_000]
    assert book.explain("openai", "unheard-of", at(SPRING)) == []
    mine = own(tmp_path, '[[prices]]\nprovider = "acme"\nmodel = "x"\ninput = 2.5\n')
    (entry,) = mine.explain(None, "x", at(SPRING) + HOUR)
    assert (entry.provider, "entry 1" in entry.source, str(entry.prices["input"])) == ("acme", True, "2.5")


def test_more_than_a_call_can_cost_is_unknown(book: PriceBook) -> None:
    known = priced(book, "openai", "gpt-5-pro", out_total=80_000_000)
    assert (known.cost_status, known.cost) == ("computed", 9_600 * NANO)
    call = priced(book, "openai", "gpt-5-pro", out_total=10**12)
    assert (call.cost_status, call.cost, call.list_cost, call.price_source) == ("unpriced", None, None, None)
