"""One message of the broker's WebSocket as a value: a question, an acknowledgement, or records.

Raises BadFrame for anything else; whoever reads counts those and goes on. Fields that the broker adds at
the end of a record over time are ignored, missing ones never are.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

__all__ = ["Ack", "BadFrame", "Data", "Ping", "Secret", "read_message"]

MOST_CHARACTERS = 512_000
MOST_RECORDS = 999


class BadFrame(ValueError):
    """A message that cannot be understood. The text says why and holds nothing of the message."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Opens the payloads of one registration; never printed."""

    key: str = field(repr=False)
    iv: str = field(repr=False)

    def open(self, payload: str) -> str:
        """The plain text. Raises BadFrame when the key is not the one it was hidden with."""
        try:
            cipher = Cipher(algorithms.AES256(self.key.encode()), modes.CBC(self.iv.encode()))
            decryptor = cipher.decryptor()
            padded = decryptor.update(base64.b64decode(payload, validate=True))
            unpadder = padding.PKCS7(128).unpadder()
            plain = unpadder.update(padded + decryptor.finalize()) + unpadder.finalize()
            return plain.decode("utf-8")
        except (ValueError, binascii.Error) as error:
            raise BadFrame("a hidden record does not open with its key") from error


@dataclass(frozen=True, slots=True)
class Ping:
    """The broker asks whether we are there; the text goes back as it came."""

    text: str


@dataclass(frozen=True, slots=True)
class Ack:
    """The answer to a registration or a release. `secret` comes with a success."""

    tr_id: str
    key: str
    code: str
    secret: Secret | None = None

    @property
    def ok(self) -> bool:
        return self.code in ("OPSP0000", "OPSP0001")


@dataclass(frozen=True, slots=True)
class Data:
    """Records of one channel, not yet split; `hidden` payloads need their secret first."""

    tr_id: str
    count: int
    payload: str = field(repr=False)
    hidden: bool

    def records(self, least: int, secret: Secret | None = None) -> list[list[str]]:
        """The records, each of at least `least` fields and all equally long.

        Raises BadFrame when they are not, or when they are hidden and no secret is at hand.
        """
        text = self.payload
        if self.hidden:
            if secret is None:
                raise BadFrame("a hidden record before its key")
            text = secret.open(text)
        values = text.split("^")
        width, rest = divmod(len(values), self.count)
        if rest or width < least:
            raise BadFrame(f"{self.tr_id}: records of {width} fields, {least} are needed")
        return [values[at : at + width] for at in range(0, len(values), width)]


def read_message(text: str) -> Ping | Ack | Data:
    """What the broker said. Raises BadFrame."""
    if len(text) > MOST_CHARACTERS:
        raise BadFrame("a message without end")
    if text[:1] in ("0", "1"):
        return _data(text)
    return _spoken(text)


def _data(text: str) -> Data:
    parts = text.split("|", 3)
    if len(parts) != 4 or not parts[2].isascii() or not parts[2].isdigit():
        raise BadFrame("a record frame without its head")
    count = int(parts[2])
    if not 1 <= count <= MOST_RECORDS:
        raise BadFrame("a record frame without records")
    return Data(parts[1], count, parts[3], parts[0] == "1")


def _spoken(text: str) -> Ping | Ack:
    try:
        message = json.loads(text)
        header = message["header"]
        tr_id = header["tr_id"]
        if tr_id == "PINGPONG":
            return Ping(text)
        body = message["body"]
        code, output = str(body["msg_cd"]), body.get("output") or {}
        key, iv = output.get("key"), output.get("iv")
        secret = Secret(key, iv) if isinstance(key, str) and isinstance(iv, str) else None
        return Ack(str(tr_id), str(header.get("tr_key") or ""), code, secret)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadFrame("neither records nor an answer") from error
