"""Names that cannot be read at a glance: they travel through the page and come back with the answers.

This hides which system made a sound from a listener who looks around; it is no cipher, since whoever holds the page
also holds the key.
"""

from __future__ import annotations

import base64
import hashlib
import secrets

from audiojourney.errors import UsageError

_NONCE, _CHECK, _BLOCK = 6, 4, 32  # bytes


def seal(name: str, study: str, nonce: bytes | None = None) -> str:
    """Return a name as text that differs for each `nonce` and whose length tells little.

    Args:
        name: what to hide.
        study: id of the study.
        nonce: six bytes; drawn when None.
    """
    nonce = secrets.token_bytes(_NONCE) if nonce is None else nonce[:_NONCE].ljust(_NONCE, b"\0")
    data = name.encode("utf-8", errors="surrogateescape")
    body = hashlib.sha256(data).digest()[:_CHECK] + len(data).to_bytes(2, "big") + data
    body += bytes(-len(body) % _BLOCK)
    return base64.b64encode(nonce + _mixed(body, study, nonce)).decode("ascii")


def unseal(text: str, study: str) -> str:
    """Return the name in a text that `seal` made.

    Raises:
        UsageError: the text was changed, or is of another study.
    """
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError as error:
        raise UsageError(f"{text[:40]!r} is no sealed name.") from error
    body = _mixed(raw[_NONCE:], study, raw[:_NONCE])
    data = body[_CHECK + 2 :][: int.from_bytes(body[_CHECK : _CHECK + 2], "big")]
    if not data or hashlib.sha256(data).digest()[:_CHECK] != body[:_CHECK]:
        raise UsageError(f"{text[:40]!r} is no sealed name of the study {study!r}.")
    return data.decode("utf-8", errors="surrogateescape")


def _mixed(data: bytes, study: str, nonce: bytes) -> bytes:
    """Return data combined with a stream of bytes that hangs on study and nonce; twice gives the data back."""
    blocks = range(len(data) // _BLOCK + 1)
    stream = b"".join(hashlib.sha256(f"{study}:{nonce.hex()}:{number}".encode()).digest() for number in blocks)
    return bytes(one ^ other for one, other in zip(data, stream, strict=False))
