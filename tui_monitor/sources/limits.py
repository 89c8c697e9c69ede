"""What response headers say of rate limits, in the dialects of all providers."""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from tui_monitor.model.clock import SECOND, Micros, from_datetime
from tui_monitor.model.feed import Sample

_GO = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_GO_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_S = 400 * 86_400.0
_LONGEST_TEXT = 64
"""Characters of a value that is read; a longer one says nothing, and takes time to find that out."""
_ANTHROPIC = re.compile(r"anthropic-(?:ratelimit-|priority-)([a-z-]+?)-(limit|remaining|reset)")
_UNIFIED = re.compile(r"anthropic-ratelimit-unified-([0-9a-z_]{1,16})-(utilization|reset)")
_OPENAI = re.compile(r"x-ratelimit-(limit|remaining|reset)(?:-(requests|tokens))?")
_CODEX = re.compile(r"x-codex-(primary|secondary)-(used-percent|window-minutes)")
_MOST = 16
"""Limits of one answer that are kept."""


@dataclass(slots=True)
class Headroom:
    """What is left of one limit."""

    kind: str
    limit: float | None = None
    remaining: float | None = None
    reset_s: float | None = None
    """Seconds until it is full again."""


def headroom(headers: Mapping[str, str], now: Micros) -> list[Headroom]:
    """The limits that an answer's headers speak of. Names in lower case; `now` µs UTC."""
    found: dict[str, Headroom] = {}
    for kind, field, value in _said(headers):
        room = found.setdefault(kind, Headroom(kind)) if len(found) < _MOST or kind in found else None
        if room is None:
            continue
        if field == "reset":
            room.reset_s = reset_seconds(value, now)
        else:
            setattr(room, field, _number(value))
    # A limit of 0 or -1 stands for none on some servers.
    told = (room for room in found.values() if room.limit is None or room.limit > 0)
    return [room for room in told if room.remaining is not None and room.remaining >= 0]


def quotas(headers: Mapping[str, str]) -> dict[str, float]:
    """Share used of each window of a subscription, 0–1: `5h`, `7d` ….

    Several windows may be used beyond their end; that counts as used up.
    """
    found: dict[str, float] = {}
    minutes: dict[str, float] = {}
    for name, value in headers.items():
        number = _number(value)
        if number is None:
            continue
        if (match := _UNIFIED.fullmatch(name)) and match[2] == "utilization":
            found[match[1]] = number
        elif match := _CODEX.fullmatch(name):
            if match[2] == "used-percent":
                found[match[1]] = number / 100
            else:
                minutes[match[1]] = number
    named = {_window(minutes[name]) if name in minutes else name: value for name, value in found.items()}
    return {name: min(1.0, max(0.0, value)) for name, value in list(named.items())[:_MOST]}


def samples(provider: str, headers: Mapping[str, str], now: Micros) -> Iterator[Sample]:
    """Everything the headers say as samples."""
    for room in headroom(headers, now):
        labels = {"provider": provider, "kind": room.kind}
        values = {
            "llm_ratelimit_remaining": room.remaining,
            "llm_ratelimit_limit": room.limit,
            "llm_ratelimit_reset_seconds": room.reset_s,
        }
        yield from (Sample(name, now, value, labels) for name, value in values.items() if value is not None)
    for window, used in quotas(headers).items():
        yield Sample("llm_quota_used_ratio", now, used, {"provider": provider, "window": window})


def reset_seconds(text: str, now: Micros) -> float | None:
    """Seconds until a moment: a Go duration, RFC 3339, seconds, or a unix time in s or ms."""
    text = text.strip()
    if len(text) > _LONGEST_TEXT:
        return None
    if (number := _number(text)) is not None:
        if number > 1e11:
            number = number / 1000 - now / SECOND
        elif number > 1e9:
            number -= now / SECOND
        return _sane(number)
    if text and _GO.sub("", text) == "":
        return _sane(sum(float(n) * _GO_SECONDS[unit] for n, unit in _GO.findall(text)))
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return _sane((from_datetime(moment) - now) / SECOND)
    return None


def _said(headers: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """(kind, limit | remaining | reset, text)"""
    for name, value in headers.items():
        if match := _OPENAI.fullmatch(name):
            yield match[2] or "requests", match[1], value
        elif _UNIFIED.fullmatch(name):
            continue
        elif match := _ANTHROPIC.fullmatch(name):
            prefix = "priority_" if name.startswith("anthropic-priority") else ""
            yield prefix + match[1].replace("-", "_"), match[2], value


def _number(text: str) -> float | None:
    with suppress(ValueError):
        value = float(text)
        return value if math.isfinite(value) else None
    return None


def _sane(seconds: float) -> float | None:
    """A moment that is over is now; one that is absurdly far off is a mistake of who said it."""
    return max(0.0, seconds) if seconds <= _LONGEST_S else None


def _window(minutes: float) -> str:
    hours = minutes / 60
    return f"{hours / 24:g}d" if hours >= 24 and hours % 24 == 0 else f"{hours:g}h"
