"""The only POST to an order path: one connection, one request, one reading of the answer.

No retry, no redirect, no pooled connection, no token renewal. What cannot be proven unsent is `lost`.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from trading.brokers.kis.client import KisClient
from trading.brokers.kis.parsing import decode
from trading.domain.orders import Reply
from trading.domain.ports import OrderRequest, PreparedPost, RawReply
from trading.kis_wire import calls
from trading.sources.deadlines import trust

__all__ = ["Line", "decode_reply", "post_of", "prepare"]

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
MAX_BYTES = 100_000

_SIDE = {"SELL": "sell", "BUY": "buy"}


def prepare(client: KisClient, request: OrderRequest) -> PreparedPost:
    """The bytes of `request`, exactly as they will be sent."""
    account = client.credentials.account
    if request.cancels is not None:
        org_no, order_no = request.cancels
        name, variant = "order_rvsecncl", ""
        body = account | {
            "KRX_FWDG_ORD_ORGNO": org_no,
            "ORGN_ODNO": order_no,
            "ORD_DVSN": "00",
            "RVSE_CNCL_DVSN_CD": "02",
            "ORD_QTY": "0",
            "ORD_UNPR": "0",
            "QTY_ALL_ORD_YN": "Y",
            "EXCG_ID_DVSN_CD": "KRX",
        }
    else:
        name, variant = "order_cash", _SIDE[request.side]
        body = account | {
            "PDNO": request.ticker,
            "ORD_DVSN": "01" if request.limit_price is None else "00",
            "ORD_QTY": str(request.quantity),
            "ORD_UNPR": "0" if request.limit_price is None else str(request.limit_price),
            "EXCG_ID_DVSN_CD": "KRX",
        }
        if request.side == "SELL":
            body["SLL_TYPE"] = "01"
    return post_of(client, name, variant, body)


def post_of(client: KisClient, name: str, variant: str, body: Mapping[str, str]) -> PreparedPost:
    """The POST of call `name`. Raises BrokerMisconfigured where the environment does not offer it."""
    call = calls()[name]
    return PreparedPost(
        path=call.path,
        tr_id=client.tr_id(call, variant),
        body=json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode(),
    )


class Line:
    """A connection opened now, so that after a long pause the broker has closed it and nothing leaves.

    `problem` is set when it could not be opened; `post` then answers `not_sent`.
    """

    def __init__(self, client: KisClient, token: str) -> None:
        self._client = client
        self.token = token
        self.problem = ""
        parts = urlsplit(client.base_url)
        host, port = parts.hostname or "", parts.port
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            self._connection = http.client.HTTPSConnection(
                host, port, timeout=CONNECT_SECONDS, context=trust()
            )
        else:
            self._connection = http.client.HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        try:
            self._connection.connect()
        except (OSError, ssl.SSLError) as error:
            self.problem = type(error).__name__

    def post(self, prepared: PreparedPost, nonce: str) -> RawReply:
        """Send once and read once, within `TOTAL_SECONDS`."""
        if self.problem:
            return RawReply("not_sent", note=self.problem)
        connection = self._connection
        assert connection.sock is not None
        connection.sock.settimeout(TOTAL_SECONDS)
        # A peer that drips one byte a second never trips the socket's own timeout.
        cut = threading.Timer(TOTAL_SECONDS, _cut, [connection.sock])
        cut.daemon = True
        cut.start()
        try:
            headers = self._client.headers(prepared.tr_id, self.token) | {
                "x-request-id": nonce,
                "connection": "close",
                "accept-encoding": "identity",
            }
            if prepared.hashkey:
                headers["hashkey"] = prepared.hashkey
            connection.request("POST", prepared.path, body=prepared.body, headers=headers)
            response = connection.getresponse()
            body = response.read(MAX_BYTES + 1)
            if len(body) > MAX_BYTES:
                return RawReply("lost", status=response.status, note="answer too large")
            return RawReply("answered", status=response.status, body=body)
        except (OSError, http.client.HTTPException) as error:
            return RawReply("lost", note=type(error).__name__)
        finally:
            cut.cancel()

    def close(self) -> None:
        self._connection.close()


def _cut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def decode_reply(raw: RawReply) -> Reply:
    """The neutral content of an answer; `parsed` is false for anything that is not KIS's envelope."""
    body: dict[str, Any] | None = decode(raw.body) if raw.transport == "answered" else None
    if body is None or "rt_cd" not in body:
        return Reply(
            parsed=False, ok=None, msg_cd="", message="", order_no="", org_no="", order_time=""
        )
    output = body.get("output")
    if isinstance(output, list) and len(output) == 1:
        output = output[0]
    fields = output if isinstance(output, dict) else {}
    return Reply(
        parsed=True,
        ok=str(body.get("rt_cd")) == "0",
        msg_cd=_text(body.get("msg_cd"))[:16],
        message=_text(body.get("msg1"))[:300],
        order_no=_text(fields.get("ODNO")),
        org_no=_text(fields.get("KRX_FWDG_ORD_ORGNO")),
        order_time=_text(fields.get("ORD_TMD")),
    )


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
