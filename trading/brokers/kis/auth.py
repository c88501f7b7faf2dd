"""Issuing an access token: one POST, its answer checked before it replaces anything."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import httpx2

from trading.brokers.kis.client import TIMEOUT, Credentials
from trading.brokers.kis.errors import read_error
from trading.brokers.kis.parsing import decode
from trading.domain.errors import BrokerBusy, BrokerGarbled, BrokerMisconfigured, BrokerUnavailable
from trading.domain.ports import StoredToken
from trading.kis_wire import calls

__all__ = ["issue_approval", "issue_token"]

SEOUL = ZoneInfo("Asia/Seoul")


def issue_token(
    base_url: str, credentials: Credentials, now: datetime, http: httpx2.Client
) -> StoredToken:
    """A fresh token from the broker.

    Raises BrokerBusy when one was issued less than a minute ago, BrokerMisconfigured when the keys are
    refused, BrokerGarbled when the answer is not a usable token (the old one must then be kept).
    """
    body = json.dumps(
        {
            "grant_type": "client_credentials",
            "appkey": credentials.app_key,
            "appsecret": credentials.app_secret,
        }
    ).encode()
    try:
        response = http.post(
            base_url.rstrip("/") + calls()["auth_token"].path,
            content=body,
            headers={"content-type": "application/json; charset=utf-8"},
            timeout=TIMEOUT,
        )
    except httpx2.HTTPError as error:
        raise BrokerUnavailable(type(error).__name__) from None
    reply = decode(response.content)
    if reply is None:
        raise BrokerUnavailable("the token answer is not JSON", http_status=response.status_code)
    failure = str(reply.get("error_code") or reply.get("msg_cd") or "")
    if response.status_code != 200 or failure:
        if failure == "EGW00133":
            raise BrokerBusy(msg_cd=failure, http_status=response.status_code)
        if not failure:
            raise BrokerMisconfigured("the token was refused")
        raise read_error(failure, "the token was refused", response.status_code)
    token, expiry = reply.get("access_token"), reply.get("access_token_token_expired")
    if not isinstance(token, str) or not 20 <= len(token.strip()) <= 1000:
        raise BrokerGarbled("the token answer holds no token")
    return StoredToken(token=token.strip(), expires_at=_expiry(expiry, now))


def issue_approval(base_url: str, credentials: Credentials, http: httpx2.Client) -> str:
    """A key with which a session of the WebSocket begins. Raises BrokerError."""
    body = {
        "grant_type": "client_credentials",
        "appkey": credentials.app_key,
        "secretkey": credentials.app_secret,
    }
    try:
        response = http.post(
            base_url.rstrip("/") + calls()["auth_ws_token"].path,
            content=json.dumps(body).encode(),
            headers={"content-type": "application/json; charset=utf-8"},
            timeout=TIMEOUT,
        )
    except httpx2.HTTPError as error:
        raise BrokerUnavailable(type(error).__name__) from None
    reply = decode(response.content)
    if reply is None:
        raise BrokerUnavailable("the answer is not JSON", http_status=response.status_code)
    failure = str(reply.get("error_code") or reply.get("msg_cd") or "")
    if response.status_code != 200 or failure:
        raise read_error(failure, "the approval key was refused", response.status_code)
    approval = reply.get("approval_key")
    if not isinstance(approval, str) or not 8 <= len(approval.strip()) <= 400:
        raise BrokerGarbled("the answer holds no approval key")
    return approval.strip()


def _expiry(text: object, now: datetime) -> datetime:
    try:
        expires = datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S").replace(tzinfo=SEOUL)
    except ValueError as error:
        raise BrokerGarbled("the token's expiry cannot be read") from error
    if expires <= now or expires > now + timedelta(days=100):
        raise BrokerGarbled("the token's expiry is not in the future")
    return expires
