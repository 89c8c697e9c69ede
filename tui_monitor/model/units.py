"""Numbers as people read them: pure functions from a raw value and its unit to text.

Screens show three significant digits; `exact` forms are for detail and export. Unknown is `–`.
"""

import math
from collections.abc import Callable
from typing import Literal

from tui_monitor.model.call import NANO
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, Micros

UNKNOWN = "–"
Unit = Literal["", "ms", "s", "usd", "tokens", "bytes", "bytes/s", "ratio", "requests", "requests/s", "/s"]


def significant(value: float, digits: int = 3) -> str:
    """`value` with so many significant digits; an exponent only below 1e-9 and from 1e15 up."""
    if value == 0:
        return "0"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if not 1e-9 <= abs(value) < 1e15:
        return f"{value:.{digits - 1}e}"
    magnitude = math.floor(math.log10(abs(value)))
    decimals = max(0, digits - 1 - magnitude)
    rounded = round(value, decimals)
    # 9.996 rounds to 10.00: one digit more in front is one fewer behind.
    if rounded and math.floor(math.log10(abs(rounded))) > magnitude:
        decimals = max(0, decimals - 1)
    return f"{rounded:.{decimals}f}"


def _scaled(value: float, base: float, prefixes: str, digits: int = 3) -> str:
    size = abs(value)
    if size >= 1e30:
        return significant(value, digits)
    index = 0
    while index < len(prefixes) and round(size, 0 if size >= 100 else 1) >= base:
        size /= base
        index += 1
    prefix = f" {prefixes[index - 1]}" if index else ""
    sign = "-" if value < 0 else ""
    return f"{sign}{significant(size, digits)}{prefix}"


def count(value: float | None) -> str:
    """1234567 → `1.23 M`."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if float(value).is_integer() and abs(value) < 1000:
        return str(int(value))
    return _scaled(value, 1000, "kMGTP")


def size(value: float | None) -> str:
    """Bytes in binary units: 1536 → `1.50 KiB`."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if abs(value) < 1024:
        return f"{value:.0f} B"
    text = _scaled(value, 1024, "KMGTP")
    return f"{text}iB" if text[-1] in "KMGTP" else f"{text} B"


def milliseconds(value: float | None) -> str:
    """850 → `850 ms`, 2140 → `2.14 s`, 95000 → `1 m 35 s`."""
    if value is None or math.isnan(value):
        return UNKNOWN
    if abs(value) < 999.5:
        return f"{significant(value)} ms"
    if abs(value) < 59_950 or abs(value) > 1e15:
        return f"{significant(value / 1000)} s"
    sign = "-" if value < 0 else ""
    return f"{sign}{age(round(abs(value) * 1000))}"


def usd(value: float | None) -> str:
    """Dollars: cents, or two significant digits where a cent is coarser than that; a prefix from 100 k up."""
    if value is None or math.isnan(value):
        return UNKNOWN
    sign = "-" if value < 0 else ""
    amount = abs(value)
    if amount == 0:
        return "$0.00"
    if amount < 0.0995:
        return f"{sign}${significant(amount, 2)}"
    if amount < 100_000:
        return f"{sign}${amount:,.2f}"
    return f"{sign}${_scaled(amount, 1000, 'kMGT')}"


def money(nano: int | None) -> str:
    """Nano-dollars as `usd`."""
    return UNKNOWN if nano is None else usd(nano / NANO)


def exact_usd(nano: int) -> str:
    """Every digit of a nano-dollar amount, without trailing zeros below the cent."""
    sign = "-" if nano < 0 else ""
    dollars, rest = divmod(abs(nano), NANO)
    decimals = f"{rest:09d}".rstrip("0").ljust(2, "0")
    return f"{sign}${dollars}.{decimals}"


def ratio(value: float | None) -> str:
    """0.992 → `99.2 %`; a share that is not whole never rounds to 0 % or 100 %."""
    if value is None or math.isnan(value):
        return UNKNOWN
    percent = value * 100
    if abs(percent) >= 1e6:
        return f"{significant(percent)} %"
    if 99.95 <= percent < 100:
        return "99.9 %" if percent < 99.99 else ">99.9 %"
    if 0 < percent < 0.05:
        return "<0.1 %"
    return f"{percent:.0f} %" if percent in (0, 100) else f"{percent:.1f} %"


def age(length: Micros | None) -> str:
    """A length of time in its two largest units: `11 m`, `1 h 20 m`, `3 d 4 h`."""
    if length is None:
        return UNKNOWN
    length = max(0, length)
    if length < SECOND:
        return "0 s"
    units = (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND))
    for (name, unit), smaller in zip(units, (*units[1:], None), strict=True):
        if length < unit:
            continue
        whole, rest = divmod(length, unit)
        if smaller is None or rest < smaller[1]:
            return f"{whole} {name}"
        return f"{whole} {name} {rest // smaller[1]} {smaller[0]}"
    return "0 s"


_STATES = {0.0: "healthy", 1.0: "degraded", 2.0: "unavailable"}
"""A provider's state as a number."""
_FORMATS: dict[str, Callable[[float | None], str]] = {
    "": count,
    "ms": milliseconds,
    "s": lambda v: milliseconds(None if v is None else v * 1000),
    "usd": usd,
    "tokens": count,
    "bytes": size,
    "bytes/s": lambda v: UNKNOWN if v is None or math.isnan(v) else f"{size(v)}/s",
    "ratio": ratio,
    "requests": count,
    "requests/s": lambda v: UNKNOWN if v is None or math.isnan(v) else f"{count(v)}/s",
    "state": lambda v: UNKNOWN if v is None else _STATES.get(v) or significant(v),
    "/s": lambda v: UNKNOWN if v is None or math.isnan(v) else f"{count(v)}/s",
}


def show(value: float | None, unit: str = "") -> str:
    """A value in its unit; a unit without a form of its own stands behind the number."""
    form = _FORMATS.get(unit)
    if form is not None:
        return form(value)
    text = count(value)
    return text if text == UNKNOWN else f"{text} {unit}"


def share_of_change(value: float | None, before: float | None) -> float | None:
    """A change as a share of the earlier value: 0.12 is 12 % more. Unknown where there was nothing."""
    if value is None or not before:
        return None
    return (value - before) / abs(before)


def change(value: float | None, before: float | None) -> tuple[str, int]:
    """`▲ 12 %` against an earlier value, and its sign; `new` where there was nothing."""
    if value is None or before is None:
        return UNKNOWN, 0
    share = share_of_change(value, before)
    if share is None:
        return ("new", 1) if value > 0 else ("=", 0)
    percent = abs(share) * 100
    if percent < 0.5:
        return "=", 0
    text = f"{percent:.0f} %" if percent < 1000 else f"{percent / 100:.0f} ×"
    return (f"▲ {text}", 1) if share > 0 else (f"▼ {text}", -1)
