"""Several sources' views of one call become one record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace

from tui_monitor.model.call import Call
from tui_monitor.store.jsontext import to_json
from tui_monitor.store.measures import micros

# How far a source's word counts: a gateway saw the call itself, a client library reports it, a transcript
# was written for another purpose, an import may hold anything.
RANKS: dict[str, int] = {
    "gateway": 40, "litellm": 40, "helicone": 40, "proxy": 40,
    "events": 30, "sdk": 30, "otlp": 30, "langfuse": 30,
    "transcript": 20, "claude-code": 20, "codex": 20, "gemini-cli": 20, "opencode": 20, "kilo": 20,
    "copilot": 20, "goose": 20, "hermes": 20, "amp": 20, "droid": 20, "qwen": 20, "codebuff": 20,
    "pi": 20, "omp": 20, "openclaw": 20, "kimi": 20,
    "import": 10,
}  # fmt: skip
_USUAL = 30
GROWING = frozenset({"claude-code", "goose", "hermes", "droid"})
"""Sources that write a call again and again while it grows, and copy it: of one identity the largest
record holds, whichever comes last."""
COPYING = frozenset({"claude-code"})
"""Sources whose records of one answer under another request are copies only where one of them lies on a
sidechain; else they are calls of their own."""


def rank(source: str) -> int:
    """The rank of a source: that of its kind, the part before the first `:`."""
    return RANKS.get(source.partition(":")[0], _USUAL)


@dataclass(slots=True)
class Part:
    """One source's view of a call; `seq` tells which came first."""

    seq: int
    call: Call
    remember: bool
    hashes: list[int] = field(default_factory=list, compare=False)
    """Its identities, where they are worked out already."""
    weight: int = 1
    """How many calls its raw row stands for."""
    rate: int = 1
    """Of a call that comes in this transaction, as in `WriteBatch.rates`."""

    @property
    def standing(self) -> tuple[int, bool, int, bool, int]:
        """The greatest is believed first: source, then what is no copy, most tokens, speed, the earlier."""
        call = self.call
        original = "sidechain" not in call.attrs
        return (rank(call.source), original, call.total_tokens or -1, "speed" in call.attrs, -self.seq)


_DERIVED = (
    "cost_computed", "list_cost", "cost", "cost_status", "tier_estimated", "model_guessed",
    "price_source", "price_version",
)  # fmt: skip
_IN_TOKENS = ("in_uncached", "cache_read", "cache_write_5m", "cache_write_1h")
_TOGETHER = frozenset((*_DERIVED, *_IN_TOKENS, "out_total", "reasoning"))
_LATENCIES = frozenset(("latency_ms", "ttft_ms", "queue_wait_ms"))
_IDENTITY = frozenset(("source", "source_key", "call_keys", "attrs", "operation", "batch_id"))
_ERROR = frozenset(("error_category", "http_status", "error_code"))
_ALONE = tuple(f.name for f in fields(Call) if f.name not in _TOGETHER | _IDENTITY | _ERROR | {"status"})
_NOT_SAID = {*_DERIVED, "batch_id", *_LATENCIES, "media", "attrs"}
CONTENT = tuple(f.name for f in fields(Call) if f.name not in _NOT_SAID)
"""What `content` takes as it is; the latencies, media and attributes follow."""


def content(call: Call) -> tuple[object, ...]:
    """What a source said, without what we made of it: prices and the import that brought it."""
    values = [getattr(call, name) for name in CONTENT]
    latencies = (micros(call.latency_ms), micros(call.ttft_ms), micros(call.queue_wait_ms))
    return (*values, *latencies, to_json(call.media), to_json(call.attrs))


def outgrows(call: Call, known: Call) -> bool:
    """Whether a source's new record of a call replaces the one that is known."""
    return call.source not in GROWING or _size(call) > _size(known)


def _size(call: Call) -> tuple[int, bool, bool, bool, int]:
    tokens = -1 if call.total_tokens is None else call.total_tokens
    finished = call.finish_reason is not None
    return tokens, "speed" in call.attrs, finished, "sidechain" not in call.attrs, call.cost_reported or 0


def merge(parts: Sequence[Part], price: Callable[[Call], None] | None = None) -> Call:
    """The one call behind these parts: the weightiest source's fields, missing ones filled from the others.

    Values that only mean something together (the input tokens, the output tokens, the price) come from
    one source. `price` prices the result anew.
    """
    calls = [part.call for part in sorted(parts, key=lambda part: part.standing, reverse=True)]
    merged = replace(calls[0], attrs=dict(calls[0].attrs))
    for other in calls[1:]:
        _fill(merged, other)
    _take_price(merged, calls)
    if any(call.source in COPYING and "sidechain" not in call.attrs for call in calls):
        merged.attrs.pop("sidechain", None)
    merged.call_keys = tuple(dict.fromkeys(key for call in calls for key in call.call_keys))
    if price is not None and len(calls) > 1:
        price(merged)
    return merged


def _fill(merged: Call, other: Call) -> None:
    for name in _ALONE:
        if getattr(merged, name) is None:
            setattr(merged, name, getattr(other, name))
    if merged.ts_start is not None and merged.ts_end is not None and merged.ts_start > merged.ts_end:
        # Two hosts' clocks: a call does not end before it starts.
        merged.ts_start = merged.ts_end
    if merged.total_in is None:
        for name in _IN_TOKENS:
            setattr(merged, name, getattr(other, name))
    if merged.out_total is None:
        merged.out_total, merged.reasoning = other.out_total, other.reasoning
    elif merged.reasoning is None and other.out_total == merged.out_total:
        merged.reasoning = other.reasoning
    if merged.status == "unknown":
        merged.status = other.status
    if merged.status == other.status:
        for name in _ERROR:
            if getattr(merged, name) is None:
                setattr(merged, name, getattr(other, name))
    merged.attrs = {**other.attrs, **merged.attrs}


def _take_price(merged: Call, calls: Sequence[Call]) -> None:
    settled = [call for call in calls if call.cost_status in ("reported", "free", "subscription")]
    priced = settled or [call for call in calls if call.cost_status == "computed"]
    chosen = priced[0] if priced else calls[0]
    for name in _DERIVED:
        setattr(merged, name, getattr(chosen, name))


def _original(call: Call) -> bool:
    """Whether it is a call of its own, whatever else shares its keys; one that names fewer may be any."""
    return call.source in COPYING and len(call.call_keys) > 1 and "sidechain" not in call.attrs


def _apart(some: Sequence[Call], others: Sequence[Call]) -> bool:
    """Whether there are two calls of one source among these originals, though they share a key."""
    return any(
        one.source == other.source and one.source_key != other.source_key for one in some for other in others
    )


def groups(parts: Sequence[Part]) -> list[list[Part]]:
    """Parts that belong together by shared call keys; each group's parts in their order."""
    if len(parts) == 1:
        return [list(parts)]
    leader = list(range(len(parts)))

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    originals = [[part.call] if _original(part.call) else [] for part in parts]
    holders: dict[str, list[int]] = {}
    # Originals first, so that a copy joins one of them and does not bridge two.
    for i in sorted(range(len(parts)), key=lambda i: not originals[i]):
        for key in parts[i].call.call_keys:
            others = holders.setdefault(key, [])
            for other in others:
                ours, theirs = find(i), find(other)
                if ours != theirs and not _apart(originals[ours], originals[theirs]):
                    leader[ours] = theirs
                    originals[theirs] += originals[ours]
            # Of the rest the first stands for all, so that thousands under one key stay quick.
            if not others or originals[i]:
                others.append(i)
    found: dict[int, list[Part]] = {}
    for i, part in enumerate(parts):
        found.setdefault(find(i), []).append(part)
    return [sorted(group, key=lambda part: part.seq) for group in found.values()]
