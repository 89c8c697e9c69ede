"""Words and spelling of the query language: reserved words, quoting, and the nearest word that is known."""

import json
import re
from collections.abc import Iterable
from difflib import get_close_matches

from tui_monitor.model.calendar import PERIODS, Period
from tui_monitor.model.errors import QueryError

AGGREGATES: dict[str, str] = {
    "avg": "mean of the calls, or of the samples",
    "sum": "total over the window",
    "min": "least value of a call, or of a sample",
    "max": "greatest value of a call, or of a sample",
    "last": "newest sample, of gauges",
    "count": "in how many calls it is known",
    "p50": "median",
    "p90": "90 % are at most this",
    "p95": "95 % are at most this",
    "p99": "99 % are at most this",
    "rate": "per second of the window",
}
"""Aggregates by name; any other pNN, p99.9 too, is one as well."""

RANGES: dict[str, str] = {
    "5m": "the last 5 minutes", "15m": "the last 15 minutes", "1h": "the last hour",
    "6h": "the last 6 hours", "24h": "the last 24 hours", "7d": "the last 7 days", "30d": "the last 30 days",
    "today": "since midnight", "yesterday": "the day before today", "week": "since the week began",
    "month": "since the month began", "last_week": "the week before this one",
    "last_month": "the month before this one",
}  # fmt: skip
"""Ranges that are offered; any length of time and every calendar period is one."""

RESERVED = frozenset(
    {
        "by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool",
        "and", "or", "unless", "atan2",
    }
)  # fmt: skip
"""Words of the language besides the aggregates; as names they are written in quotes."""

BASELINE, BUDGET = "baseline", "budget"
SPENDS: dict[str, Period] = {"daily_spend": "today", "weekly_spend": "week", "monthly_spend": "month"}
"""Words for the cost of a running period, within the scope of the rule's budget."""
GIVEN: dict[str, str] = {
    BASELINE: "what is usual at this hour: the median of the last 7 days",
    BUDGET: "the amount of the rule's budget",
    **{word: f"cost of the running {word.removesuffix('_spend')} period" for word in SPENDS},
}
"""Words of a rule's condition only, and what each stands for."""

_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
_QUANTILE = re.compile(r"p(\d{1,3}(?:\.\d{1,6})?)")


def quantile_of(how: str) -> float | None:
    """`p95` → 0.95; `None` for what is no quantile."""
    match = _QUANTILE.fullmatch(how)
    percent = float(match[1]) if match else 101.0
    return percent / 100 if percent <= 100 else None


def is_aggregate(word: str) -> bool:
    """Whether the word is `avg`, `sum` … or a quantile."""
    return word in AGGREGATES or quantile_of(word) is not None


def is_period(word: str) -> bool:
    """Whether the word is a calendar range like `today`."""
    return word in PERIODS


def is_plain(name: str) -> bool:
    """Whether a name may stand without quotes."""
    return bool(_NAME.fullmatch(name)) and not (name in RESERVED or name in GIVEN or is_aggregate(name))


def quote(value: str) -> str:
    """The text as a quoted label value, safe whatever is in it."""
    return json.dumps(value, ensure_ascii=False)


def spelled(name: str) -> str:
    """A label name as it is written: in quotes where it is no plain word."""
    return name if _NAME.fullmatch(name) else quote(name)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    by_folded = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def check_whole(text: str) -> None:
    """Raise `QueryError` at half a character (a lone surrogate), which can be neither stored nor shown."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        shown = text.encode("utf-8", "replace").decode()
        raise QueryError("half a character", text=shown, position=error.start, length=1) from None
