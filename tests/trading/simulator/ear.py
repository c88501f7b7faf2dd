"""A bare ear on the broker's WebSocket for the tests: registers, listens, decrypts, hides nothing."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from websockets.sync.client import ClientConnection, connect

from tests.trading.simulator.kis import Hand

__all__ = ["ON_SCREEN", "Ear", "Frame"]

SECONDS = 10
ON_SCREEN = {
    "STCK_PRPR": "stck_prpr",
    "PRDY_VRSS": "prdy_vrss",
    "PRDY_VRSS_SIGN": "prdy_vrss_sign",
    "PRDY_CTRT": "prdy_ctrt",
    "STCK_OPRC": "stck_oprc",
    "STCK_HGPR": "stck_hgpr",
    "STCK_LWPR": "stck_lwpr",
    "ACML_VOL": "acml_vol",
    "ACML_TR_PBMN": "acml_tr_pbmn",
    "PRDY_VOL_VRSS_ACML_VOL_RATE": "prdy_vrss_vol_rate",
    "WGHN_AVRG_STCK_PRC": "wghn_avrg_stck_prc",
}
"""Fields of a trade's record, and what inquire-price calls the same number of the same second."""


@dataclass(frozen=True)
class Frame:
    """A data frame: `rows` are its records, each a list of texts."""

    tr_id: str
    rows: list[list[str]]


@dataclass
class Ear:
    """One connection of `hand`'s key."""

    hand: Hand
    path: str = "/tryitout"
    approval: str = ""
    secrets: dict[str, tuple[str, str]] = field(default_factory=dict)
    fields: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Ear:
        if not self.approval:
            self.approval = approve(self.hand)
        self._door = connect(
            self.hand.sim.ws_url + self.path,
            ping_interval=None,
            compression=None,
            proxy=None,
            max_queue=None,
        )
        self.line: ClientConnection = self._door.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._door.__exit__(kind, error, trace)

    def say(self, message: object) -> None:
        self.line.send(message if isinstance(message, str) else json.dumps(message))

    def hear(self) -> str:
        text = self.line.recv(timeout=SECONDS)
        assert isinstance(text, str)
        return text

    def message(self, tr_id: str, key: str, tr_type: str = "1", **header: str) -> dict[str, Any]:
        head = {"approval_key": self.approval, "custtype": "P", "tr_type": tr_type}
        head |= {"content-type": "utf-8", **header}
        return {"header": head, "body": {"input": {"tr_id": tr_id, "tr_key": key}}}

    def register(self, tr_id: str, key: str, tr_type: str = "1", **header: str) -> dict[str, Any]:
        """The acknowledgement of one registration."""
        self.say(self.message(tr_id, key, tr_type, **header))
        told: dict[str, Any] = json.loads(self.hear())
        output = told["body"].get("output")
        if output:
            self.secrets[tr_id] = (output["key"], output["iv"])
        return told

    def frame(self) -> Frame:
        """The next data frame, decrypted. A PINGPONG on the way is answered, as a client does."""
        one = self.next()
        assert isinstance(one, Frame), one
        return one

    def next(self) -> Frame | str:
        """The next data frame, decrypted, or whatever else was said, as it is."""
        text = self.hear()
        while text.startswith("{") and json.loads(text)["header"]["tr_id"] == "PINGPONG":
            self.say(text)
            text = self.hear()
        if text.startswith("{"):
            return text
        hidden, tr_id, count, payload = text.split("|", 3)
        if hidden == "1":
            payload = self._open(tr_id, payload)
        values = payload.split("^")
        width, rest = divmod(len(values), int(count))
        assert not rest, "the records of a frame are equally long"
        rows = [values[i : i + width] for i in range(0, len(values), width)]
        return Frame(tr_id, rows)

    def frames(self, number: int) -> list[Frame]:
        return [self.frame() for _ in range(number)]

    def _open(self, tr_id: str, payload: str) -> str:
        key, iv = self.secrets[tr_id]
        cipher = Cipher(algorithms.AES256(key.encode()), modes.CBC(iv.encode())).decryptor()
        plain = cipher.update(base64.b64decode(payload)) + cipher.finalize()
        return plain[: -plain[-1]].decode()


def approve(hand: Hand) -> str:
    """A key for the WebSocket."""
    answer = hand.oauth("Approval", secretkey=hand.appsecret)
    return str(answer.json["approval_key"])
