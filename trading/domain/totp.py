"""One-time codes of an authenticator app: RFC 6238 with SHA-1, six digits and steps of thirty seconds.

Every app knows this form; the RFC's own vectors are in the tests.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from urllib.parse import quote, urlencode

__all__ = ["DIGITS", "STEP_SECONDS", "code_at", "matching_step", "provisioning_uri"]

DIGITS = 6
STEP_SECONDS = 30
SLACK = 1
"""Steps that a phone's clock may be off, either way."""


def code_at(seed: str, step: int) -> str:
    """The code of one step (Unix seconds // 30). `seed` is base32; raises ValueError when it is not."""
    try:
        key = base64.b32decode(seed, casefold=True)
    except binascii.Error as error:
        raise ValueError("a seed is base32") from error
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matching_step(seed: str, code: str, seconds: float, after: int) -> int | None:
    """The step that `code` belongs to, among those near `seconds` and later than `after`; else None.

    `after` is the step of the last code that was taken, so that none is taken twice.
    """
    now = int(seconds) // STEP_SECONDS
    given = code.encode("utf-8", "replace")
    found = None
    for step in range(now - SLACK, now + SLACK + 1):
        same = hmac.compare_digest(code_at(seed, step).encode(), given)
        if same and step > after:
            found = step
    return found


def provisioning_uri(seed: str, person: str, issuer: str) -> str:
    """What the QR code says: an `otpauth` address that authenticator apps read."""
    label = quote(f"{issuer}:{person}")
    wanted = {"secret": seed, "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS}
    return f"otpauth://totp/{label}?{urlencode(wanted)}"
