"""Settings of what we ask providers and their status pages ourselves."""

from typing import Literal

from pydantic import Field, SecretStr

from tui_monitor.config.fields import Duration, Section
from tui_monitor.model.clock import MINUTE, SECOND

ProbeKind = Literal["openai", "anthropic", "gemini", "azure", "ollama", "vllm", "tgi", "litellm", "http"]
PageKind = Literal["statuspage", "instatus", "betterstack", "google", "rss"]


class ProbeTarget(Section):
    """One address that is probed; write `[[probes.targets]]` for each."""

    provider: str = Field(min_length=1, max_length=64)
    """The provider it tells about."""
    kind: ProbeKind = "openai"
    """How it is asked; `openai` fits everything compatible, `http` wants any answer below 500."""
    url: str | None = None
    """Its base address. Default: the provider's own."""
    key: SecretStr | None = None
    """The API key. Better: `key_env`."""
    key_env: str | None = None
    """Environment variable that holds the API key."""


class Probes(Section):
    """Free requests that tell whether a provider can be reached; they cost no tokens."""

    interval: Duration = MINUTE
    """Time between two probes of one address; 5 seconds at least."""
    timeout: Duration = 10 * SECOND
    """Time after which a probe has failed."""
    targets: list[ProbeTarget] = []
    """Addresses to probe, as `[[probes.targets]]` tables; with consent also those of keys found."""


class StatusPage(Section):
    """One status page; write `[[status_pages.pages]]` for each."""

    provider: str = Field(min_length=1, max_length=64)
    """The provider it tells about."""
    url: str = Field(min_length=8)
    """Its base address."""
    kind: PageKind = "statuspage"
    """Its format."""
    components: list[str] = []
    """Parts that matter: text in their names, whatever the case; empty is the whole page."""


class StatusPages(Section):
    """Providers' own word about their health, asked once `consent.status_pages` is given."""

    interval: Duration = 2 * MINUTE
    """Time between two looks at one page; a minute at least."""
    pages: list[StatusPage] = []
    """Pages to ask besides the known ones, or instead of them, as `[[status_pages.pages]]` tables."""
