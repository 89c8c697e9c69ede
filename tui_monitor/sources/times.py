"""Times as people and programs write them: RFC 3339, or epoch seconds, ms, µs or ns told apart by size."""

import math
from datetime import UTC, datetime, tzinfo
from typing import Any

from tui_monitor.model.clock import MS, SECOND, Micros
from tui_monitor.recorder.checks import Invalid, shown

_NAIVE_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - subtracted from naive times that mean UTC
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE_DIGITS = 8
"""`20260318` is a day."""
# 1e11 s is the year 5138, 1e11 ms is 1973: the units do not overlap between 1973 and 5138.
_SECONDS, _MILLIS, _MICROS, _NANOS = 1e11, 1e14, 1e17, 1e20


def epoch(field: str, value: int | float) -> Micros:
    """A number since the epoch in s, ms, µs or ns, as µs. Raises `Invalid`."""
    if type(value) is int and _MILLIS <= value < _MICROS:
        return value
    if isinstance(value, bool) or not math.isfinite(value) or value < 0:
        raise Invalid(f"{field} {shown(value)} is not a time")
    if value < _SECONDS:
        return round(value * SECOND)
    if value < _MILLIS:
        return round(value * MS)
    if value < _MICROS:
        return round(value)
    if value < _NANOS:
        return int(value) // 1000
    raise Invalid(f"{field} {shown(value)} is not a time in s, ms, µs or ns")


def moment(field: str, text: str, zone: tzinfo | None) -> Micros:
    """A written time, as µs UTC; one without offset is of `zone`, or refused where that is None."""
    if text[4:5] != "-" and len(text) != _DATE_DIGITS and text.replace(".", "", 1).isdecimal():
        # Python would read some of these as a date with an hour behind it.
        return _digits(field, text)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return _digits(field, text)
    if when.tzinfo is None:
        if zone is None:
            raise Invalid(f"{field} {shown(text)} has no offset; write it with Z or like +02:00")
        if zone is UTC:
            delta = when - _NAIVE_EPOCH
            return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds
        when = when.replace(tzinfo=zone)
    delta = when - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def _digits(field: str, text: str) -> Micros:
    try:
        return epoch(field, float(text) if "." in text else int(text[:40]))
    except ValueError:
        raise Invalid(f"{field} {shown(text)} is not a time") from None


def utc_or(zone: tzinfo) -> tzinfo:
    """`datetime.UTC` for a zone that is UTC under its name: reading its times is much quicker."""
    return UTC if str(zone) in ("UTC", "Etc/UTC") else zone


def parse_time(field: str, value: Any, zone: tzinfo | None = None) -> Micros:
    """Any of the forms, as µs UTC. Raises `Invalid`."""
    if isinstance(value, str):
        return moment(field, value.strip(), zone)
    if isinstance(value, int | float):
        return epoch(field, value)
    raise Invalid(f"{field} {shown(value)} is not a time")
