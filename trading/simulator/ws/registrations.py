"""What a client may register for on one connection, and the words in which it is told.

A session belongs to the app key of its first valid registration; a key has one session at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from trading.kis_wire import Channel, channels
from trading.simulator.ws.cipher import Secret, secret_of

__all__ = ["MOST", "Answer", "Registration", "Rules", "Session"]

MOST = 41
REGISTER, RELEASE = "1", "2"
MESSAGES = {
    "OPSP0000": "SUBSCRIBE SUCCESS",
    "OPSP0001": "UNSUBSCRIBE SUCCESS",
    "OPSP0002": "ALREADY IN SUBSCRIBE",
    "OPSP0003": "UNSUBSCRIBE ERROR(not found!)",
    "OPSP0008": "MAX SUBSCRIBE OVER",
    "OPSP0011": "invalid approval : NOT FOUND",
    "OPSP8991": "invalid tr_id : NOT FOUND",
    "OPSP8992": "invalid tr_key : NOT FOUND",
    "OPSP8996": "ALREADY IN USE appkey",
    "OPSP8997": "invalid tr_type",
    "OPSP8998": "invalid custtype",
    "OPSP9990": "NOT FOUND : tr_key",
    "OPSP9991": "NOT FOUND : input",
    "OPSP9992": "NOT FOUND : body",
    "OPSP9994": "NOT FOUND : approval_key",
    "OPSP9998": "NOT FOUND : header",
    "OPSP9999": "JSON PARSING ERROR",
}


@dataclass(frozen=True, slots=True)
class Registration:
    """One channel and key of a session, with the secret of its acknowledgement."""

    channel: Channel
    key: str
    since: datetime
    secret: Secret


@dataclass
class Session:
    """One connection: whose it is, what it is registered for, what is still to be sent."""

    number: int
    appkey: str = ""
    registered: dict[tuple[str, str], Registration] = field(default_factory=dict)
    outbox: list[str] = field(default_factory=list)
    cut: bool = False
    """The socket is to be closed without a close frame."""
    mute_until: float = 0.0
    """Until then, by the monotonic clock, nothing is sent and nothing closed: a line that is half open."""
    after_next: list[str] = field(default_factory=list)
    """Notices that are held back until another one has gone."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a registration is told: `ok` decides rt_cd, `registration` is what took effect."""

    code: str
    tr_id: str = "(null)"
    tr_key: str = ""
    registration: Registration | None = None

    def text(self) -> str:
        """The acknowledgement as it is sent."""
        ok = self.code in ("OPSP0000", "OPSP0001")
        rt_cd = "0" if ok else "9" if self.code == "OPSP8996" else "1"
        body: dict[str, Any] = {
            "rt_cd": rt_cd,
            "msg_cd": self.code,
            "msg1": MESSAGES[self.code],
        }
        encrypt = "N"
        if self.registration is not None:
            secret = self.registration.secret
            encrypt = "Y" if self.registration.channel.encrypted else "N"
            body["output"] = {"iv": secret.iv, "key": secret.key}
        header = {"tr_id": self.tr_id, "tr_key": self.tr_key, "encrypt": encrypt}
        return json.dumps({"header": header, "body": body}, ensure_ascii=False)


@dataclass
class Rules:
    """Who may register for what. `owner_of` gives the app key of an approval key, or "";
    `knows` says whether a channel offers a key; `in_use` whether another session has the app key."""

    seed: int
    mock: bool
    owner_of: Callable[[str], str]
    knows: Callable[[Channel, str, str], bool]
    in_use: Callable[[Session, str], bool]

    def hear(self, session: Session, text: str, now: datetime) -> Answer | None:
        """Act on one message; None for an echoed PINGPONG. A wrong HTS id cuts the session."""
        try:
            message = json.loads(text)
        except ValueError:
            return Answer("OPSP9999")
        header = message.get("header") if isinstance(message, dict) else None
        if not isinstance(header, dict):
            return Answer("OPSP9998")
        if header.get("tr_id") == "PINGPONG":
            return None
        body = message.get("body")
        if not isinstance(body, dict):
            return Answer("OPSP9992")
        wanted = body.get("input")
        if not isinstance(wanted, dict):
            return Answer("OPSP9991")
        tr_id, tr_key = str(wanted.get("tr_id", "")), str(wanted.get("tr_key", ""))
        return self._decide(session, _lowered(header), tr_id, tr_key, now)

    def _decide(
        self, session: Session, header: dict[str, str], tr_id: str, tr_key: str, now: datetime
    ) -> Answer:
        refused = self._admit(session, header)
        if refused:
            return Answer(refused, "(null)" if refused == "OPSP8996" else tr_id, tr_key)
        channel = _channels(self.mock).get(tr_id)
        if channel is None:
            return Answer("OPSP8991", tr_id, tr_key)
        if not tr_key:
            return Answer("OPSP9990", tr_id, tr_key)
        place = (tr_id, tr_key)
        if header["tr_type"] == RELEASE:
            gone = session.registered.pop(place, None)
            return Answer("OPSP0001" if gone else "OPSP0003", tr_id, tr_key, gone)
        if place in session.registered:
            return Answer("OPSP0002", tr_id, tr_key)
        if not self.knows(channel, tr_key, session.appkey):
            session.cut = channel.encrypted
            return Answer("OPSP8992", tr_id, tr_key)
        if len(session.registered) >= MOST:
            return Answer("OPSP0008", tr_id, tr_key)
        secret = secret_of(self.seed, session.appkey, session.number, tr_id)
        made = session.registered[place] = Registration(channel, tr_key, now, secret)
        return Answer("OPSP0000", tr_id, tr_key, made)

    def _admit(self, session: Session, header: dict[str, str]) -> str:
        """The code that refuses a message by its header, empty when it may be acted on."""
        if header.get("tr_type") not in (REGISTER, RELEASE):
            return "OPSP8997"
        if header.get("custtype", "P") not in ("P", "B"):
            return "OPSP8998"
        approval = header.get("approval_key", "")
        if not approval:
            return "OPSP9994"
        if session.appkey:
            return ""
        appkey = self.owner_of(approval)
        if not appkey:
            return "OPSP0011"
        if self.in_use(session, appkey):
            return "OPSP8996"
        session.appkey = appkey
        return ""


def _lowered(header: dict[str, Any]) -> dict[str, str]:
    return {str(name).lower(): str(value) for name, value in header.items()}


def _channels(mock: bool) -> dict[str, Channel]:
    """Channels by the TR id that this environment offers them under."""
    if mock:
        return {c.mock: c for c in channels().values() if c.mock}
    return {c.tr_id: c for c in channels().values()}
