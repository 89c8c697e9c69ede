"""What a receiver gets of counters of calls: numbers that never fall, whatever becomes of the calls.

A number is what was counted up to an instant that is an hour old at least (`base`), and what was booked
since, asked anew each time. So a call that comes late still counts within that hour, and a correction holds;
what comes later, like the import of an old file, is no growth of now, and stays in local answers alone. Where
a correction makes the sum smaller the number stands still until it is made up for, because for a receiver a
counter that falls has begun anew, and all of it would count again.
"""

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tui_monitor.forward.amounts import Amount, added, most, nothing, read
from tui_monitor.forward.queue import Counter
from tui_monitor.model.clock import DAY, HOUR, Micros
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.query.exported import EXPORTED, INTERVAL
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.derived import Form
from tui_monitor.query.result import Labels

SETTLES: Micros = HOUR
"""How late a call may come and still count."""
_MOVES: Micros = 2 * HOUR
"""How far back what was booked is asked for before the base moves on."""
_ENDS: Micros = 7 * DAY
"""A series that did not grow for so long ends; it begins anew where it left off when it grows again."""
_FORGOTTEN: Micros = 400 * DAY
"""For so long it is remembered where it left off, as far as there is room."""
SETTLED = "settled"
"""The mark up to which `base` counts."""

Series = tuple[str, Labels]
"""Name and labels."""


@dataclass(slots=True)
class Sent:
    """What one look gives: points by series, and what is to be remembered with them."""

    points: dict[Series, list[tuple[Micros, Amount]]] = field(default_factory=dict)
    ended: list[Series] = field(default_factory=list)
    changed: dict[str, Counter | None] = field(default_factory=dict)
    settled: Micros = 0
    risen: dict[Series, Amount] = field(default_factory=dict)
    """What was booked until the base moved on, where it did."""
    left_out: int = 0
    """Series for which there was no room."""


class Counters:
    """How far each counter was sent. One thread at a time."""

    def __init__(
        self, engine: LocalEngine, takes: Callable[[str], bool], most: int, known: Mapping[str, Counter],
        settled: Micros | None, *, natives: bool = False, by: Callable[[str], Sequence[str]] | None = None,
        ends: bool = True, cancel: threading.Event | None = None,
    ) -> None:  # fmt: skip
        """`takes` says which names are sent, `most` how many series; the rest is from the queue.

        With `natives`, native histograms are sent beside the classic ones. `by` says for a name which labels
        its series have, `le` aside; they keep all of them where it is not given. Series that rest end where
        `ends`, else only where there is no room for others. Once `cancel` is set, a look ends with
        `QueryCancelled`.
        """
        self._engine = engine
        self._by = by
        self._cancel = cancel
        self._names = [n for n, e in EXPORTED.items() if (natives or e.form is not Form.NATIVE) and takes(n)]
        self._most = most
        self._ends = ends
        names = set(self._names)
        self._known = {
            series: state for text, state in known.items() if (series := _series(text))[0] in names
        }
        self._dropped = [text for text in known if _series(text)[0] not in names]
        """Of names that are not sent any more."""
        self._settled = settled
        self._texts = {_series(text): text for text in known}
        self._ended = _how_many_ended(self._known)

    def look(self, at: Micros) -> Sent:
        """All counters at an instant (µs) on the grid of `INTERVAL`. Raises `QueryError` and `StoreError`.

        Nothing is taken over before `keep`: a look that was not queued is as if it had not been.
        """
        if self._settled is None:
            return self._first(at)
        sent = Sent(settled=self._settled, changed=dict.fromkeys(self._dropped))
        moved = self._moved(sent, at) if at >= sent.settled else self._set_back(sent, at)
        grown = self._grown(sent.settled, at)
        # What was booked while nobody looked is growth too, though the base has moved on behind it.
        risen = {series: more for series, more in sent.risen.items() if series not in moved}
        fresh = dict.fromkeys((*risen, *(series for series in grown if series not in moved)))
        totals = self._totals(sorted({name for name, _ in fresh}), sent.settled) if fresh else {}
        for series, state in moved.items():
            self._go_on(sent, series, state, grown.get(series), at)
        for series in fresh:
            more = grown.get(series)
            base = totals.get(series, nothing(risen[series] if more is None else more))
            before = added(base, risen.get(series), -1)
            value = added(base, more)
            # A receiver sees growth only from one sample to the next.
            self._add(sent, series, Counter(base, value, at), [(at - INTERVAL, before), (at, value)])
        return sent

    def _first(self, at: Micros) -> Sent:
        """All that there is: what was before is no growth of now."""
        # From a full hour on little is to be read: its sums are there.
        sent = Sent(settled=(at - SETTLES) // HOUR * HOUR)
        totals = self._totals(self._names, sent.settled)
        grown = self._grown(sent.settled, at)
        for series in dict.fromkeys((*totals, *grown)):
            more = grown.get(series)
            base = totals[series] if more is None else totals.get(series, nothing(more))
            value = added(base, more)
            self._add(sent, series, Counter(base, value, at), [(at, value)])
        return sent

    def _set_back(self, sent: Sent, at: Micros) -> dict[Series, Counter]:
        """The clock was ahead, and is right again: what was sent stands, and counting goes on from there.

        What was booked by the right time before the last look counts already, as far as that can be known.
        """
        sent.settled = at - SETTLES
        counted = self._grown(sent.settled, at - 2 * INTERVAL)
        moved = {
            series: Counter(added(state.last, counted.get(series), -1), state.last, min(state.grown, at))
            for series, state in self._known.items()
        }
        sent.changed |= {self._text(series): state for series, state in moved.items()}
        return moved

    def keep(self, sent: Sent) -> None:
        """Take a look over, once it is queued."""
        self._settled = sent.settled
        self._dropped = []
        for text, state in sent.changed.items():
            series = _series(text)
            if state is None:
                self._known.pop(series, None)
                self._texts.pop(series, None)
            else:
                self._known[series] = state
        self._ended = _how_many_ended(self._known)

    def _moved(self, sent: Sent, at: Micros) -> dict[Series, Counter]:
        """The counters as they are, their bases moved on where it is time."""
        if at - sent.settled < _MOVES:
            return dict(self._known)
        until = (at - SETTLES) // HOUR * HOUR
        risen = sent.risen = self._grown(sent.settled, until)
        sent.settled = until
        moved: dict[Series, Counter] = {}
        for series, state in self._known.items():
            more = risen.get(series)
            moved[series] = Counter(added(state.base, more), state.last, state.grown) if more else state
            if more:
                sent.changed[self._text(series)] = moved[series]
        return moved

    def _go_on(self, sent: Sent, series: Series, state: Counter, grown: Amount | None, at: Micros) -> None:
        value, text = most(state.last, added(state.base, grown)), self._text(series)
        if value != state.last:
            before: list[tuple[Micros, Amount]] = [(at - INTERVAL, state.last)] if state.ended else []
            sent.changed[text] = Counter(state.base, value, at)
            sent.points[series] = [*before, (at, value)]
        elif state.ended:
            if at - state.ended >= _FORGOTTEN:
                sent.changed[text] = None
        elif at - state.grown >= _ENDS and (self._ends or len(self._known) - self._ended >= self._most):
            room = self._ended + len(sent.ended) < self._most
            sent.changed[text] = Counter(state.base, value, -at) if room else None
            sent.ended.append(series)
        else:
            sent.points[series] = [(at, value)]

    def _add(self, sent: Sent, series: Series, state: Counter, points: list[tuple[Micros, Amount]]) -> None:
        if len(sent.points) >= self._most:
            sent.left_out += 1
            return
        sent.points[series] = points
        sent.changed[self._text(series)] = state

    def _grown(self, since: Micros, until: Micros) -> dict[Series, Amount]:
        """What was booked in (since, until], by series."""
        if until <= since:
            return {}
        return self._asked(self._names, until, since)

    def _totals(self, names: Iterable[str], at: Micros) -> dict[Series, Amount]:
        """What was counted from the first stored call on, by series."""
        return self._asked(names, at, None)

    def _asked(self, names: Iterable[str], until: Micros, since: Micros | None) -> dict[Series, Amount]:
        by = {name: None if self._by is None else self._by(name) for name in names}
        return {
            series: read(value) if isinstance(value, NativeHistogram) else value
            for series, value in self._engine.counters(by, until, since, cancel=self._cancel).items()
        }

    def _text(self, series: Series) -> str:
        """The series as the queue knows it."""
        known = self._texts.get(series)
        if known is None:
            known = self._texts[series] = json.dumps([series[0], *map(list, series[1])])
        return known


def _how_many_ended(known: Mapping[Series, Counter]) -> int:
    return sum(state.ended > 0 for state in known.values())


def _series(text: str) -> Series:
    name, *labels = json.loads(text)
    return name, tuple((label, value) for label, value in labels)
