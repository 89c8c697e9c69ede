"""What a person allowed. Until then nothing leaves the machine, and nobody's logs are read."""

from tui_monitor.config.fields import Section


class Consent(Section):
    """What you allow. Nothing of it is done before you say so; the dashboard asks once."""

    agent_logs: bool | None = None
    """Read token counts and costs from the logs of coding agents in your home directory; never their text."""
    provider_keys: bool | None = None
    """Use API keys found in the environment for probes of their providers that cost nothing."""
    status_pages: bool | None = None
    """Ask the public status pages of the providers that you use."""
