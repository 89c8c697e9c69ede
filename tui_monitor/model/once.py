"""Something that is to be done once, however often it is asked for."""

import secrets
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Once:
    """The name of one act. Who asks for it again under the same name gets the first answer, and no more
    is done: so that it may be asked again where the first answer was lost.
    """

    key: str
    """Of this act and no other."""
    body: str = ""
    """What was asked, in short: the same name must not come with another."""

    @classmethod
    def new(cls) -> "Once":
        """A name that nobody has given yet."""
        return cls(secrets.token_hex(16))
