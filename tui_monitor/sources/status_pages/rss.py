"""RSS and Atom feeds of incidents, read without trust: no document type, no entities, nothing endless."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NoReturn
from xml.parsers import expat

from tui_monitor.model.clock import DAY, Micros, from_datetime
from tui_monitor.model.text import clean
from tui_monitor.sources.status_pages.word import (
    DEGRADED,
    MAINTENANCE,
    MAJOR,
    OPERATIONAL,
    PARTIAL,
    Incident,
    Unreadable,
    Word,
    matches,
    word,
)

_ITEMS, _DEPTH, _TEXT = 200, 50, 20_000
_KEPT = 3 * DAY
"""An item that nobody closed is believed so long."""
_TAGS = re.compile(r"<[^<>]{0,500}>")
_OVER = re.compile(
    r"\bresolved\b|operating normally|\bcompleted\b|back to normal|fully recovered|no longer|\bfixed\b", re.I
)
_NOT_YET = re.compile(r"\b(?:not|isn't|hasn't|partially|being|until|once|to be)\b[^.]{0,20}$", re.I)
_BEFORE = 40
"""Characters in front of such a word in which `_NOT_YET` is looked for."""
_LEVELS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"maintenance", re.I), MAINTENANCE),
    (re.compile(r"informational|post-?mortem", re.I), OPERATIONAL),
    (re.compile(r"partial|some (?:users|requests)|intermittent", re.I), PARTIAL),
    (re.compile(r"outage|\bdown\b|unavailable|disruption", re.I), MAJOR),
)


@dataclass(slots=True)
class Item:
    """One entry of a feed."""

    fields: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its title as plain text."""
        return plain(self.fields.get("title", ""))

    @property
    def body(self) -> str:
        """What it says, as plain text."""
        return plain(
            " ".join(self.fields.get(n, "") for n in ("status", "description", "summary", "content"))
        )

    @property
    def at(self) -> Micros | None:
        """When it was last changed, µs UTC."""
        for name in ("updated", "pubdate", "date", "published"):
            found = moment(self.fields.get(name, ""))
            if found is not None:
                return from_datetime(found)
        return None


def read(data: bytes, patterns: Sequence[str], base: str, now: Micros) -> Word:
    """The word of a feed at `now` (µs UTC): its newest item of each incident, if that is open.

    Raises `Unreadable`.
    """
    found: dict[str, Item] = {}
    for item in items(data):
        # Feeds that add an item for each update give them one title or one link; the first is the newest.
        key = item.fields.get("link") or item.title
        newest = found.setdefault(key, item)
        if (item.at or 0) > (newest.at or 0):
            found[key] = item
    incidents = [
        Incident(_level(item), item.title, item.fields.get("link") or base)
        for item in found.values()
        if _open(item, now) and (not patterns or matches(f"{item.title} {item.body}", patterns))
    ]
    return word(OPERATIONAL, incidents, {}, False)


def items(data: bytes) -> list[Item]:
    """The items of a feed, in its order. Raises `Unreadable` for what is no feed or is not harmless."""
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise Unreadable(f"no XML: {expat.errors.messages.get(error.code, 'broken')}") from None
    except (ValueError, LookupError):
        # An encoding that nobody knows.
        raise Unreadable("no XML that can be read") from None
    if not reader.feed:
        raise Unreadable("XML, but no feed")
    return reader.items


def plain(text: str) -> str:
    """Text without the markup that feeds put into it."""
    return clean(_TAGS.sub(" ", text[:_TEXT]).replace("&nbsp;", " ").replace("&amp;", "&"), 2_000)


def moment(text: str) -> datetime | None:
    """A date of RFC 822 or RFC 3339; without a zone it is UTC."""
    text = text.strip()[:64]
    found = None
    with suppress(ValueError, OverflowError):
        found = datetime.fromisoformat(text)
    if found is None:
        with suppress(ValueError, TypeError, IndexError, OverflowError):
            found = parsedate_to_datetime(text)
    if found is None:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class _Reader:
    """Gathers items while the document is read."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.feed = False
        self._path: list[str] = []
        self._item: Item | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = _local(name)
        if not self._path:
            self.feed = name in ("rss", "feed", "rdf")
        self._path.append(name)
        if len(self._path) > _DEPTH:
            raise Unreadable("XML that is too deep")
        if name in ("item", "entry"):
            self._item = Item()
        elif self._item is not None and name == "link" and "href" in attributes:
            self._item.fields.setdefault("link", attributes["href"])

    def end(self, name: str) -> None:
        if self._path.pop() in ("item", "entry") and self._item is not None:
            if len(self.items) < _ITEMS:
                self.items.append(self._item)
            self._item = None

    def text(self, text: str) -> None:
        if self._item is None or not text:
            return
        fields, name = self._item.fields, self._path[-1]
        before = fields.get(name, "")
        if len(before) < _TEXT and len(fields) < 40:
            fields[name] = (before + text)[:_TEXT].lstrip()


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()


def _refuse(*_: object) -> NoReturn:
    raise Unreadable("XML with a document type or entities")


def _open(item: Item, now: Micros) -> bool:
    if item.at is not None and not now - _KEPT < item.at <= now + DAY:
        return False
    return not any(_said_over(text) for text in (item.title, item.body))


def _said_over(text: str) -> bool:
    """Whether it says that it is over, and not that it is not yet."""
    return any(
        not _NOT_YET.search(text[max(0, match.start() - _BEFORE) : match.start()])
        for match in _OVER.finditer(text)
    )


def _level(item: Item) -> int:
    for part in (item.title, item.body):
        level = next(_found(part), None)
        if level is not None:
            return level
    return DEGRADED


def _found(text: str) -> Iterator[int]:
    return (level for pattern, level in _LEVELS if pattern.search(text))
