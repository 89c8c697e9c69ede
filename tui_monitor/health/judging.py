"""The verdict on each provider at one moment: the same for the screen and for the collector's own loop."""

from dataclasses import dataclass

from tui_monitor.config.settings import HealthSettings
from tui_monitor.health.evidence import gather
from tui_monitor.health.outside import Outside, outside
from tui_monitor.health.state import Verdict, judge
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.query.asking import Asking
from tui_monitor.query.baseline import baselines_of
from tui_monitor.query.promql.parser import read
from tui_monitor.store.api import Reader

_USUAL = read("latency{} [5m] p95 by(provider)")


@dataclass(frozen=True, slots=True)
class Judging:
    """Whom to ask and by what to judge. `believed` is how long probes and status pages are believed."""

    asking: Asking
    reader: Reader
    settings: HealthSettings
    calendar: Calendar
    believed: Micros

    def at(self, end: Micros, now: Micros) -> tuple[dict[str, Verdict], Outside]:
        """The verdict on each provider of which something is known at `end`, and what is known besides calls.

        Blocks on the store; raises `QueryError` or `StoreError`.
        """
        baselines = baselines_of(self.asking.engine)
        usual = baselines.of(_USUAL, end, self.calendar, version=self.reader.version(), now=now)
        baseline = {dict(labels)["provider"]: p95 for labels, p95 in usual.items()}
        beside = outside(self.asking, end, self.believed)
        told = gather(self.asking, self.settings, end, beside, baseline)
        return {name: judge(evidence, self.settings) for name, evidence in told.items()}, beside


def believed_for(settings: HealthSettings, *intervals: Micros) -> Micros:
    """How long an answer is believed that comes at these intervals."""
    return max(settings.probe_age, *(3 * interval for interval in intervals))
