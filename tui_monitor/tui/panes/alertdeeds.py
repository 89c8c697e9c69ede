"""What was done to alerts from this screen, so that it can be taken back."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tui_monitor.model.alert import Alert, AlertsView, Silence
from tui_monitor.model.states import AlertState
from tui_monitor.tui.panes.alertlines import matcher_words

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Monitor

_KEPT = 50


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that can be taken back: an acknowledgement, or a silence where `silence` says which."""

    alert: str = ""
    silence: str = ""
    undone: str = ""
    """What is said once it is taken back."""

    @classmethod
    def acknowledged(cls, alert: Alert) -> Self:
        """Somebody took care of an alert."""
        return cls(alert=alert.id, undone=f"{alert.rule} is nobody's again")

    @classmethod
    def silenced(cls, silence: Silence) -> Self:
        """Somebody made a silence."""
        return cls(silence=silence.id, undone=f"no silence any more: {matcher_words(silence.matchers)}")

    @classmethod
    def of(cls, alert: Alert, view: AlertsView) -> Self | None:
        """What can be taken back of an alert: its silence, else its acknowledgement."""
        if alert.state is AlertState.SILENCED:
            silence = next((one for one in view.silences if one.id == alert.silenced_by), None)
            if silence is not None:
                return cls.silenced(silence)
        return cls.acknowledged(alert) if alert.acked_at is not None and alert.open else None

    async def undo(self, monitor: "Monitor", who: str) -> None:
        """Take it back. Raises `MonitorError`."""
        if self.silence:
            await monitor.unsilence(self.silence, who)
        else:
            await monitor.unacknowledge(self.alert, who)


class Deeds:
    """The deeds of this screen, the newest last."""

    def __init__(self) -> None:
        self._deeds: list[Deed] = []

    def add(self, deed: Deed) -> None:
        """It was done."""
        self.forget(deed)
        self._deeds = [*self._deeds, deed][-_KEPT:]

    def forget(self, deed: Deed) -> None:
        """It was taken back."""
        self._deeds = [d for d in self._deeds if (d.alert, d.silence) != (deed.alert, deed.silence)]

    def last(self) -> Deed | None:
        """The newest one that was not taken back."""
        return self._deeds[-1] if self._deeds else None
