"""What people do to a collector that runs elsewhere: sent over HTTP, and done once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_monitor.model.once import Once
from tui_monitor.monitor.connection import Connection, read_as, segment

if TYPE_CHECKING:
    from tui_monitor.model.alert import Alert, Matcher, Silence
    from tui_monitor.model.clock import Micros
    from tui_monitor.monitor.api import Reloaded


class RemoteActions:
    """The acting half of `Monitor`. Every act has a name of its own, which the caller may choose: under it
    it may be asked for again, where the answer was lost. All raise `MonitorError`.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def acknowledge(
        self, alert_id: str, who: str, note: str = "", *, once: Once | None = None
    ) -> "Alert":
        """Say that somebody takes care of an alert."""
        return await self._alert(alert_id, "ack", {"who": who, "note": note}, once)

    async def unacknowledge(self, alert_id: str, who: str, *, once: Once | None = None) -> "Alert":
        """Take an acknowledgement back."""
        return await self._alert(alert_id, "unack", {"who": who}, once)

    async def silence(
        self,
        matchers: "Sequence[Matcher]",
        ends: "Micros",
        who: str,
        note: str = "",
        *,
        starts: "Micros | None" = None,
        once: Once | None = None,
    ) -> "Silence":
        """Keep the alerts quiet that all matchers fit."""
        from tui_monitor.model.alert import Silence
        from tui_monitor.model.clock import iso

        body = {
            "matchers": [{"name": m.name, "op": m.op, "value": m.value} for m in matchers],
            "ends": iso(ends),
            "who": who,
            "note": note,
        }
        if starts is not None:
            body["starts"] = iso(starts)
        data = await self._connection.data("POST", "/monitor/v1/silences", json=body, once=once or Once.new())
        return read_as(Silence, data)

    async def unsilence(self, silence_id: str, who: str, *, once: Once | None = None) -> "Silence":
        """End a silence now."""
        from tui_monitor.model.alert import Silence

        path = f"/monitor/v1/silences/{segment(silence_id)}"
        data = await self._connection.data("DELETE", path, params={"who": who}, once=once or Once.new())
        return read_as(Silence, data)

    async def undo_import(self, batch_id: str, *, once: Once | None = None) -> int:
        """Take an import back; the number of calls taken out."""
        path = f"/monitor/v1/imports/{segment(batch_id)}"
        return (await self._connection.data("DELETE", path, once=once or Once.new()))["calls"]

    async def pause_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a source wait until it is resumed."""
        await self._source(name, "pause", who, once)

    async def resume_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a paused source go on, or try a failed one again at once."""
        await self._source(name, "resume", who, once)

    async def reload(self, *, once: Once | None = None) -> "Reloaded":
        """Let it read its configuration again. Raises `UsageError` where that is wrong."""
        from tui_monitor.monitor.api import Reloaded

        data = await self._connection.data("POST", "/monitor/v1/reload", once=once or Once.new())
        return read_as(Reloaded, data)

    async def _source(self, name: str, what: str, who: str, once: Once | None) -> None:
        path = f"/monitor/v1/sources/{segment(name)}/{what}"
        await self._connection.ask("POST", path, json={"who": who}, once=once or Once.new())

    async def _alert(self, alert_id: str, what: str, body: dict[str, str], once: Once | None) -> "Alert":
        from tui_monitor.model.alert import Alert

        path = f"/monitor/v1/alerts/{segment(alert_id)}/{what}"
        return read_as(Alert, await self._connection.data("POST", path, json=body, once=once or Once.new()))
