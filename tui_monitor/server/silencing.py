"""Alerts and silences over HTTP: one alert with its history, who takes care of it, and what is kept quiet."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from starlette.requests import Request

from tui_monitor.model.alert import Alert, Change, Matcher, Silence
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import parse_duration
from tui_monitor.server import params
from tui_monitor.server.controls import By
from tui_monitor.server.declare import Group, delete, get, post
from tui_monitor.server.named_acts import KEY, REUSED, once_of
from tui_monitor.server.needs import Need
from tui_monitor.server.params import Body, Flag, Moment, Text

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

ID = Text(
    name="id", key="alert_id", about="The alert's id, or any beginning of it that no other has.", place="path"
)
_SILENCE = Text(
    name="id",
    key="silence_id",
    about="The silence's id, or any beginning of it that no other has.",
    place="path",
)
_ENDED = Flag(name="ended", about="Those of the last 30 days as well.")
_WHO = Text(name="who", about="Who ends it; the token's name unless given.", default="", example="ada")
_NOT_NOW = {422: f"The alert is not in a state in which this can be done. {REUSED}"}


@dataclass(frozen=True, slots=True)
class Told:
    """One alert and everything that happened to it."""

    alert: Alert
    history: list[Change]
    """Oldest first."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Who takes care of an alert."""

    who: str = ""
    """A person's name; the token's unless given."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class NewSilence:
    """What is to be kept quiet, and until when: by `ends`, or by `for`."""

    matchers: list[Matcher]
    """All must fit."""
    ends: Moment | None = None
    length: Annotated[str, Field(alias="for")] = ""
    """Like `2h`."""
    starts: Moment | None = None
    """Now unless given."""
    who: str = ""
    """A person's name; the token's unless given."""
    note: str = ""


class Silencing:
    """Routes about alerts and what keeps them quiet."""

    def __init__(self, collector: "Collector") -> None:
        self._collector = collector
        self._monitor = collector.monitor

    @get("/monitor/v1/alerts/{id}", Need.READ, Group.ALERTS, Told, params=(ID,))
    async def alert(self, alert_id: str) -> Told:
        """One alert, with its history."""
        alert = await self._monitor.alert(alert_id)
        return Told(alert, await self._monitor.history(alert.id))

    @post(
        "/monitor/v1/alerts/{id}/ack", Need.OPERATE, Group.ALERTS, Alert,
        params=(ID, KEY), body=Body(Taken, {"who": "ada", "note": "on it"}), errors=_NOT_NOW,
    )  # fmt: skip
    async def acknowledge(self, alert_id: str, key: str | None, body: Taken, request: Request) -> Alert:
        """Say that somebody takes care of an alert."""
        who, once = params.who(request, body.who), await once_of(request, key)
        return await self._monitor.acknowledge(alert_id, who, clean(body.note, 500), once=once)

    @post(
        "/monitor/v1/alerts/{id}/unack", Need.OPERATE, Group.ALERTS, Alert,
        params=(ID, KEY), body=Body(By, {"who": "ada"}), errors=_NOT_NOW,
    )  # fmt: skip
    async def unacknowledge(self, alert_id: str, key: str | None, body: By, request: Request) -> Alert:
        """Take an acknowledgement back."""
        who, once = params.who(request, body.who), await once_of(request, key)
        return await self._monitor.unacknowledge(alert_id, who, once=once)

    @get("/monitor/v1/silences", Need.READ, Group.ALERTS, list[Silence], params=(_ENDED,))
    async def silences(self, ended: bool) -> list[Silence]:
        """Silences in force and to come."""
        return await self._monitor.silences(ended=ended)

    @post(
        "/monitor/v1/silences", Need.OPERATE, Group.ALERTS, Silence, params=(KEY,),
        body=Body(
            NewSilence,
            {
                "matchers": [{"name": "provider", "op": "=", "value": "openai"}],
                "for": "2h", "who": "ada", "note": "they know",
            },
            required=True,
        ),
    )  # fmt: skip
    async def create(self, key: str | None, body: NewSilence, request: Request) -> Silence:
        """Keep the alerts quiet that all matchers fit."""
        who, note = params.who(request, body.who), clean(body.note, 500)
        ends, once = self._ends(body), await once_of(request, key)
        return await self._monitor.silence(body.matchers, ends, who, note, starts=body.starts, once=once)

    @delete(
        "/monitor/v1/silences/{id}", Need.OPERATE, Group.ALERTS, Silence,
        params=(_SILENCE, _WHO, KEY), errors={422: f"The silence is over already. {REUSED}"},
    )  # fmt: skip
    async def end(self, silence_id: str, who: str, key: str | None, request: Request) -> Silence:
        """End a silence now."""
        return await self._monitor.unsilence(
            silence_id, params.who(request, who), once=await once_of(request, key)
        )

    def _ends(self, new: NewSilence) -> Micros:
        if new.ends is not None:
            return new.ends
        if not new.length:
            raise params.bad("a silence needs an end", 'give "ends", a time, or "for", like "2h"')
        try:
            begin = self._collector.clock.now() if new.starts is None else new.starts
            return begin + parse_duration(new.length)
        except UsageError as error:
            raise params.bad(f"for: {error.message}", error.hint) from error
