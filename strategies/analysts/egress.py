"""One exchange with one host, over before one moment, with so many bytes of answer at most.

Timeouts of an HTTP library hold for each read: a host that sends a byte now and then never meets one.
Here every read of the socket gets what is left until the moment, and nothing beyond it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore2
import httpx2

__all__ = ["Egress", "Forbidden", "TooLarge", "TooLate"]


class Forbidden(Exception):
    """Another host, a second request or a redirect: nothing was sent there."""


class TooLarge(Exception):
    """More bytes than agreed, or an encoding that hides how many there are."""


class TooLate(Exception):
    """The moment came first."""


class Egress(httpx2.BaseTransport):
    """A transport for a single request to `origin` (scheme://host[:port]).

    `until` is a monotonic moment, set before the request; without one there is no time at all.
    `received` is what has come of the answer's body, whole or not. Redirects are refused: the key in
    the headers is for this host alone.
    """

    def __init__(self, origin: str, *, most: int) -> None:
        self._origin = _origin(httpx2.URL(origin))
        self._most = most
        self._used = False
        self.until = 0.0
        self.status: int | None = None
        self.received = b""
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False)
            if self._origin[0] == "https"
            else None,
            max_connections=1,
            network_backend=_Backend(self),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if _origin(request.url) != self._origin:
            raise Forbidden("another host")
        if self._used:
            raise Forbidden("a second request")
        self._used = True
        request.headers["accept-encoding"] = "identity"
        asked = httpcore2.Request(
            method=request.method,
            url=str(request.url),
            headers=request.headers.raw,
            content=request.read(),
        )
        try:
            answer = self._pool.handle_request(asked)
            try:
                return self._read(answer)
            finally:
                answer.close()
        except httpcore2.TimeoutException:
            raise TooLate from None

    def _read(self, answer: httpcore2.Response) -> httpx2.Response:
        self.status = answer.status
        if 300 <= answer.status < 400:
            raise Forbidden("a redirect")
        headers = httpx2.Headers(answer.headers)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise TooLarge("a packed answer")
        body = bytearray()
        for chunk in answer.iter_stream():
            body += chunk
            self.received = bytes(body[: self._most])
            if len(body) > self._most:
                raise TooLarge(f"more than {self._most} bytes")
        kept = [(name, value) for name, value in headers.items() if name in _KEPT]
        return httpx2.Response(answer.status, headers=kept, content=bytes(body))

    def close(self) -> None:
        self._pool.close()


_KEPT = ("content-type", "retry-after")


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, url.port or default


class _Backend(httpcore2.NetworkBackend):
    """Sockets that know the moment."""

    def __init__(self, owner: Egress) -> None:
        self._owner = owner
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        until = self._owner.until
        stream = self._inner.connect_tcp(host, port, _left(until), local_address, socket_options)
        return _Stream(stream, until)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream, until: float) -> None:
        self._inner = inner
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._until))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, _left(self._until))
        return _Stream(inner, self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TooLate
    return left
