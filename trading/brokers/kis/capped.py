"""One exchange that is over after so many seconds and so many bytes, whatever the other side does.

Timeouts of an HTTP library hold for each read of the socket: a host that sends a byte now and then, in its
headers or in its body, never meets one. Here every read gets what is left of the whole time. A packed body is
counted as it unpacks, so that a small answer cannot fill the memory.
"""

from __future__ import annotations

import ssl
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

__all__ = ["Exchange", "TimedTransport", "TooMuch", "exchange"]

_until: ContextVar[float | None] = ContextVar("kis_until", default=None)


class TooMuch(Exception):
    """More bytes or more time than one answer may take."""


@dataclass(frozen=True, slots=True)
class Exchange:
    status: int
    headers: Mapping[str, str]
    body: bytes


def exchange(
    http: httpx2.Client, method: str, url: str, *, most: int, seconds: float, **request: Any
) -> Exchange:
    """One request and its whole answer. Raises TooMuch, or httpx2.HTTPError where nothing came in time."""
    with _within(seconds) as until, http.stream(method, url, **request) as answer:
        body = bytearray()
        for chunk in _unpacked(answer, most + 1):
            body += chunk
            if len(body) > most or time.monotonic() > until:
                raise TooMuch("the answer is too large or too slow")
        return Exchange(answer.status_code, answer.headers, bytes(body))


def _unpacked(answer: httpx2.Response, most: int) -> Iterator[bytes]:
    """The body as it is, or unpacked in pieces of at most `most` bytes. Raises TooMuch for another packing."""
    if answer.is_stream_consumed:  # a transport without a socket has the whole answer at once
        yield answer.content
        return
    packing = answer.headers.get("content-encoding", "identity").strip().lower()
    if packing in ("", "identity"):
        yield from answer.iter_raw()
        return
    if packing != "gzip":
        raise TooMuch("an answer packed in a way that is not known")
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        for raw in answer.iter_raw():
            rest = raw
            while rest:
                yield unpacker.decompress(rest, most)
                rest = unpacker.unconsumed_tail
    except zlib.error:
        raise TooMuch("a packed answer that cannot be unpacked") from None


@contextmanager
def _within(seconds: float) -> Iterator[float]:
    until = time.monotonic() + seconds
    token = _until.set(until)
    try:
        yield until
    finally:
        _until.reset(token)


class TimedTransport(httpx2.HTTPTransport):
    """The usual transport over sockets that know when the present exchange has to be over."""

    def __init__(self) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_Backend(),
        )


def _left(timeout: float | None, late: type[Exception]) -> float | None:
    """The smaller of a read's own time and what is left of the whole."""
    until = _until.get()
    if until is None:
        return timeout
    left = until - time.monotonic()
    if left <= 0:
        raise late
    return left if timeout is None else min(left, timeout)


class _Backend(httpcore2.NetworkBackend):
    def __init__(self) -> None:
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, left, local_address, socket_options))


class _Stream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
