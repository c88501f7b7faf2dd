"""Tokens that are no way in: the dead one once more, or something that is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from trading.simulator.faults import Armed, Delivery
from trading.simulator.http import html_reply, json_reply
from trading.simulator.lies.telling import NOTHING, Effects, Struck

if TYPE_CHECKING:
    from trading.simulator.fault_effects import Strike

__all__ = ["EFFECTS"]

GARBAGE = {
    "short": ("x", "2099-01-01 00:00:00"),
    "empty": ("", "2099-01-01 00:00:00"),
    "no_expiry": ("g" * 60, ""),
    "past": ("g" * 60, "2020-01-01 00:00:00"),
}


def _appkey(strike: Strike) -> str:
    try:
        return str(json.loads(strike.request.body or b"{}").get("appkey", ""))
    except (ValueError, AttributeError):
        return ""


def _answer(text: str, expiry: str) -> Delivery:
    body = {
        "access_token": text,
        "access_token_token_expired": expiry,
        "token_type": "Bearer",
        "expires_in": 86400,
    }
    return Delivery(json_reply(body))


def _same_again(strike: Strike, armed: Armed) -> Struck:
    """The key's newest token although it is dead; nothing while it lives."""
    keys, appkey = strike.world.keys, _appkey(strike)
    token = keys.tokens.get(keys.latest.get(appkey, ""))
    if token is None or not token.dead:
        return NOTHING
    keys.called[appkey] = strike.world.truth.time
    strike.world.journal.write("token_issue", appkey=appkey, token=token.text)
    return _answer(token.text, f"{token.expires:%Y-%m-%d %H:%M:%S}"), True


def _garbage(strike: Strike, armed: Armed) -> Struck:
    shape = str(armed.params.get("shape", "short"))
    strike.world.journal.write("token_refuse", appkey=_appkey(strike), token=None)
    if shape == "html":
        return Delivery(html_reply(200)), True
    return _answer(*GARBAGE[shape]), True


EFFECTS: Effects = {"D04": _same_again, "D05": _garbage}
