"""Acts that are done once: the name a request gives them, and what it asked."""

import hashlib

from starlette.requests import Request

from tui_monitor.model.once import Once
from tui_monitor.server.params import Text, bad

KEY = Text(
    name="Idempotency-Key",
    key="key",
    place="header",
    longest=200,
    about="A name of your own for this act, like a UUID: sent again under it, it is not done again and is "
    "answered as the first time, for a week. Under the same name nothing else may be asked.",
    example="0b5c7d0a-3c4e-4f53-9f3b-6f7d4a8f0c11",
)
REUSED = "Or the Idempotency-Key was used for something else."


async def once_of(request: Request, key: str | None) -> Once | None:
    """The act that a request names, which is its caller's own; None where it names none."""
    if not key:
        return None
    if not key.isprintable():
        raise bad("Idempotency-Key must be printable")
    caller = getattr(request.state, "caller", None)
    digest = hashlib.blake2b(digest_size=16)
    for part in (request.method, request.url.path, request.url.query):
        digest.update(part.encode() + b"\n")
    digest.update(await request.body())
    return Once(f"{caller.name if caller else ''}:{key}", digest.hexdigest())
