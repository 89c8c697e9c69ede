"""What speaks for and against each provider at one moment: calls, probes, its status page."""

from collections.abc import Mapping

from tui_monitor.config.settings import HealthSettings
from tui_monitor.health.outside import Outside
from tui_monitor.health.state import Evidence
from tui_monitor.model.clock import MINUTE, Micros
from tui_monitor.model.timerange import format_duration
from tui_monitor.query.asking import Asking

_NEAR = frozenset({"ollama", "vllm", "tgi", "llamacpp", "lmstudio"})
"""Providers that people run themselves: their answers prove nothing about the network outside."""
_LATELY = 2 * MINUTE
"""How long ago the last calls may be for what became of them to hold still."""

Minutes = Mapping[Micros, Mapping[str, tuple[float, float]]]
"""End of a minute → provider → calls that got no answer, and all that tell something."""


def gather(
    asking: Asking, settings: HealthSettings, end: Micros, beside: Outside, baseline: Mapping[str, float]
) -> dict[str, Evidence]:
    """Provider → evidence of the window before `end`; `baseline` in ms. Raises what the engine raises."""
    told = _calls(asking, settings, end)
    blamed: set[str] = set()
    if any("network" in evidence.theirs for evidence in told.values()):
        minutes = _minutes(asking, settings, end)
        silent = silent_minutes(minutes, settings.network_error_rate)
        # A network does not go at the full minute, so the minutes beside have some of it.
        ours = {at + shift for at in silent for shift in (-MINUTE, 0, MINUTE)}.intersection(minutes)
        for provider, calls in _excused(minutes, ours).items():
            if provider in told:
                told[provider].excuse(calls)
        newest = max((at for at in minutes if _outside(minutes[at])), default=None)
        if newest in silent and end - newest < _LATELY:
            blamed = set(_outside(minutes[newest]))
    for provider, probed in beside.probes.items():
        told.setdefault(provider, Evidence()).probes = probed
        if not beside.network_up and not all(one.near for one in probed):
            blamed.add(provider)
    for provider, page in beside.pages.items():
        told.setdefault(provider, Evidence()).page = page
    for provider, evidence in told.items():
        evidence.baseline_ms = baseline.get(provider)
        evidence.our_network = provider in blamed
    return told


def silent_minutes(minutes: Minutes, rate: float) -> set[Micros]:
    """Minutes in which no provider outside that was called got its calls through, and at least two were."""
    found: set[Micros] = set()
    for at, providers in minutes.items():
        outside = _outside(providers)
        if len(outside) >= 2 and all(silent / judged >= rate for silent, judged in outside.values()):
            found.add(at)
    return found


def _outside(providers: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    return {name: counts for name, counts in providers.items() if name not in _NEAR and counts[1]}


def _calls(asking: Asking, settings: HealthSettings, end: Micros) -> dict[str, Evidence]:
    window = format_duration(settings.window)
    told: dict[str, Evidence] = {}
    outcomes, p95, count = asking.together(
        [
            f"requests{{}} [{window}] sum by(provider, status, error_category)",
            f"latency{{}} [{window}] p95 by(provider)",
            f"latency{{}} [{window}] count by(provider)",
        ],
        end,
    )
    for series in outcomes.series:
        if series.value:
            evidence = told.setdefault(series.label("provider"), Evidence())
            evidence.add(series.label("status"), series.label("error_category"), series.value)
    for name, value in p95.by("provider").items():
        told.setdefault(name, Evidence()).p95_ms = value
    for name, value in count.by("provider").items():
        told.setdefault(name, Evidence()).timed = value
    return told


def _minutes(asking: Asking, settings: HealthSettings, end: Micros) -> Minutes:
    result = asking.range(
        "requests{} sum by(provider, status, error_category)", end - settings.window, end, MINUTE
    )
    # The last one may be cut short; it counts as the minute it lies in.
    ends = [-(-t // MINUTE) * MINUTE for t in result.times]
    minutes: dict[Micros, dict[str, tuple[float, float]]] = {at: {} for at in ends}
    for series in result.series:
        one = Evidence()
        one.add(series.label("status"), series.label("error_category"), 1)
        for at, calls in zip(ends, series.values, strict=True):
            silent, judged = minutes[at].get(series.label("provider"), (0.0, 0.0))
            silent += one.theirs.get("network", 0) * (calls or 0)
            minutes[at][series.label("provider")] = (silent, judged + one.judged * (calls or 0))
    return minutes


def _excused(minutes: Minutes, ours: set[Micros]) -> dict[str, float]:
    """Provider → calls that failed through our own network."""
    found: dict[str, float] = {}
    for at in ours:
        for provider, (silent, _) in minutes[at].items():
            if silent and provider not in _NEAR:
                found[provider] = found.get(provider, 0) + silent
    return found
