"""How the price of one call is made up, for people and programs. Exact amounts are decimal texts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PricePart:
    """What a call costs by list for its tokens of one kind."""

    kind: str
    """`input`, `cache_read`, `cache_write_5m`, `cache_write_1h`, `output`, `reasoning`; `request` is the
    price of a call, and `media` what audio, images and searches cost."""
    tokens: int | None
    """How many; null where it is no price of tokens."""
    usd_per_million: str | None
    """US dollars for a million of them; null where it is no price of tokens."""
    usd: str
    """US dollars: one times the other."""


@dataclass(frozen=True, slots=True)
class CallPrice:
    """Which price holds for a call at the time it was booked, and what it comes to by the lists of now.

    Money is in nano-dollars where it is a whole number, in US dollars where it is a text.
    """

    why: str
    """In words: where the stored cost is from, or why there is none."""
    provider: str | None = None
    model: str | None = None
    """The entry's, which may be another spelling."""
    source: str | None = None
    """The list or file the price is from; null where none has it."""
    version: str | None = None
    valid_from: str | None = None
    """The first day (UTC) of the price, where the list tells."""
    valid_to: str | None = None
    """The last one."""
    above: int | None = None
    """A price for calls with more input tokens than this; null where it holds for any."""
    discount: str = "0"
    """The share that is taken off: `0.15` is 15 %."""
    parts: tuple[PricePart, ...] = ()
    sum_usd: str | None = None
    """All parts, in US dollars; null where a part has no price."""
    list_cost: int | None = None
    """The sum, rounded half to even."""
    computed: int | None = None
    """The same less the discount."""
    cost: int | None = None
    """What counts by the lists and settings of now."""
    estimated: tuple[str, ...] = ()
    """What is a guess in it, in words; empty where nothing is."""
    differs: str = ""
    """Why what is stored is not that, in words; empty where it is the same."""
