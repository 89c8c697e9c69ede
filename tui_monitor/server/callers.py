"""Who a request comes from: the token it carries, and what that may do."""

from dataclasses import dataclass
from pathlib import Path

from tui_monitor.model.clock import Clock
from tui_monitor.server.named import DEFAULT, NamedTokens, Used
from tui_monitor.server.roles import Role
from tui_monitor.server.tokens import TokenFile, offered_token


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a token."""

    name: str
    role: Role


class Callers:
    """The tokens that open the TCP door: the default one, and those with names. A change counts at once."""

    def __init__(self, default: Path, named: Path, used: Path, clock: Clock) -> None:
        self._default = TokenFile(default)
        self._named = NamedTokens(named)
        self._used = Used(used)
        self._clock = clock

    def make_default(self) -> None:
        """So that the command that prints it and the door agree from the start. Raises `MonitorError`."""
        self._default.value()

    def who(self, authorization: str) -> Caller | None:
        """Whose token an Authorization header carries; None where it has none, or none that holds.

        Raises `MonitorError` where that cannot be told.
        """
        offered = offered_token(authorization)
        if offered is None:
            return None
        if self._default.is_it(offered):
            caller = Caller(DEFAULT, Role.OPERATE)
        else:
            token = self._named.find(offered)
            if token is None:
                return None
            caller = Caller(token.name, token.role)
        self._used.note(caller.name, self._clock.now())
        return caller

    def write_used(self) -> None:
        """Keep when each was last used; blocks. Raises `MonitorError`."""
        self._used.write()
