"""What is being sampled, as people are told."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SampledScope:
    """The calls of one model, or of all where provider and model are empty: 1 in `one_in` is kept."""

    provider: str
    model: str
    one_in: int

    @property
    def name(self) -> str:
        """What is sampled."""
        return " ".join(part for part in (self.provider, self.model) if part) or "all calls"


def words(scopes: Sequence[SampledScope]) -> str:
    """The rarest of some scopes in a few words; empty where there is none."""
    if not scopes:
        return ""
    rarest = max(scopes, key=lambda scope: scope.one_in)
    more = f" and {len(scopes) - 1} more" if len(scopes) > 1 else ""
    return f"sampling 1 in {rarest.one_in} of {rarest.name}{more}"
