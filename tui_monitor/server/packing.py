"""Answers travel small: packed as a whole, or as what changed since an answer that the client still holds.

The second is Compression Dictionary Transport, RFC 9842: an answer that was sent becomes the dictionary of
the next one like it, and the client names the one it holds by its hash. A dictionary serves only the token
that the answer went to: by naming hashes nobody finds out what others were told, or takes their room away
without a token. No secret stands in any body, so the length of a packed answer gives nothing away that its
reader may not know.
"""

import asyncio
import base64
import binascii
import hashlib
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SMALLEST = 256
"""Bytes of a body below which packing it gains nothing."""
_LARGEST_DICTIONARY = 512_000
_ASIDE = 64_000
"""Bytes of a body and its dictionary from which on it is packed on a thread."""
_DCZ_MAGIC = b"\x5e\x2a\x4d\x18\x20\x00\x00\x00"
"""A skippable frame of 32 bytes, RFC 9842 section 5: the dictionary's SHA-256 follows."""
_LEVEL = 6
_OURS = "/monitor/v1/"
_USE = f'match="{_OURS}*"'.encode()
_SIGNS = ("dcz", "zstd", "gzip")
"""The encodings there are, the best first."""


class Dictionaries:
    """Answers that clients may hold, by token and SHA-256; those named longest ago go first."""

    def __init__(self, room: int = 8_000_000) -> None:
        """`room` is how many bytes are kept."""
        self._room = room
        self._held = 0
        self._bodies: OrderedDict[tuple[str, bytes], bytes] = OrderedDict()

    @property
    def held(self) -> int:
        """Bytes that are kept."""
        return self._held

    def keep(self, owner: str, body: bytes) -> None:
        """A client with the token of this name holds this answer now."""
        if len(body) > min(_LARGEST_DICTIONARY, self._room):
            return
        key = owner, hashlib.sha256(body).digest()
        if key in self._bodies:
            self._bodies.move_to_end(key)
            return
        self._bodies[key] = body
        self._held += len(body)
        while self._held > self._room:
            self._held -= len(self._bodies.popitem(last=False)[1])

    def find(self, owner: str, digest: bytes) -> bytes | None:
        """The answer of this hash that went to this token, where it is still kept."""
        if (owner, digest) not in self._bodies:
            return None
        self._bodies.move_to_end((owner, digest))
        return self._bodies[owner, digest]


class Packing:
    """ASGI middleware. Answers that are made piece by piece, and those of WebSockets, go out as they are."""

    def __init__(self, app: ASGIApp, kept: Dictionaries) -> None:
        self._app = app
        self._kept = kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] == "HEAD":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        ways = _ways(headers.get(b"accept-encoding", ""))
        if not ways:
            await self._app(scope, receive, send)
            return
        caller = scope.get("state", {}).get("caller")
        if caller is None or not scope["path"].startswith(_OURS):
            ways = tuple(way for way in ways if way != "dcz")
        named = _digest(headers.get(b"available-dictionary", "")) if "dcz" in ways else None
        base = self._kept.find(caller.name, named) if caller and named else None
        keep = partial(self._kept.keep, caller.name) if caller and "dcz" in ways else None
        await self._app(scope, receive, _Answer(send, ways, base, keep).send)


class _Answer:
    """One answer on its way out. Its head waits until it is known whether the body comes in one piece."""

    def __init__(
        self, send: Send, ways: tuple[str, ...], base: bytes | None, keep: Callable[[bytes], None] | None
    ) -> None:
        self._send = send
        self._ways = ways
        self._base = base
        self._keep = keep
        self._head: Message | None = None

    async def send(self, message: Message) -> None:
        """The next part."""
        if message["type"] == "http.response.start":
            self._head = message
            return
        head, self._head = self._head, None
        if head is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        body = message.get("body", b"")
        if not message.get("more_body") and len(body) >= SMALLEST and _may_be_packed(head):
            head, body = await self._packed(head, body)
            message = {**message, "body": body}
        await self._send(head)
        await self._send(message)

    async def _packed(self, head: Message, body: bytes) -> tuple[Message, bytes]:
        base = self._base
        way = self._ways[0] if base is not None else next((w for w in self._ways if w != "dcz"), "")
        # A large dictionary is work too, however small the answer.
        if len(body) + len(base or b"") > _ASIDE:
            packed = await asyncio.to_thread(pack, way, body, base)
        else:
            packed = pack(way, body, base)
        more = [(b"vary", b"accept-encoding, available-dictionary")]
        if self._keep is not None and head["status"] == 200:
            self._keep(body)
            more.append((b"use-as-dictionary", _USE))
        if way:
            more.append((b"content-encoding", way.encode()))
        more.append((b"content-length", str(len(packed)).encode()))
        others = [header for header in head["headers"] if header[0].lower() != b"content-length"]
        return {**head, "headers": [*others, *more]}, packed


def pack(way: str, body: bytes, dictionary: bytes | None = None) -> bytes:
    """The body in one of the encodings, or as it is for none; `dcz` needs the dictionary."""
    if not way:
        return body
    if way == "gzip":
        packer = zlib.compressobj(6, wbits=31)
        return packer.compress(body) + packer.flush()
    import zstandard

    if way == "zstd" or dictionary is None:
        return zstandard.ZstdCompressor(level=_LEVEL).compress(body)
    known = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    frame = zstandard.ZstdCompressor(level=_LEVEL, dict_data=known).compress(body)
    return _DCZ_MAGIC + hashlib.sha256(dictionary).digest() + frame


def _may_be_packed(head: Message) -> bool:
    """An answer whose encoding was not chosen already, and that may have a body."""
    named = {name.lower() for name, _ in head["headers"]}
    return head["status"] not in (204, 304) and not named & {b"content-encoding", b"content-range"}


def _ways(accepted: str) -> tuple[str, ...]:
    """The encodings that a client takes, our order: it is we who know what is smaller."""
    taken = _weights(accepted.lower().split(","))
    return tuple(sign for sign in _SIGNS if taken.get(sign, 0.0) > 0)


def _weights(parts: Iterable[str]) -> Mapping[str, float]:
    found = {}
    for part in parts:
        name, _, rest = part.partition(";")
        weight = rest.strip().removeprefix("q=")
        try:
            found[name.strip()] = float(weight) if rest.strip() else 1.0
        except ValueError:
            continue
    return found


def _digest(named: str) -> bytes | None:
    """The hash in an Available-Dictionary header: a byte sequence of RFC 8941."""
    text = named.strip()
    if len(text) < 2 or text[0] != ":" or text[-1] != ":":
        return None
    try:
        digest = base64.b64decode(text[1:-1], validate=True)
    except binascii.Error:
        return None
    return digest if len(digest) == hashlib.sha256().digest_size else None
