"""The banner that asks what may be used. It stands above the pane and answers keys while it has the focus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import ClassVar

from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from tui_monitor.model.text import clean
from tui_monitor.model.units import count
from tui_monitor.monitor.consent import ITEMS, Asking, Billing, Item
from tui_monitor.tui.dialogkeys import bindings
from tui_monitor.tui.drawing import Span, safe, shorten
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.widgets.base import Drawn
from tui_monitor.tui.widgets.keyline import key_line
from tui_monitor.tui.widgets.lines import Line

_TITLES: Mapping[Item, str] = {
    "agent_logs": "agent logs", "provider_keys": "provider keys", "status_pages": "status pages",
}  # fmt: skip
_NEXT: Mapping[bool | None, bool | None] = {None: True, True: False, False: None}
_WORDS: Mapping[bool | None, str] = {None: "not now", True: "allow", False: "never"}
_TOKENS: Mapping[bool | None, str] = {None: "off", True: "ok", False: "crit"}
MOST = 5
"""Agents that are asked about one by one on the screen at a time."""


@dataclass(slots=True)
class Form:
    """Questions and the answers so far; the cursor stands on one of them."""

    asking: Asking
    answers: dict[Item, bool | None] = field(default_factory=dict)
    billing: dict[str, Billing] = field(default_factory=dict)
    cursor: int = 0

    def __post_init__(self) -> None:
        self.answers = {item: self.asking.given[item] for item in ITEMS if self.asking.there(item)}
        known = self.asking.billing
        self.billing = {agent.name: known.get(agent.name, "subscription") for agent in self.asking.paid}

    @property
    def rows(self) -> list[Item | str]:
        """What can be changed, from above: items, and below the logs each agent whose pay is asked."""
        rows: list[Item | str] = []
        for item in self.answers:
            rows.append(item)
            if item == "agent_logs" and self.answers[item]:
                rows += self.billing
        return rows

    def move(self, step: int) -> None:
        """The cursor goes on by so many rows and stops at the ends."""
        self.cursor = min(max(0, self.cursor + step), len(self.rows) - 1)

    def change(self, row: "Item | str") -> None:
        """The next answer of a row."""
        for item in ITEMS:
            if row == item and item in self.answers:
                self.answers[item] = _NEXT[self.answers[item]]
        if row in self.billing:
            self.billing[row] = "api" if self.billing[row] == "subscription" else "subscription"
        self.cursor = self.rows.index(row) if row in self.rows else self.cursor

    def all(self, answer: bool) -> None:
        """The same answer for everything."""
        self.answers = dict.fromkeys(self.answers, answer)


class ConsentBanner(Drawn, can_focus=True):
    """Draws a form, and posts what the person decided."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("consent")
    DEFAULT_CSS = """
    ConsentBanner { width: 1fr; height: auto; max-height: 80%; }
    """

    class Decided(Message):
        """The person is done: with answers to keep, or none for now."""

        def __init__(self, form: Form | None) -> None:
            super().__init__()
            self.form = form

    def __init__(self, form: Form) -> None:
        super().__init__(id="consent")
        self.form = form
        self._trouble: Sequence[Span] = ()

    def tell(self, trouble: Sequence[Span]) -> None:
        """Say below what could not be done: lines, wrapped where room is short."""
        self._trouble = trouble
        self.refresh(layout=True)

    # Drawing.

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines())

    def draw(self, y: int) -> Strip:
        width, lines = self.size.width, self._lines()
        if y >= len(lines):
            return self.blank(width)
        spans = [(safe(text, self.glyphs), token) for text, token in lines[y].left]
        return self.strip(shorten(spans, width, self.glyphs), width)

    def _lines(self) -> list[Line]:
        head: tuple[Span, ...] = (
            (" FOUND HERE", "accent bold"),
            ("  nothing is used or leaves this machine unless you allow it", "dim"),
        )
        rows = self.form.rows
        first = max(0, min(self.form.cursor - MOST, len(rows) - MOST - len(ITEMS)))
        shown = list(enumerate(rows))[first : first + MOST + len(ITEMS)]
        return [Line(head), *(self._row(n, row) for n, row in shown), *self._wrapped(), self._keys()]

    def _row(self, number: int, row: "Item | str") -> Line:
        here = self.has_focus and number == self.form.cursor
        mark: Span = (f" {self.glyphs.cursor if here else ' '} ", "accent bold")
        for item in ITEMS:
            if row == item:
                answer = self.form.answers[item]
                state = f"{self.glyphs.state(_TOKENS[answer])} {_WORDS[answer]:<9}"
                return Line(
                    (
                        mark, (self._key(item), "accent bold"), (f"  {state}", _TOKENS[answer]),
                        (f"{_TITLES[item]:<15}", "bright"), (self._what(item), "dim"),
                    )
                )  # fmt: skip
        title = next((a.title for a in self.form.asking.paid if a.name == row), str(row))
        paid, other = self.form.billing[row], "by the token (api)"
        words = "by subscription" if paid == "subscription" else other
        return Line((mark, (f"   {'':<11}", ""), (f"{clean(title, 20)} is paid ", "dim"), (words, "bright")))

    def _what(self, item: Item) -> str:
        offers = self.form.asking.offers
        match item:
            case "agent_logs":
                found = (f"{a.title} ({count(a.files)}{'+' if a.more else ''})" for a in offers.agents)
                return f"{', '.join(found)}: counts and costs, never text"
            case "provider_keys":
                return f"{', '.join(name for name, _ in offers.keys)}: probes that cost nothing"
            case "status_pages":
                return f"{', '.join(offers.pages)}: incidents they report"

    def _wrapped(self) -> list[Line]:
        room = max(20, self.app.size.width - 4)
        return [
            Line.of(f" {part}", token)
            for text, token in self._trouble
            for part in wrap(text, room, drop_whitespace=False) or [""]
        ]

    def _keys(self) -> Line:
        if not self.has_focus:
            key = keymap_of(self.app).key("consent")
            return Line(
                ((f" {key}", "accent bold"), (" answers", "dim"), ("   or leave it for later", "dim"))
            )
        own = (f"dialog.consent.{id}" for id in ("turn", "all", "none", "save", "later"))
        return key_line(keymap_of(self.app), *((id, "") for id in own))

    def _key(self, item: Item) -> str:
        return keymap_of(self.app).key(f"dialog.consent.{item}")

    # Keys.

    def _changed(self) -> None:
        self._trouble = ()
        self.refresh(layout=True)

    def action_change(self, row: str) -> None:
        """The next answer of one item."""
        self.form.change(row)
        self._changed()

    def action_turn(self) -> None:
        """The next answer of the row under the cursor."""
        self.form.change(self.form.rows[self.form.cursor])
        self._changed()

    def action_move(self, step: int) -> None:
        """The cursor goes up or down."""
        self.form.move(step)
        self._changed()

    def action_all(self, answer: bool) -> None:
        """One answer for everything."""
        self.form.all(answer)
        self._changed()

    def action_save(self) -> None:
        """Keep the answers."""
        self.post_message(self.Decided(self.form))

    def action_later(self) -> None:
        """Keep nothing; the question comes again at the next start."""
        self.post_message(self.Decided(None))
