"""Settings of what is sent on to Prometheus-compatible servers."""

import re
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from tui_monitor.config.connecting import Address, Connection
from tui_monitor.config.fields import Bytes, Duration, Name, Section
from tui_monitor.model.clock import SECOND

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


class ForwardReceiver(Connection):
    """One server that takes remote writes; write `[[forward.receivers]]` for each."""

    url: Address
    """Where it takes them, like `http://prometheus:9090/api/v1/write`."""
    name: Name = Field(default="", max_length=64)
    """Its name on the screen. Default: its host and port."""
    timeout: Duration = 30 * SECOND
    """Time after which a request has failed."""

    @property
    def title(self) -> str:
        """What it is called."""
        return self.name or urlsplit(self.url).netloc


class Forward(Section):
    """What is sent on by Prometheus remote write; nothing without a receiver."""

    receivers: list[ForwardReceiver] = []
    """Who gets it, as `[[forward.receivers]]` tables."""
    calls: bool = True
    """Whether metrics of calls are sent, as counters and histograms."""
    samples: bool = True
    """Whether samples are sent: of the host, of probes, of the collector, and what others sent here."""
    keep: list[str] = []
    """Regular expressions of the metrics that are sent, whole names; empty is all."""
    drop: list[str] = []
    """Regular expressions of the metrics that are not sent, whole names; they win over `keep`."""
    labels: dict[str, str] = {}
    """Labels added to every series that lacks them. `job` is `tui-monitor` and `instance` the host's name
    unless said here; collectors that send to one place need different ones."""
    native_histograms: bool = False
    """Whether native histograms are sent: of latencies of calls, beside the classic ones, and samples that
    are such. Every receiver must take them: a Prometheus does with `--enable-feature=native-histograms`."""
    queue_size: Bytes = 200_000_000
    """Bytes that may wait on disk for a receiver that does not answer; the oldest go first."""
    max_series: int = Field(default=20_000, ge=100)
    """Series of calls, and series of samples, that are sent at most; further ones are counted and shown."""

    @field_validator("labels")
    @classmethod
    def _names(cls, labels: dict[str, str]) -> dict[str, str]:
        wrong = [name for name in labels if not _LABEL.match(name) or name.startswith("__")]
        if wrong:
            raise ValueError(f"no name of a label: {', '.join(wrong)}")
        return labels

    @field_validator("keep", "drop")
    @classmethod
    def _patterns(cls, patterns: list[str]) -> list[str]:
        for text in patterns:
            try:
                re.compile(text)
            except re.error as error:
                raise ValueError(f"no regular expression: {text!r}: {error}") from error
        return patterns

    @model_validator(mode="after")
    def _different(self) -> "Forward":
        titles = [receiver.title for receiver in self.receivers]
        twice = sorted({title for title in titles if titles.count(title) > 1})
        if twice:
            raise ValueError(f"two receivers are called {', '.join(twice)}; give each a `name`")
        return self
