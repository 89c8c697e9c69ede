"""Silences: what makes one, which alerts it keeps quiet, and until when. Nothing here reads a clock."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from tui_monitor.model.alert import Alert, Matcher, Silence
from tui_monitor.model.clock import DAY, Micros
from tui_monitor.model.errors import MonitorError, QueryError, UsageError
from tui_monitor.model.providers import canonical
from tui_monitor.model.text import MAX_TEXT, clean
from tui_monitor.model.units import UNKNOWN
from tui_monitor.query.condition import Condition
from tui_monitor.query.regex import Pattern, PatternError

MAX_SILENCES = 10_000
"""Silences in force or to come."""
KEPT = 30 * DAY
"""How long silences are kept after their end."""
MAX_LOOSE = 1_000
"""Of them, those without a matcher `=`: each is held against every alert."""
MAX_MATCHERS = 20
MAX_LENGTH = 10 * 365 * DAY
MAX_PATTERN = 1_000
"""Characters of a regular expression."""
MAX_NAME = 64
MAX_NOTE = 500

_MAX_REMEMBERED = 5_000

_ALERTNAME, _SEVERITY = "alertname", "severity"


def labels_of(alert: Alert) -> dict[str, str]:
    """What matchers are held against: the alert's labels, its rule and its severity."""
    return alert.labels | {_ALERTNAME: alert.rule, _SEVERITY: alert.severity.value}


def matchers_of(alert: Alert) -> tuple[Matcher, ...]:
    """What fits this alert whenever it comes up, and no alert of another rule or with other labels."""
    # A label that it lacks is one that its sisters have.
    lacking = dict.fromkeys(_grouped_by(alert.expr), "")
    wanted = {**lacking, _ALERTNAME: alert.rule, **alert.labels}
    return tuple(Matcher(name, value) for name, value in sorted(wanted.items()))


def _grouped_by(expr: str) -> set[str]:
    """What a condition is grouped by; nothing where it can no longer be read."""
    try:
        return Condition.parse(expr).labels
    except QueryError:
        return set()


def fits(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether every matcher takes the labels; a label that is not there is the empty string."""
    return all(_takes(matcher, labels.get(matcher.name, "")) for matcher in matchers)


def _takes(matcher: Matcher, value: str) -> bool:
    match matcher.op:
        case "=":
            return _named(matcher.name, value) == matcher.value
        case "!=":
            return _named(matcher.name, value) != matcher.value
        case "=~":
            return _pattern(matcher.value).matches(value)
        case "!~":
            return not _pattern(matcher.value).matches(value)


def _named(label: str, value: str) -> str:
    """A value as it is compared: providers answer to their other names too."""
    return canonical(value) if label == "provider" else value


@lru_cache(maxsize=1_000)
def _pattern(text: str) -> Pattern:
    return Pattern(text)


def written(matcher: Matcher) -> str:
    """A matcher as people write it: `provider="openai"`."""
    escaped = matcher.value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{matcher.name}{matcher.op}"{escaped}"'


def make(
    id: str,
    matchers: Sequence[Matcher],
    ends: Micros,
    who: str,
    note: str = "",
    *,
    starts: Micros | None = None,
    now: Micros,
) -> Silence:
    """A new silence. One that is to begin in the past begins now.

    Raises `UsageError` without a matcher, for a matcher that is none, for matchers that fit every alert,
    and for times that leave it no length or more than ten years.
    """
    starts = now if starts is None else max(starts, now)
    if ends <= now:
        raise UsageError("the silence would be over already", hint="its end must lie in the future")
    if ends <= starts:
        raise UsageError("the silence would end before it begins")
    if ends - now > MAX_LENGTH:
        raise UsageError("the silence is too long", hint="ten years at most; or disable the rule")
    return Silence(id, _checked(matchers), starts, ends, now, clean(who, MAX_NAME), clean(note, MAX_NOTE))


def _checked(matchers: Sequence[Matcher]) -> tuple[Matcher, ...]:
    """The matchers, providers by their canonical names, each once."""
    if not matchers:
        raise UsageError("a silence needs a matcher", hint='like provider="openai"')
    if len(matchers) > MAX_MATCHERS:
        raise UsageError(f"{len(matchers)} matchers are too many", hint=f"{MAX_MATCHERS} at most")
    checked = tuple(dict.fromkeys(_check(matcher) for matcher in matchers))
    if all(_takes(matcher, "") for matcher in checked):
        raise UsageError(
            "the silence would fit every alert",
            hint='one matcher at least must not take the empty value: provider="openai", alertname=~".+"',
        )
    return checked


def _check(matcher: Matcher) -> Matcher:
    name = matcher.name
    if not name or clean(name, MAX_TEXT) != name:
        raise UsageError(f"not a name of a label: {clean(name, 60)!r}")
    if matcher.op in ("=", "!="):
        return replace(matcher, value=_named(name, clean(matcher.value, MAX_TEXT)))
    if len(matcher.value) > MAX_PATTERN:
        raise UsageError(
            f"the regular expression of {name} is too long", hint=f"{MAX_PATTERN} characters at most"
        )
    try:
        _pattern(matcher.value)
    except PatternError as error:
        raise UsageError(f"{name}: not a regular expression: {error}") from None
    return matcher


def end(silence: Silence, now: Micros, who: str) -> Silence:
    """The silence ended by somebody. Raises `MonitorError` where it is over already."""
    if silence.ends <= now:
        raise MonitorError(
            f"silence {silence.id} is over already", hint="see `tui-monitor alerts silences --ended`"
        )
    who = clean(who, MAX_NAME) or UNKNOWN
    return replace(silence, starts=min(silence.starts, now), ends=now, ended_by=who)


class Quiet:
    """Silences that are not over, found quickly by the labels of an alert.

    Each is filed under one label value that it asks for; of those it asks for, the one that fewest others
    are filed under. What fits labels that have been asked for is remembered.
    """

    def __init__(self, silences: Iterable[Silence] = ()) -> None:
        self._silences: dict[str, Silence] = {}
        self._filed: dict[tuple[str, str] | None, dict[str, Silence]] = {}
        self._places: dict[str, tuple[str, str] | None] = {}
        self._fitting: dict[tuple[tuple[str, str], ...], list[Silence]] = {}
        for silence in silences:
            self.add(silence)

    def __len__(self) -> int:
        return len(self._silences)

    def __iter__(self) -> Iterator[Silence]:
        return iter(self._silences.values())

    @property
    def loose(self) -> int:
        """How many ask for no label value, so that all alerts must be held against them."""
        return len(self._filed.get(None, ()))

    def add(self, silence: Silence) -> None:
        """One more."""
        wanted = [(m.name, m.value) for m in silence.matchers if m.op == "=" and m.value]
        place = min(wanted, key=lambda pair: len(self._filed.get(pair, ())), default=None)
        self._silences[silence.id] = silence
        self._places[silence.id] = place
        self._filed.setdefault(place, {})[silence.id] = silence
        for labels, fitting in self._fitting.items():
            if fits(silence.matchers, dict(labels)):
                fitting.append(silence)

    def drop(self, silence_id: str) -> None:
        """One less; no error when it is gone already."""
        if self._silences.pop(silence_id, None) is None:
            return
        self._fitting.clear()
        place = self._places.pop(silence_id)
        self._filed[place].pop(silence_id)
        if not self._filed[place]:
            del self._filed[place]

    def over(self, alert: Alert, now: Micros) -> Silence | None:
        """The silence that keeps an alert quiet at this moment; of several the one that ends last."""
        if not self._silences:
            return None
        labels = labels_of(alert)
        key = tuple(sorted(labels.items()))
        fitting = self._fitting.get(key)
        if fitting is None:
            if len(self._fitting) >= _MAX_REMEMBERED:
                self._fitting.clear()
            fitting = self._fitting[key] = self._look(labels)
        found = (silence for silence in fitting if silence.starts <= now < silence.ends)
        return max(found, key=lambda silence: (silence.ends, silence.id), default=None)

    def _look(self, labels: Mapping[str, str]) -> list[Silence]:
        places = (None, *((name, _named(name, value)) for name, value in labels.items()))
        candidates = (silence for place in places for silence in self._filed.get(place, {}).values())
        return [silence for silence in candidates if fits(silence.matchers, labels)]

    def prune(self, now: Micros) -> None:
        """Forget those that are over."""
        for silence in [silence for silence in self._silences.values() if silence.ends <= now]:
            self.drop(silence.id)

    def next_turn(self, now: Micros) -> Micros | None:
        """When the next of them begins or ends."""
        turns = (turn for s in self._silences.values() for turn in (s.starts, s.ends) if turn > now)
        return min(turns, default=None)

    def in_order(self, now: Micros) -> tuple[Silence, ...]:
        """Those in force or to come, the first to end first."""
        return tuple(
            sorted((s for s in self._silences.values() if s.ends > now), key=lambda s: (s.ends, s.id))
        )
