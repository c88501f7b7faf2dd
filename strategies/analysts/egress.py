"""One exchange with one host, over before one moment, with so many bytes of answer at most."""

from __future__ import annotations

import httpcore2
import httpx2

from trading.sources.deadlines import TimedBackend, trust

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
            ssl_context=trust() if self._origin[0] == "https" else None,
            max_connections=1,
            network_backend=TimedBackend(lambda: self.until),
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
