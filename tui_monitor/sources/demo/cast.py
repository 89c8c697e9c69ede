"""Who takes part in the demo: models, people, agents. All of it is made up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """A model, how often it is asked, and how quick it is in the demo."""

    provider: str
    name: str
    weight: float
    first_ms: float
    """To the first token of a short question, ms."""
    input_ms: float
    """More for each 1,000 tokens of input, ms."""
    output_ms: float
    """For each token of the answer, ms."""


@dataclass(frozen=True, slots=True)
class Stream:
    """What one stream of the excerpt stands for."""

    app: str
    project: str
    models: tuple[Model, ...]


CAST: tuple[Stream, ...] = (
    Stream("ide-completion", "developer-tools", (
        Model("anthropic", "claude-haiku-4-5", 0.5, 310, 30, 6),
        Model("openai", "gpt-4.1-mini", 0.3, 360, 40, 9),
        Model("google", "gemini-2.5-flash", 0.2, 280, 25, 5),
    )),
    Stream("support-chat", "support", (
        Model("anthropic", "claude-sonnet-4-5", 0.32, 640, 60, 14),
        Model("openai", "gpt-4.1-mini", 0.33, 380, 40, 9),
        Model("google", "gemini-2.5-flash", 0.2, 290, 25, 5),
        Model("ollama", "llama3.3", 0.15, 420, 160, 24),
    )),
    Stream("research-agents", "research", (
        Model("anthropic", "claude-sonnet-4-5", 0.3, 700, 60, 14),
        Model("openai", "gpt-5", 0.3, 900, 70, 16),
        Model("google", "gemini-2.5-pro", 0.2, 760, 55, 12),
        Model("ollama", "llama3.3", 0.2, 420, 160, 24),
    )),
)  # fmt: skip
"""In the order of the excerpt's streams."""
AGENTS: tuple[str, ...] = ("researcher", "reviewer", "triage")
PEOPLE: tuple[tuple[str, str], ...] = (
    ("ana", "search"), ("ben", "search"), ("chloe", "support"), ("dmitri", "support"), ("emeka", "platform"),
    ("fatima", "platform"), ("goran", "search"), ("hana", "support"), ("ines", "platform"),
    ("jonas", "search"), ("kofi", "support"), ("lucia", "platform"),
)  # fmt: skip
"""Name and team; the first ones ask most."""
FAILURES: tuple[tuple[str, int, float], ...] = (
    ("rate_limit", 429, 0.4), ("overloaded", 529, 0.2), ("server", 500, 0.15), ("timeout", 504, 0.1),
    ("bad_request", 400, 0.1), ("content_filter", 400, 0.05),
)  # fmt: skip
"""What goes wrong on any day: category, status of the answer, share."""
AILING: tuple[int, ...] = (1, 2, 3)
"""Those that a provider in trouble answers with."""
