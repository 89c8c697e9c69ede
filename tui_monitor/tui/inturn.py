"""Keys one after the other: each when what the one before brought is there.

The toolkit gives all keys that have come to whatever has the focus at that moment, and acts on them later.
What comes in one piece, from a quick hand over a slow line or from a script, would reach the pane in place of
the dialog that its first key opens: of `:range 2h`, all but the colon would be commands.
"""

import asyncio
from collections import deque
from typing import Any

from textual.app import App
from textual.events import Event, Key, Paste

_MOST = 4_096
"""Keys that may wait; nobody types ahead that far."""
_LONGEST_S = 1.0
"""How long a key waits for the one before, which may have begun something that does not end."""
_PATIENCE_S = 0.1
"""The same once that has been acted on, and what follows from it may be no end of news."""
_QUIET = 2
"""Turns of the loop with nothing left to do, after which a key has done all that it does."""


class InTurn(App[None], inherit_bindings=False):
    """An app that takes a key or a paste when the one before is done."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        self._keys_ahead: deque[Key | Paste] = deque()
        """What was typed ahead, without the one whose turn it is."""
        self._key_now: Key | Paste | None = None
        self._key_done = True
        """Whether it has been acted on; more may follow from that."""
        self._key_begun = True
        """Whether its turn has come: before, it lies with the app, which may be at work on another one."""
        self._taking_turns: asyncio.Task[None] | None = None

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key | Paste):
            await super().on_event(event)
        elif event.is_forwarded:
            # Nobody below took it, so that it is a command.
            await super().on_event(event)
            self._key_done = self._key_done or event is self._key_now
        elif event is self._key_now or (self._taking_turns is None and self._acted and self._nothing_left):
            self._key_now, self._key_done, self._key_begun = event, False, True
            await super().on_event(event)
            self._key_done = self._key_done or not event.is_forwarded
        elif len(self._keys_ahead) < _MOST:
            self._keys_ahead.append(event)
            if self._taking_turns is None:
                self._taking_turns = asyncio.create_task(self._in_turn(), name="keys in turn")

    async def _in_turn(self) -> None:
        try:
            while self._keys_ahead and self.is_running:
                await self._rest()
                self._key_now, self._key_done = self._keys_ahead.popleft(), False
                self._key_begun = False
                # What the app does not take will never begin.
                self._key_begun = not self.post_message(self._key_now)
        finally:
            self._taking_turns = None

    async def _rest(self) -> None:
        """Wait until what has its turn is done with."""
        now = asyncio.get_running_loop().time
        begun, acted, quiet = now(), None, 0
        while (
            quiet < _QUIET and now() - begun < _LONGEST_S and (acted is None or now() - acted < _PATIENCE_S)
        ):
            # The toolkit tells nobody.
            await asyncio.sleep(0 if quiet else 0.001)
            if not self._key_begun:
                begun = now()
                continue
            acted = acted or (now() if self._acted else None)
            quiet = quiet + 1 if acted is not None and self._nothing_left else 0

    @property
    def _acted(self) -> bool:
        """Whether the key that has its turn has been acted on, and the screen that it brought is there."""
        taken = self._key_now is not None and self._key_now._stop_propagation
        return (self._key_done or taken) and (not self.screen_stack or self.screen._mounted_event.is_set())

    @property
    def _nothing_left(self) -> bool:
        """Whether no message lies about where keys go."""
        focused = self.screen.focused if self.screen_stack else None
        nodes = [self] if focused is None else focused.ancestors_with_self
        return not any(node.message_queue_size for node in nodes)
