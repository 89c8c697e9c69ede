"""Settings of what is known of people before anything is stored."""

from pathlib import Path

from pydantic import field_validator

from tui_monitor.config.fields import Section

NEEDED = frozenset({
    "provider", "model", "model_served", "model_requested", "operation", "status", "error_category", "agent",
    "app", "source",
})  # fmt: skip
"""Labels that say nothing of people, and without which no figure could be told from another."""


class Privacy(Section):
    """What is hidden or left out before a record is stored; what is stored already stays as it is."""

    hash: list[str] = []
    """Labels and attributes whose values are replaced by a code, like `["user"]`. Equal values have equal
    codes, so sums and groups stay right; without the key nobody can guess a value by trying."""
    drop: list[str] = []
    """Labels and attributes that are not stored at all, like `["session"]`."""
    key_file: Path | None = None
    """The secret key of the codes, made at first use. Default: privacy.key in the data directory. Without
    it the same people get other codes."""

    @field_validator("hash", "drop")
    @classmethod
    def _not_needed(cls, names: list[str]) -> list[str]:
        if needed := sorted(NEEDED.intersection(names)):
            raise ValueError(f"{', '.join(needed)} cannot be hidden: figures are told apart by it")
        return names
