"""Every setting, with its default and what it means.

The docstring under a field is its documentation: the example file and the reference page are made from it.
Only plain types stand here, so that reading the configuration imports little.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from tui_monitor.config.agents import Agents as Agents
from tui_monitor.config.alerting import Alerts as Alerts
from tui_monitor.config.alerting import RuleSettings as RuleSettings
from tui_monitor.config.consent import Consent as Consent
from tui_monitor.config.fields import Bytes, Duration, Name, Section
from tui_monitor.config.forwarding import Forward as Forward
from tui_monitor.config.keys import Keys as Keys
from tui_monitor.config.privacy import Privacy as Privacy
from tui_monitor.config.probing import Probes as Probes
from tui_monitor.config.probing import StatusPages as StatusPages
from tui_monitor.config.querying import Query as Query
from tui_monitor.config.sampling import Sampling as Sampling
from tui_monitor.model.clock import SECOND

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


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
    update_copies: int = Field(default=2, ge=0, le=100)
    """Copies kept of the database as it was before a newer version changed it; with 0 none is made."""


class Collector(Section):
    """How data is gathered and written."""

    interval: Duration = 30 * SECOND
    """Time between two samples of this host."""
    batch_size: int = Field(default=4_000, ge=1, le=100_000)
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
    theme: str = "auto"
    """Name of the colour theme. `auto`: tui-monitor, or tui-monitor-16 where the terminal has 16 colours."""
    drawing: Literal["auto", "braille", "block", "ascii"] = "auto"
    """Characters that charts are drawn with. `auto`: braille where the locale is UTF-8, else ASCII."""
    density: Literal["normal", "compact"] = "normal"
    """`compact` leaves out the empty lines between the parts of a pane; `D` changes it on the screen."""
    motion: Literal["full", "reduced"] = "full"
    """`reduced`: nothing slides, fades or blinks, and lists scroll by whole lines."""
    start_pane: str = "overview"
    """The pane shown at the start, by its title in small letters; `last` is the one that was left."""
    keep_layout: bool = True
    """Whether orders, drawings, theme and density chosen on the screen hold the next time."""
    range: Duration = 3600 * SECOND
    """Time range shown at the start."""
    keep_range: bool = False
    """Whether the next dashboard begins with the length of time that this one was left with."""
    mouse: bool = True
    """Whether the mouse is used; off leaves selecting text to the terminal."""
    ask_while_typing: bool = True
    """Whether the Query pane asks what stands in its line before it is sent, once the line is whole."""
    confirm_quit: bool = True
    """Whether a dashboard that collects asks before it ends, and offers to go on without a window."""
    read_only: bool = False
    """Whether the dashboard only shows: what changes alerts, sources or settings cannot be done from it."""
    line: Literal["auto", "fast", "slow"] = "auto"
    """The way to the terminal. On a slow one little is sent at once, the newest first; `auto` measures it."""
    colours: Literal["auto", "true", "256", "16"] = "auto"
    """Colours that the terminal is sent; fewer are fewer bytes. `auto`: as many as it shows."""


class Server(Section):
    """The doors: a Unix socket for yourself, TCP for others on this host."""

    listen: str = "127.0.0.1:auto"
    """Address of the TCP door; empty turns it off. Port `auto` is 4319, or one of yours if that is taken."""
    socket: bool = True
    """Whether the Unix socket is opened, through which commands reach a running collector."""
    max_body: Bytes = 16_000_000
    """Largest request body, after decompression too."""
    allowed_hosts: list[str] = []
    """Further values of the Host header that are accepted, besides this host's own addresses."""
    tls_cert: Path | None = None
    """The certificate of the TCP door, PEM, with what signed it behind; loaded anew when it is renewed."""
    tls_key: Path | None = None
    """Its private key, PEM, readable for nobody else."""
    insecure: bool = False
    """Allow an address off loopback without TLS. Tokens then travel in clear."""
    rate_limit: int = Field(default=2_000, ge=0)
    """Requests per second of one token, or of one address without; 0 is no limit."""
    max_connections: int = Field(default=512, ge=8, le=100_000)
    """Connections open at once; when there are more, those that wait for their client longest are closed."""
    max_connections_per_client: int = Field(default=64, ge=1)
    """Connections of one address of another host; this host has all of them."""


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
    samples_steps: Duration = 400 * 86_400 * SECOND
    """What stays of older samples in steps of 5 minutes."""
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

    name: Name = Field(min_length=1, max_length=64)
    """Its name on the screen and in alerts."""
    period: Literal["day", "week", "month"] = "month"
    """The calendar period it is for."""
    amount_usd: float = Field(gt=0)
    """US dollars per period."""
    scope: dict[str, str] = {}
    """Labels that a call must have to count, like `{ project = "search" }`; empty is everything."""


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
    probe_failures: int = Field(default=3, ge=1, le=1000)
    """Probes that fail in a row before it is unavailable."""
    probe_age: Duration = 600 * SECOND
    """How long a probe or a status page's word is believed; three intervals at least."""
    network_error_rate: float = Field(default=0.2, gt=0, le=1)
    """Share of calls that got no answer, at all providers in one minute, that is our own network's fault."""


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
