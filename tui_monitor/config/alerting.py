"""Settings of alert rules, and of who is told about an alert."""

from pydantic import Field, field_validator, model_validator

from tui_monitor.config.fields import Duration, Name, Section
from tui_monitor.model.clock import SECOND
from tui_monitor.model.states import SEVERITY_ALIASES, Severity


class RuleSettings(Section):
    """One alert rule; write `[[alerts.rules]]` for each."""

    name: Name = Field(min_length=1, max_length=120)
    """Its name; unique."""
    expr: str = Field(min_length=1)
    """A condition: a query with a comparison, like `error_rate by(provider) > 3 * baseline`; more may follow
    after `and`."""
    for_: Duration | None = Field(default=None, alias="for")
    """How long the condition must hold before the alert fires; at once by default."""
    severity: Severity = Severity.WARNING
    """info, warning or critical."""
    labels: dict[str, str] = {}
    """Labels added to the alert."""
    summary: str = ""
    """One sentence for the person who reads it; `{{ $labels.provider }}`, `{{ $value }}`, `{{ $threshold }}`
    and `{{ $reason }}` are filled in."""
    enabled: bool = True
    """Whether it is evaluated."""
    budget: str | None = None
    """The budget that `budget` in the expression stands for; its scope holds for `monthly_spend` and such."""

    @field_validator("severity", mode="before")
    @classmethod
    def _alias(cls, value: object) -> object:
        return SEVERITY_ALIASES.get(value.lower(), value.lower()) if isinstance(value, str) else value


class Alerts(Section):
    """Rules and how often they are looked at."""

    interval: Duration = 60 * SECOND
    """Time between two evaluations."""
    shipped: bool = True
    """Whether the rules that come with the program are evaluated; `tui-monitor rules` lists them."""
    disabled: list[str] = []
    """Names of rules that are not evaluated, shipped ones too."""
    command: list[str] = []
    """A program and its arguments, run without a shell when an alert fires, is taken or ends; it gets the
    alert as JSON on standard input."""
    command_timeout: Duration = 10 * SECOND
    """Time after which that program is ended."""
    bell: bool = True
    """Whether the dashboard rings the terminal's bell when an alert fires."""
    notify: bool = True
    """Whether the dashboard asks the terminal for a desktop notification (OSC 9) when an alert fires."""
    rules: list[RuleSettings] = []
    """Rules of your own, as `[[alerts.rules]]` tables."""

    @model_validator(mode="after")
    def _unique(self) -> "Alerts":
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"rule name used twice: {', '.join(twice)}")
        return self
