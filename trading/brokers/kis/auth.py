"""Issuing an access token: one POST, its answer checked before it replaces anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from trading.brokers.kis.capped import TooMuch, exchange
from trading.brokers.kis.client import TIMEOUT, Credentials
from trading.brokers.kis.errors import read_error
from trading.brokers.kis.parsing import decode
from trading.domain.errors import (
    BrokerBusy,
    BrokerGarbled,
    BrokerMisconfigured,
    BrokerTokenDead,
    BrokerUnavailable,
)
from trading.domain.ports import StoredToken
from trading.kis_wire import calls

__all__ = ["issue_approval", "issue_token", "revoke_token"]

SEOUL = ZoneInfo("Asia/Seoul")
TOTAL_SECONDS = 10.0
MAX_BYTES = 100_000


def issue_token(
    base_url: str, credentials: Credentials, now: datetime, http: httpx2.Client
) -> StoredToken:
    """A fresh token from the broker.

    Raises BrokerBusy when one was issued less than a minute ago, BrokerMisconfigured when the keys are
    refused, BrokerGarbled when the answer is not a usable token (the old one must then be kept).
    """
    secret = {"appsecret": credentials.app_secret}
    reply = _asked(base_url, "auth_token", credentials, secret, http)
    token, expiry = reply.get("access_token"), reply.get("access_token_token_expired")
    if not isinstance(token, str) or not 20 <= len(token.strip()) <= 1000:
        raise BrokerGarbled("the token answer holds no token")
    return StoredToken(token=token.strip(), expires_at=_expiry(expiry, now))


def issue_approval(base_url: str, credentials: Credentials, http: httpx2.Client) -> str:
    """A key with which a session of the WebSocket begins. Raises BrokerError."""
    secret = {"secretkey": credentials.app_secret}
    reply = _asked(base_url, "auth_ws_token", credentials, secret, http)
    approval = reply.get("approval_key")
    if not isinstance(approval, str) or not 8 <= len(approval.strip()) <= 400:
        raise BrokerGarbled("the answer holds no approval key")
    return approval.strip()


def revoke_token(base_url: str, credentials: Credentials, token: str, http: httpx2.Client) -> bool:
    """Make `token` worthless at the broker; False where it was so already.

    Raises BrokerError when nobody said what became of it: it may still be good.
    """
    secret = {"appsecret": credentials.app_secret, "token": token}
    try:
        _asked(base_url, "revoke", credentials, secret, http)
    except BrokerTokenDead:
        return False
    return True


def _asked(
    base_url: str,
    name: str,
    credentials: Credentials,
    secret: Mapping[str, str],
    http: httpx2.Client,
) -> dict[str, Any]:
    """The answer of one of the gateway's own calls, which name the secret differently.

    Raises BrokerError for anything but a success; nothing of the keys is in it.
    """
    body = {"grant_type": "client_credentials", "appkey": credentials.app_key, **secret}
    try:
        found = exchange(
            http,
            "POST",
            base_url.rstrip("/") + calls()[name].path,
            most=MAX_BYTES,
            seconds=TOTAL_SECONDS,
            content=json.dumps(body).encode(),
            headers={"content-type": "application/json; charset=utf-8"},
            timeout=TIMEOUT,
        )
    except (httpx2.HTTPError, TooMuch) as error:
        raise BrokerUnavailable(type(error).__name__) from None
    status = found.status
    reply = decode(found.body)
    if reply is None:
        raise BrokerUnavailable("the answer to the keys is not JSON", http_status=status)
    failure = str(reply.get("error_code") or reply.get("msg_cd") or "")
    if status == 200 and not failure:
        return reply
    if failure == "EGW00133":
        raise BrokerBusy(msg_cd=failure, http_status=status)
    if not failure:
        raise BrokerMisconfigured("the keys were refused")
    raise read_error(failure, "the keys were refused", status)


def _expiry(text: object, now: datetime) -> datetime:
    try:
        expires = datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S").replace(tzinfo=SEOUL)
    except ValueError as error:
        raise BrokerGarbled("the token's expiry cannot be read") from error
    if expires <= now or expires > now + timedelta(days=100):
        raise BrokerGarbled("the token's expiry is not in the future")
    return expires
