"""One number from several, so that every epoch and purpose has a stream of its own."""

import hashlib
import json
from typing import Any


def derive_seed(*parts: Any) -> int:
    """A seed from several parts, the same on every machine and Python.

    Args:
        *parts: plain JSON values: the purpose, the seed of the training, the epoch.

    Returns:
        A number in [0, 2^63).
    """
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
