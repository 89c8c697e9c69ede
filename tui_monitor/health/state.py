"""A provider's state, judged on the calls of a short window; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tui_monitor.config.settings import HealthSettings
from tui_monitor.model.call import OUR_ERRORS, PROVIDER_ERRORS
from tui_monitor.model.states import Health
from tui_monitor.model.timerange import format_duration
from tui_monitor.model.units import milliseconds, significant


class Verdict(NamedTuple):
    """A state, why, and the figure that caused it: `success`, `p95` or empty."""

    state: Health
    reason: str
    flag: str = ""


@dataclass(slots=True)
class Evidence:
    """The calls of one provider in the window, counted by what they tell about it.

    Calls that failed through us (a wrong key, a spent balance, our own limit) and calls that were
    cancelled tell nothing, nor do those whose outcome is unknown.
    """

    answered: float = 0
    """Calls that the provider dealt with, whether the answer pleased or not."""
    theirs: dict[str, float] = field(default_factory=dict)
    """Provider errors by category."""
    ours: dict[str, float] = field(default_factory=dict)
    """Our own errors by category."""
    errors: float = 0
    """Calls that failed, for whatever reason."""
    unjudged: float = 0
    """Cancelled calls, and calls of unknown outcome."""
    p95_ms: float | None = None
    timed: float = 0
    """Calls whose latency is known."""
    baseline_ms: float | None = None

    def add(self, status: str, category: str, calls: float) -> None:
        """Count calls of one outcome."""
        if status == "error":
            self.errors += calls
        if status in ("cancelled", "unknown", "") or category == "cancelled":
            self.unjudged += calls
        elif status == "error" and category in PROVIDER_ERRORS:
            self.theirs[category] = self.theirs.get(category, 0) + calls
        elif status == "error" and category in OUR_ERRORS:
            self.ours[category] = self.ours.get(category, 0) + calls
        else:
            self.answered += calls

    @property
    def failed(self) -> float:
        """Calls that failed through the provider."""
        return sum(self.theirs.values())

    @property
    def judged(self) -> float:
        """Calls that tell something about the provider."""
        return self.answered + self.failed

    @property
    def slowdown(self) -> float | None:
        """p95 as a multiple of its baseline; unknown without either."""
        if self.p95_ms is None or not self.baseline_ms:
            return None
        return self.p95_ms / self.baseline_ms


def judge(evidence: Evidence, settings: HealthSettings) -> Verdict:
    """The state that the window's calls speak for.

    A share of errors counts from `min_calls` calls that tell something, a p95 from as many timed ones.
    """
    if evidence.judged >= settings.min_calls:
        rate = evidence.failed / evidence.judged
        if rate >= settings.unavailable_error_rate:
            return Verdict(Health.UNAVAILABLE, _failures(evidence), "success")
        if rate > settings.degraded_error_rate:
            return Verdict(Health.DEGRADED, _failures(evidence), "success")
    slowdown = evidence.slowdown
    timed = evidence.timed >= settings.min_calls
    if timed and slowdown is not None and slowdown > settings.degraded_latency:
        return Verdict(Health.DEGRADED, _slow(evidence, slowdown), "p95")
    if evidence.judged >= settings.min_calls:
        return Verdict(Health.HEALTHY, _failures(evidence))
    return Verdict(Health.UNKNOWN, _too_few(evidence, settings))


def _failures(evidence: Evidence) -> str:
    if evidence.failed:
        listed = _listed(evidence.theirs)
        text = f"{evidence.failed:.0f} of the last {evidence.judged:.0f} calls failed: {listed}"
    else:
        whose = " through the provider" if evidence.errors else ""
        text = f"none of the last {evidence.judged:.0f} calls failed{whose}"
    return text + _own(evidence)


def _slow(evidence: Evidence, slowdown: float) -> str:
    usual = milliseconds(evidence.baseline_ms)
    return f"p95 {milliseconds(evidence.p95_ms)} is {significant(slowdown, 2)} × the usual {usual}"


def _too_few(evidence: Evidence, settings: HealthSettings) -> str:
    window = format_duration(settings.window)
    if not evidence.judged + evidence.unjudged + sum(evidence.ours.values()):
        return f"no calls in {window}"
    noun = "call" if evidence.judged == 1 else "calls"
    told = f"{evidence.judged:.0f} {noun} in {window} to judge by, {settings.min_calls} needed"
    unjudged = f"; {evidence.unjudged:.0f} of unknown outcome or cancelled" if evidence.unjudged else ""
    return told + unjudged + _own(evidence)


def _own(evidence: Evidence) -> str:
    return f"; on our side: {_listed(evidence.ours)}" if evidence.ours else ""


def _listed(counts: Mapping[str, float]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name.replace('_', ' ')} {count:.0f}" for name, count in ordered)
