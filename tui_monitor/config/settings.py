"""Every setting, with its default and what it means.

The docstring under a field is its documentation: the example file and the reference page are made from it.
Only plain types stand here, so that reading the configuration imports little.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.states import SEVERITY_ALIASES, Severity
from tui_monitor.model.timerange import parse_duration

_SIZES = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


def read_duration(value: object) -> object:
    """A length of time as people write it → µs. Raises ValueError."""
    if isinstance(value, bool):
        raise ValueError("not a length of time")
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except UsageError as error:
            raise ValueError(f"{error.message}; {error.hint}") from error
    if isinstance(value, timedelta):
        return round(value.total_seconds() * SECOND)
    if isinstance(value, int | float):
        raise ValueError("a length of time needs its unit, like '30s', '5m' or '7d'")
    return value


def read_bytes(value: object) -> object:
    """A size as people write it → bytes. Raises ValueError."""
    if isinstance(value, bool):
        raise ValueError("not a size")
    if isinstance(value, str):
        text = value.strip().lower().replace(" ", "").replace("ib", "b")
        if text.isdecimal() and len(text) < 20:
            return int(text)
        for unit in sorted(_SIZES, key=len, reverse=True):
            number = text.removesuffix(unit)
            if number != text and number.replace(".", "", 1).isdecimal() and len(number) < 20:
                return round(float(number) * _SIZES[unit])
        raise ValueError("not a size; write it like '500 MB' or '2 GB'")
    return value


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Duration = Annotated[Micros, BeforeValidator(read_duration), Field(gt=0)]
"""A length of time, written `30s`, `5m`, `7d`; held in µs."""
Bytes = Annotated[int, BeforeValidator(read_bytes), Field(ge=0)]
"""A size, written `500 MB`, `2 GB`; held in bytes."""


class Section(BaseModel):
    """A table of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class General(Section):
    """Who and where you are."""

    name: str | None = None
    """Your name in the history of alerts. Default: your SSH, sudo or user name."""
    timezone: str | None = None
    """IANA time zone in which days, weeks and months are cut. Default: the system's."""
    week_start: Weekday = "monday"
    """First day of the week."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None:
            from zoneinfo import ZoneInfo

            try:
                ZoneInfo(value)
            except (KeyError, ValueError, OSError) as error:
                raise ValueError(f"no such time zone: {value!r}; write it like 'Europe/Berlin'") from error
        return value


class DatabaseSettings(Section):
    """Where the data lives."""

    path: Path | None = None
    """The SQLite file. Default: monitor.db in the data directory."""
    synchronous: Literal["normal", "full"] = "normal"
    """`normal` survives a killed process; `full` also survives a power cut, at one disk flush per commit."""


class Collector(Section):
    """How data is gathered and written."""

    interval: Duration = 30 * SECOND
    """Time between two samples of this host."""
    batch_size: int = Field(default=1_000, ge=1, le=100_000)
    """Rows that are written in one transaction at most."""
    flush_interval: Duration = SECOND // 5
    """Longest time a row waits for its transaction."""
    queue_size: int = Field(default=50_000, ge=1_000)
    """Rows that may wait to be written; a pusher that would exceed it is told to come back later."""
    max_label_values: int = Field(default=10_000, ge=10)
    """Different values kept of one label (user, session key …); further ones are counted as `(other)`."""
    max_series: int = Field(default=20_000, ge=100)
    """Different sample series kept; samples of further ones are rejected and counted."""
    max_future: Duration = 3600 * SECOND
    """How far a record's time may lie in the future before it is rejected."""


class Screen(Section):
    """How the dashboard looks."""

    update_interval: Duration = SECOND
    """Time between two looks at the data."""
    theme: str = "tui-monitor"
    """Colour theme; see `ctrl+p`, theme."""
    drawing: Literal["auto", "braille", "block", "ascii"] = "auto"
    """Characters that charts are drawn with. `auto`: braille where the locale is UTF-8, else ASCII."""
    range: Duration = 3600 * SECOND
    """Time range shown at the start."""
    mouse: bool = True
    """Whether the mouse is used; off leaves selecting text to the terminal."""


class Server(Section):
    """The doors: a Unix socket for yourself, TCP for others on this host."""

    listen: str = "127.0.0.1:4319"
    """Address for pushed events and reading over HTTP; empty turns the door off."""
    socket: bool = True
    """Whether the Unix socket is opened, through which commands reach a running collector."""
    max_body: Bytes = 16_000_000
    """Largest request body, after decompression too."""
    allowed_hosts: list[str] = []
    """Further values of the Host header that are accepted, besides this host's own addresses."""
    insecure: bool = False
    """Allow an address off loopback without TLS. Tokens then travel in clear."""


class Retention(Section):
    """How long each layer is kept, counted from the later of event and arrival."""

    preset: Literal["default", "short"] = "default"
    """`short`: raw 7 d, 1 min 30 d, 1 h 90 d, 1 day 365 d."""
    raw: Duration = 90 * 86_400 * SECOND
    """Single calls with all their attributes."""
    minute: Duration = 30 * 86_400 * SECOND
    """Sums and histograms per minute."""
    hour: Duration = 400 * 86_400 * SECOND
    """Sums and histograms per hour."""
    day: Duration = 1826 * 86_400 * SECOND
    """Sums and histograms per day."""
    samples: Duration = 30 * 86_400 * SECOND
    """Single samples of gauges and counters."""
    size: Bytes = 2_000_000_000
    """Size of the database above which the oldest single calls go first; 0 is no limit."""

    @model_validator(mode="before")
    @classmethod
    def _apply_preset(cls, values: object) -> object:
        if isinstance(values, dict) and values.get("preset") == "short":
            return {"raw": "7d", "minute": "30d", "hour": "90d", "day": "365d", **values}
        return values


class Prices(Section):
    """Where prices come from."""

    file: Path | None = None
    """A TOML file with prices of your own; see `tui-monitor prices --help`."""
    prefer: Literal["reported", "computed"] = "reported"
    """Which cost counts where a source reports one and we can compute one."""
    free_providers: list[str] = ["ollama", "vllm", "tgi", "llamacpp", "lmstudio"]
    """Providers whose calls cost nothing, because you run them yourself."""


class Costs(Section):
    """How spend is counted."""

    month_starts_on: int = Field(default=1, ge=1, le=28)
    """Day on which your accounting month begins."""
    daily_budget: float | None = Field(default=None, gt=0)
    """A budget for each day in US dollars, the short form of a `[[budgets]]` entry. Also DAILY_BUDGET."""


class BudgetSettings(Section):
    """One budget; write `[[budgets]]` for each."""

    name: str = Field(min_length=1, max_length=64)
    """Its name on the screen and in alerts."""
    period: Literal["day", "week", "month"] = "month"
    """The calendar period it is for."""
    amount_usd: float = Field(gt=0)
    """US dollars per period."""
    scope: dict[str, str] = {}
    """Labels that a call must have to count, like `{ project = "search" }`; empty is everything."""


class RuleSettings(Section):
    """One alert rule; write `[[alerts.rules]]` for each."""

    name: str = Field(min_length=1, max_length=120)
    """Its name; unique."""
    expr: str = Field(min_length=1)
    """A condition: a query with a comparison, like `error_rate{} [5m] by(provider) > 0.05`."""
    for_: Duration | None = Field(default=None, alias="for")
    """How long the condition must hold before the alert fires; at once by default."""
    severity: Severity = Severity.WARNING
    """info, warning or critical."""
    labels: dict[str, str] = {}
    """Labels added to the alert."""
    summary: str = ""
    """One sentence for the person who reads it; `{{ $labels.provider }}` and `{{ $value }}` are filled in."""
    enabled: bool = True
    """Whether it is evaluated."""

    @field_validator("severity", mode="before")
    @classmethod
    def _alias(cls, value: object) -> object:
        return SEVERITY_ALIASES.get(value.lower(), value.lower()) if isinstance(value, str) else value


class Alerts(Section):
    """Rules and how often they are looked at."""

    interval: Duration = 60 * SECOND
    """Time between two evaluations."""
    rules: list[RuleSettings] = []
    """The rules, as `[[alerts.rules]]` tables."""

    @model_validator(mode="after")
    def _unique(self) -> "Alerts":
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"rule name used twice: {', '.join(twice)}")
        return self


class HealthSettings(Section):
    """When a provider counts as degraded or unavailable."""

    window: Duration = 300 * SECOND
    """Calls of this long are judged."""
    min_calls: int = Field(default=10, ge=1)
    """Fewer calls in the window are not judged."""
    degraded_error_rate: float = Field(default=0.03, gt=0, le=1)
    """Share of the provider's own errors above which it is degraded."""
    unavailable_error_rate: float = Field(default=0.5, gt=0, le=1)
    """Share of the provider's own errors from which it is unavailable."""
    degraded_latency: float = Field(default=2.0, gt=1)
    """How many times its baseline the p95 latency may be."""


class Log(Section):
    """The log file; nothing is logged onto the screen while the dashboard is up."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severity that is written."""
    format: Literal["text", "json"] = "text"
    """Lines for people, or one JSON object per line."""
    file: Path | None = None
    """The file. Default: monitor.log in the state directory."""
    max_size: Bytes = 5_000_000
    """Size at which the file is rotated."""
    keep: int = Field(default=3, ge=0, le=100)
    """Rotated files kept."""
