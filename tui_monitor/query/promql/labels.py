"""Sets of labels: tuples of (name, value), sorted by name, without empty values; compared and hashed fast."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from tui_monitor.query.promql.ast import NAME

Labels = tuple[tuple[str, str], ...]
"""Labels of one series, the metric's name among them as `__name__`."""

T = TypeVar("T")
_MOST = 32


class LabelSets(list[Labels]):
    """Labels of many series that are asked for again and again: what is worked out of them stays with them.

    Nothing is put in or taken out.
    """

    def __init__(self, of: Iterable[Labels]) -> None:
        super().__init__(of)
        self._memo: dict[Hashable, object] = {}

    def remembered(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` once made under a key."""
        if key not in self._memo:
            if len(self._memo) >= _MOST:
                self._memo.clear()
            self._memo[key] = make()
        return self._memo[key]  # pyright: ignore[reportReturnType]


def remembered(of: Sequence[Labels], key: Hashable, make: Callable[[], T]) -> T:
    """What is worked out of labels, once where they are asked for again."""
    return of.remembered(key, make) if isinstance(of, LabelSets) else make()


def labels(values: Mapping[str, str]) -> Labels:
    """The set that these make."""
    return tuple(sorted((name, value) for name, value in values.items() if value))


def without_name(of: Labels) -> Labels:
    """All but the metric's name."""
    return without(of, (NAME,))


def without(of: Labels, names: Collection[str]) -> Labels:
    """All but these."""
    return tuple(pair for pair in of if pair[0] not in names)


def only(of: Labels, names: Collection[str]) -> Labels:
    """These alone, as far as they are there."""
    return tuple(pair for pair in of if pair[0] in names)


def value(of: Labels, name: str) -> str:
    """The value of a label; empty where it is not there."""
    return next((found for label, found in of if label == name), "")


def replaced(of: Labels, name: str, new: str) -> Labels:
    """The set with one label set, or without it where `new` is empty."""
    rest = without(of, (name,))
    return tuple(sorted((*rest, (name, new)))) if new else rest


def signature(on: bool, names: Collection[str]) -> Callable[[Labels], Labels]:
    """What two series must have in common to meet: these labels, or all but these and the name."""
    chosen = frozenset(names) if on else frozenset({*names, NAME})
    return (lambda of: only(of, chosen)) if on else (lambda of: without(of, chosen))
