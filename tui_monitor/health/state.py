"""A provider's state, judged on the calls of a short window, on probes and its status page; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tui_monitor.config.settings import HealthSettings
from tui_monitor.health.outside import Probed
from tui_monitor.health.views import PageLook
from tui_monitor.model.call import OUR_ERRORS, PROVIDER_ERRORS
from tui_monitor.model.states import Health
from tui_monitor.model.timerange import format_duration
from tui_monitor.model.units import milliseconds, significant


class Verdict(NamedTuple):
    """A state, why, and the figure that caused it: `success`, `p95`, `probe`, `page` or empty."""

    state: Health
    reason: str
    flag: str = ""


_RANK = {Health.UNKNOWN: 0, Health.HEALTHY: 1, Health.DEGRADED: 2, Health.UNAVAILABLE: 3}
_OUR_NETWORK = "no provider answers at all: our own network is to blame, not they"


@dataclass(slots=True)
class Evidence:
    """The calls of one provider in the window, counted by what they tell about it, and what else is known.

    Calls that failed through us (a wrong key, a spent balance, our own limit) and calls that were
    cancelled tell nothing, nor do those whose outcome is unknown.
    """

    answered: float = 0
    """Calls that the provider dealt with, whether the answer pleased or not."""
    theirs: dict[str, float] = field(default_factory=dict)
    """Provider errors by category."""
    ours: dict[str, float] = field(default_factory=dict)
    """Our own errors by category."""
    otherwise: dict[str, float] = field(default_factory=dict)
    """Errors that are neither: of the request itself by category, and those that tell none."""
    errors: float = 0
    """Calls that failed, for whatever reason."""
    unjudged: float = 0
    """Cancelled calls, and calls of unknown outcome."""
    p95_ms: float | None = None
    timed: float = 0
    """Calls whose latency is known."""
    baseline_ms: float | None = None
    probes: Sequence[Probed] = ()
    """Its addresses that are probed."""
    page: PageLook | None = None
    our_network: bool = False
    """Whether nothing outside answers at this moment."""

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
            if status == "error":
                name = category or "no cause told"
                self.otherwise[name] = self.otherwise.get(name, 0) + calls

    def excuse(self, calls: float) -> None:
        """So many calls that got no answer failed through our own network."""
        found = min(calls, self.theirs.get("network", 0))
        if found:
            self.theirs["network"] -= found
            if not self.theirs["network"]:
                del self.theirs["network"]
            self.ours["network"] = self.ours.get("network", 0) + found

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
    """The state that calls, probes and the status page speak for: the worst of the three, calls first.

    A share of errors counts from `min_calls` calls that tell something, a p95 from as many timed ones.
    Where our own network is to blame, nothing that got no answer counts, and what is not ill is unknown.
    """
    calls = _of_calls(evidence, settings)
    others = (_of_probes(evidence, settings), _of_page(evidence))
    verdict = max((calls, *others), key=lambda one: _RANK[one.state])
    if evidence.our_network and _RANK[verdict.state] <= _RANK[Health.HEALTHY]:
        return Verdict(Health.UNKNOWN, _OUR_NETWORK)
    if verdict is not calls and (evidence.judged or evidence.errors):
        return verdict._replace(reason=f"{verdict.reason}; {calls.reason}")
    return verdict


def _of_calls(evidence: Evidence, settings: HealthSettings) -> Verdict:
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


def _of_probes(evidence: Evidence, settings: HealthSettings) -> Verdict:
    """Unavailable where no address answers, degraded where some do: each after so many failures in a row."""
    probed = evidence.probes
    failing = [one for one in probed if one.failures >= settings.probe_failures]
    if failing and len(failing) == len(probed):
        first = min(failing, key=lambda one: one.failures)
        noun = "probe" if first.failures == 1 else "probes"
        return Verdict(Health.UNAVAILABLE, f"{first.failures} {noun} in a row failed{_why(first)}", "probe")
    if failing:
        where = ", ".join(one.target for one in failing[:2])
        reason = f"{len(failing)} of {len(probed)} addresses cannot be reached: {where}"
        return Verdict(Health.DEGRADED, reason, "probe")
    answering = [one for one in probed if one.reachable]
    if not answering:
        reason = f"its last probe failed{_why(probed[0])}" if probed else ""
        return Verdict(Health.UNKNOWN, reason)
    times = [one.ms for one in answering if one.ms is not None]
    return Verdict(Health.HEALTHY, f"reachable in {milliseconds(min(times))}" if times else "reachable")


def _of_page(evidence: Evidence) -> Verdict:
    page = evidence.page
    if page is None or page.level <= 0:
        return Verdict(Health.UNKNOWN, "")
    title = f': "{page.title}"' if page.title else ""
    return Verdict(Health.DEGRADED, f"its status page says {page.word}{title}", "page")


def _why(probed: Probed) -> str:
    return f": {probed.why}" if probed.why else ""


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
    ours = f"; on our side: {_listed(evidence.ours)}" if evidence.ours else ""
    return ours + (f"; failed otherwise: {_listed(evidence.otherwise)}" if evidence.otherwise else "")


def _listed(counts: Mapping[str, float]) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name.replace('_', ' ')} {count:.0f}" for name, count in ordered)
