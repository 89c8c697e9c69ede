"""The calls that the Calls pane holds: a window on a list without end.

It is made of pages. Below the last one the next is asked for. Where there are too many, those at the other
end go, and it is kept where they began, so that going back brings them again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Micros
from tui_monitor.query.result import After, CallList

PAGE = 200
"""Calls of a page."""
PAGES = 10
"""Pages that are held."""
_REMEMBERED = 10_000
"""Pages that went at the top, and can be had again."""

_ALL = 10**12 - 1
"""Greater than the number of any call."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some calls that follow each other, the newest first."""

    start: After | None
    """Behind what they come; none for the newest there are."""
    found: CallList

    @property
    def calls(self) -> tuple[Call, ...]:
        """They themselves."""
        return self.found.calls


class Tail:
    """The pages held, the newest first."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.begins: Micros | None = None
        """Where the time range that is shown begins; older calls lie below it."""
        self._above: list[After | None] = []
        self.waiting = False
        """Whether newer calls are there that are not in the list."""

    def __iter__(self) -> Iterator[Call]:
        """The calls, each once."""
        told: set[tuple[str, str]] = set()
        for page in self.pages:
            for call in page.calls:
                key = call.source, call.source_key
                if key not in told:
                    told.add(key)
                    yield call

    @property
    def on_top(self) -> bool:
        """Whether the newest page is held."""
        return not self._above

    @property
    def first(self) -> CallList | None:
        """The newest page's answer."""
        return self.pages[0].found if self.pages else None

    def begin(self, found: CallList) -> None:
        """Hold this page of the newest and no other."""
        self.pages, self._above, self.waiting = [Page(None, found)], [], False
        self.begins = found.span.start

    def grow(self, found: CallList) -> None:
        """Put new calls above those that are held, if there is no gap between them and not too many."""
        if not self.pages or not self.on_top:
            self.waiting = bool(self.pages) and self._newer(found)
            if not self.pages:
                self.begin(found)
            return
        top = self.pages[0]
        known = {(call.source, call.source_key) for call in top.calls}
        fresh = tuple(call for call in found.calls if (call.source, call.source_key) not in known)
        joined = len(fresh) < len(found.calls) or not top.calls
        if not joined or len(top.calls) + len(fresh) > PAGE * PAGES:
            self.waiting = True
            return
        newest = {(call.source, call.source_key): call for call in found.calls}
        kept = tuple(newest.get((call.source, call.source_key), call) for call in top.calls)
        after = top.found.after if top.calls else found.after
        self.pages[0] = Page(None, replace(found, calls=(*fresh, *kept), after=after))
        self.waiting = False

    def _newer(self, found: CallList) -> bool:
        first = next(iter(self), None)
        return first is not None and bool(found.calls) and found.calls[0].booked > first.booked

    # Further down, and back up.

    def below(self) -> After | None:
        """Where the next page begins; behind the shown range it goes on before it. None at the end of all."""
        if not self.pages:
            return None
        last = self.pages[-1]
        if last.found.after is not None:
            return last.found.after
        begins = last.found.span.start
        return After(begins, _ALL) if begins > 0 else None

    def append(self, start: After, found: CallList) -> None:
        """Hold a page below the others."""
        self.pages.append(Page(start, found))
        if len(self.pages) > PAGES:
            gone = self.pages.pop(0)
            start_again = gone.start or (After(gone.calls[0].booked, _ALL) if gone.calls else None)
            self._above = [*self._above[-_REMEMBERED:], start_again]

    def above(self) -> After | None:
        """Where the page begins that went last at the top."""
        return self._above[-1] if self._above else None

    def prepend(self, found: CallList) -> None:
        """Hold again the page that went last at the top."""
        self.pages.insert(0, Page(self._above.pop(), found))
        del self.pages[PAGES:]
