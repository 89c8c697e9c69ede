"""Lengths of time as PromQL writes them: `1h30m`, each unit once, the greatest first."""

import re

from tui_monitor.model.clock import DAY, HOUR, MINUTE, MS, SECOND, WEEK, Micros

UNITS: dict[str, Micros] = {
    "y": 365 * DAY, "w": WEEK, "d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND, "ms": MS,
}  # fmt: skip
"""Lengths in µs, the greatest first."""
GREATEST: Micros = 9_000_000_000_000_000
"""About 285 years; times and lengths beyond are refused, so that sums of them stay integers of 64 bits."""

_WHOLE = re.compile("".join(rf"(?:(\d{{1,18}}){unit})?" for unit in UNITS), re.ASCII)


def parsed(text: str) -> Micros | None:
    """The length in µs; `None` for what is none, or longer than `GREATEST`."""
    match = _WHOLE.fullmatch(text)
    if match is None or not text:
        return None
    total = sum(
        int(count) * length for count, length in zip(match.groups(), UNITS.values(), strict=True) if count
    )
    return total if total <= GREATEST else None


def written(length: Micros) -> str:
    """The length as PromQL: units where it is whole milliseconds, else a number of seconds."""
    if length < 0:
        return "-" + written(-length)
    if length % MS:
        return repr(length / SECOND)
    parts = []
    for unit, size in UNITS.items():
        # A year or a week is named only where nothing remains, as nobody reads 1w3d at a glance.
        if length >= size and (unit not in ("y", "w") or length % size == 0):
            parts.append(f"{length // size}{unit}")
            length %= size
    return "".join(parts) or "0s"
