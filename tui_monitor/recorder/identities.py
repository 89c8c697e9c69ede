"""Identities of many calls at once, as the store keeps them."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from tui_monitor.store.identity import own_prefix


def identities(source: str, keys: Sequence[bytes]) -> np.ndarray:
    """The hashes of plain keys of one source (int64)."""
    prefix = own_prefix(source)
    hashed = b"".join([blake2b(prefix + key, digest_size=8).digest() for key in keys])
    return np.frombuffer(hashed, dtype=">i8").astype(np.int64)
