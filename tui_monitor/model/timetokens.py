"""The words of which times and ranges of time are made, as people type them: each with its place."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.timerange import parse_duration

DAY_END = time.max
"""How `24:00` is held: the end of a day, later than every time of it."""
LONGEST_TEXT = 120
"""Characters of a text that is read."""
FORMS = "write it like 90m, yesterday 14:00 to 15:30, last monday, march, 3 days ago, or since 9:00"

Kind = Literal["moment", "date", "clock", "length", "number", "word", "dash", "end"]
_SHAPES: tuple[tuple[Kind, str], ...] = (
    ("moment", r"\d{4}-\d{2}-\d{2}t\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:z|[+-]\d{2}:?\d{2})?(?![\w:])"),
    ("date", r"\d{4}-\d{2}-\d{2}(?![\d:])"),
    ("clock", r"\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]m)?(?![\w:])|\d{1,2} ?[ap]m\b"),
    ("length", r"(?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+(?![a-z0-9])"),
    ("number", r"\d+(?:st|nd|rd|th)?(?![a-z0-9])"),
    ("word", r"[a-z]+"),
    ("dash", r"–|—|→|\.\.+|->|-"),
)
_TOKEN = re.compile("|".join(f"(?P<{kind}>{shape})" for kind, shape in _SHAPES), re.IGNORECASE)
_BLANK = re.compile(r"[\s,]*")
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?(?::(\d{2}))? ?([ap]m)?", re.IGNORECASE)


class NotATime(UsageError):
    """No time or range: `length` characters from `position` on are why, or what is missing behind them.

    `unfinished` says that the text may still become one.
    """

    def __init__(self, message: str, position: int, length: int, *, unfinished: bool = False) -> None:
        super().__init__(message, hint=FORMS)
        self.position = position
        self.length = max(1, length)
        self.unfinished = unfinished


@dataclass(frozen=True, slots=True)
class Token:
    """One word; `value` is what it stands for, `text` how it was written, in small letters."""

    kind: Kind
    text: str
    at: int
    value: "datetime | date | time | Micros | str"

    @property
    def stop(self) -> int:
        """The place behind it."""
        return self.at + len(self.text)


def tokens(text: str) -> list[Token]:
    """The words of a text; the last one is its end. Raises `NotATime`."""
    if len(text) > LONGEST_TEXT:
        raise NotATime(f"longer than {LONGEST_TEXT} characters", 0, len(text))
    found: list[Token] = []
    at = _skipped(text, 0)
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or not match.lastgroup:
            size = next((n for n in range(1, len(text) - at) if text[at + n].isspace()), len(text) - at)
            raise NotATime(f"not a time: {text[at : at + size]!r}", at, size)
        kind: Kind = next(kind for kind, _ in _SHAPES if kind == match.lastgroup)
        found.append(_token(kind, match[0].lower(), at))
        at = _skipped(text, match.end())
    return [*found, Token("end", "", len(text.rstrip()), "")]


def _skipped(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _token(kind: Kind, text: str, at: int) -> Token:
    try:
        return Token(kind, text, at, _value(kind, text))
    except (ValueError, OverflowError):
        raise NotATime(f"there is no such {'day' if kind == 'date' else 'time'}", at, len(text)) from None
    except UsageError as error:
        raise NotATime(error.message, at, len(text)) from None


def _value(kind: Kind, text: str) -> "datetime | date | time | Micros | str":
    match kind:
        case "moment":
            return datetime.fromisoformat(text.upper())
        case "date":
            return date.fromisoformat(text)
        case "clock":
            return _clock(text)
        case "length":
            return parse_duration(text)
        case "number":
            return int(text.rstrip("stndrh"))
        case _:
            return text


def _clock(text: str) -> time:
    """`14:00`, `9:30:15`, `2 pm`, `24:00`. Raises `ValueError`."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(text)
    hour, minute, second = (int(part or 0) for part in match.groups()[:3])
    half = match[4]
    if half is not None:
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    if (hour, minute, second) == (24, 0, 0):
        return DAY_END
    return time(hour, minute, second)
