"""Completions out of names: those that begin with what is typed, then those that hold it."""

from collections.abc import Callable, Iterable, Iterator

from tui_monitor.query.result import Completion, CompletionKind


def matching(
    word: str, offers: Iterable[tuple[str, str]], kind: CompletionKind, *, end: str = "",
    help_of: Callable[[str], str] | None = None,
) -> Iterator[Completion]:  # fmt: skip
    """Each name with what it is; `help_of` is asked for those that are offered only."""
    described = dict(offers)
    for name in ordered(word, described):
        yield Completion(name + end, len(word), kind, help_of(name) if help_of else described[name])


def ordered(word: str, names: Iterable[str]) -> list[str]:
    """Names that begin with the word, then those that hold it."""
    folded = word.lower()
    found = [name for name in names if folded in name.lower()]
    return sorted(found, key=lambda name: not name.lower().startswith(folded))
