"""What is known of providers besides their calls: probes, status pages, rate limits, from stored samples."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tui_monitor.health.limits import left, limits_at
from tui_monitor.health.views import Headroom, PageLook, ProbeLook
from tui_monitor.model.clock import MINUTE, Micros
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import Span, format_duration
from tui_monitor.query.asking import Asking
from tui_monitor.store.api import Reader

_WHY = {
    "dns": "its name is not known (DNS)",
    "connect": "no connection",
    "tls": "no secure connection (TLS)",
    "timeout": "no answer in time",
    "reset": "the connection broke off",
    "proxy": "the proxy let nothing through",
    "redirect": "it sends us elsewhere",
    "garbage": "an answer that makes no sense",
    "too large": "an answer without end",
    "request": "it could not be asked",
}


@dataclass(frozen=True, slots=True)
class Probed:
    """What the probes of one address found."""

    target: str
    failures: int
    """Failures in a row."""
    reachable: bool
    """Whether the newest was answered."""
    why: str = ""
    ms: float | None = None
    near: bool = False
    """Whether it lies on this host or beside it."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything at one moment, by provider."""

    probes: Mapping[str, Sequence[Probed]]
    probed_at: Mapping[str, Micros]
    pages: Mapping[str, PageLook]
    network_up: bool
    """Whether anything outside answers; true where nobody asked enough to know."""

    def probe(self, provider: str) -> ProbeLook | None:
        """The probes of a provider in one."""
        probed = self.probes.get(provider)
        if not probed:
            return None
        best = min(probed, key=lambda one: (not one.reachable, one.failures, one.ms is None, one.ms or 0))
        return ProbeLook(
            best.reachable,
            best.ms if best.reachable else None,
            best.failures,
            "" if best.reachable else best.why,
            tuple(sorted(one.target for one in probed)),
            self.probed_at.get(provider),
        )


def outside(asking: Asking, end: Micros, believed: Micros) -> Outside:
    """What was known at `end`, from samples of the time `believed` before. Raises what the engine raises."""
    window = format_duration(believed)
    up = asking.instant(f"probe_network_up{{}} [{window}] last", end).scalar
    return Outside(
        _probes(asking, end, believed),
        _times(asking, "probe_success{} count by(provider)", end, believed),
        _pages(asking, end, believed),
        up != 0,
    )


def headrooms(asking: Asking, reader: Reader, end: Micros, believed: Micros) -> dict[str, Headroom]:
    """What is left of each provider's tightest limit, from answers' headers and from events."""
    tightest: dict[str, Headroom] = {}
    for provider, room in _rooms(asking, reader, end, believed):
        if provider not in tightest or room.share < tightest[provider].share:
            tightest[provider] = room
    return tightest


def _probes(asking: Asking, end: Micros, believed: Micros) -> dict[str, list[Probed]]:
    window = format_duration(believed)
    runs = asking.instant(f"probe_failures_in_a_row{{}} [{window}] last by(provider, target, scope)", end)
    if not runs.series:
        return {}
    newest = _by_target(asking, f"probe_success{{}} [{window}] last", end)
    times = _by_target(asking, f"probe_duration_seconds{{}} [{window}] last", end)
    whys = _whys(asking, end, believed)
    found: dict[str, list[Probed]] = {}
    for series in runs.series:
        provider, target = key = series.label("provider"), series.label("target")
        ms = times.get(key)
        reachable = newest.get(key) == 1
        probed = Probed(
            clean(target),
            round(series.value or 0),
            reachable,
            "" if reachable else whys.get(key, ""),
            None if ms is None else ms * 1000,
            series.label("scope") == "near",
        )
        found.setdefault(provider, []).append(probed)
    return found


def _by_target(asking: Asking, query: str, end: Micros) -> dict[tuple[str, str], float]:
    result = asking.instant(f"{query} by(provider, target)", end)
    return {(s.label("provider"), s.label("target")): s.value for s in result.series if s.value is not None}


def _whys(asking: Asking, end: Micros, believed: Micros) -> dict[tuple[str, str], str]:
    """Why the newest probe of each address failed; of two within a minute, the longer run is the newer."""
    by = "by(provider, target, why)"
    times = asking.range(f"probe_failures_in_a_row{{}} count {by}", end - believed, end, MINUTE)
    runs = asking.instant(f"probe_failures_in_a_row{{}} [{format_duration(believed)}] last {by}", end)
    run_of = {series.labels: series.value or 0.0 for series in runs.series}
    found: dict[tuple[str, str], tuple[Micros, float, str]] = {}
    for series in times.series:
        key, why = (series.label("provider"), series.label("target")), series.label("why")
        hits = [t for t, value in zip(times.times, series.values, strict=True) if value]
        if why and hits:
            one = (hits[-1], run_of.get(series.labels, 0.0), why)
            found[key] = max(one, found.get(key, one))
    return {key: _in_words(why) for key, (_, _, why) in found.items()}


def _in_words(why: str) -> str:
    if why.startswith("http "):
        return f"it answers {clean(why[5:], 10)}"
    return _WHY.get(why, clean(why, 40))


def _pages(asking: Asking, end: Micros, believed: Micros) -> dict[str, PageLook]:
    window = format_duration(believed)
    levels = asking.instant(f'provider_status{{component=""}} [{window}] last by(provider)', end).by(
        "provider"
    )
    if not levels:
        return {}
    drift = asking.instant(f"provider_status_drift{{}} [{window}] last by(provider)", end).by("provider")
    asked = _times(asking, 'provider_status{component=""} count by(provider)', end, believed)
    incidents = _incidents(asking, end, believed)
    found: dict[str, PageLook] = {}
    for provider, level in levels.items():
        at, title, url = incidents.get(provider, (0, "", ""))
        # What is older than the page's newest word is over.
        if at < asked.get(provider, 0):
            title = url = ""
        found[provider] = PageLook(round(level), title, url, drift.get(provider) == 1, asked.get(provider))
    return found


def _incidents(asking: Asking, end: Micros, believed: Micros) -> dict[str, tuple[Micros, str, str]]:
    """Provider → when its newest incident was last heard of, title and address."""
    result = asking.range("provider_incident{} count by(provider, title, url)", end - believed, end, MINUTE)
    found: dict[str, tuple[Micros, str, str]] = {}
    for series in result.series:
        hits = [t for t, value in zip(result.times, series.values, strict=True) if value]
        provider = series.label("provider")
        if hits and hits[-1] >= found.get(provider, (0, "", ""))[0]:
            found[provider] = (hits[-1], clean(series.label("title")), clean(series.label("url")))
    return found


def _times(asking: Asking, query: str, end: Micros, believed: Micros) -> dict[str, Micros]:
    """Provider → when it last had a sample, to the minute."""
    result = asking.range(query, end - believed, end, MINUTE)
    found: dict[str, Micros] = {}
    for series in result.series:
        hits = [t for t, value in zip(result.times, series.values, strict=True) if value]
        if hits:
            found[series.label("provider")] = min(hits[-1], end)
    return found


def _rooms(asking: Asking, reader: Reader, end: Micros, believed: Micros) -> Iterator[tuple[str, Headroom]]:
    window = format_duration(believed)
    most = _by_kind(asking, f"llm_ratelimit_limit{{}} [{window}] last", "kind", end)
    for (provider, kind), remaining in _by_kind(
        asking, f"llm_ratelimit_remaining{{}} [{window}] last", "kind", end
    ).items():
        limit = most.get((provider, kind))
        if limit:
            share = min(1.0, remaining / limit)
            yield provider, Headroom(kind.replace("_", " "), share, remaining, limit)
    used = _by_kind(asking, "llm_quota_used_ratio{} [1h] last", "window", end)
    for (provider, name), share in used.items():
        yield provider, Headroom(f"{name} window", min(1.0, max(0.0, 1 - share)))
    for limit in limits_at(reader, Span(end - believed, end)):
        if limit.limit and limit.remaining is not None:
            share = min(1.0, max(0.0, left(limit)))
            kind = clean(limit.limit_type or limit.key)
            yield limit.provider, Headroom(kind, share, limit.remaining, limit.limit)


def _by_kind(asking: Asking, query: str, by: str, end: Micros) -> dict[tuple[str, str], float]:
    result = asking.instant(f"{query} by(provider, {by})", end)
    return {(s.label("provider"), s.label(by)): s.value for s in result.series if s.value is not None}
