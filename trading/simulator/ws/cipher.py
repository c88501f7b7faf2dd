"""How the broker hides own-order notices: AES-256-CBC, PKCS#7, base64, key and iv as UTF-8 text."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

__all__ = ["Secret", "secret_of"]

BLOCK = 128


class Secret:
    """The key of 32 characters and the iv of 16 that an acknowledgement hands out."""

    def __init__(self, key: str, iv: str) -> None:
        self.key, self.iv = key, iv

    def hide(self, text: str) -> str:
        """`text` as the payload of an encrypted frame."""
        padder = padding.PKCS7(BLOCK).padder()
        padded = padder.update(text.encode()) + padder.finalize()
        cipher = Cipher(algorithms.AES256(self.key.encode()), modes.CBC(self.iv.encode()))
        encryptor = cipher.encryptor()
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def secret_of(seed: int, appkey: str, session: int, tr_id: str) -> Secret:
    """A session's secret for one channel, the same on every run of a seed."""
    digest = hashlib.sha256(f"{seed}:ws:{appkey}:{session}:{tr_id}".encode()).hexdigest()
    return Secret(digest[:32], digest[32:48])
