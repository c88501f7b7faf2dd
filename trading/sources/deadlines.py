"""Sockets of an HTTP client that know when the whole exchange has to be over.

Timeouts of an HTTP library hold for each read: a host that sends a byte now and then, in its headers or in its
body, never meets one. Here every step of a socket gets what is left until the moment, and nothing beyond it.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import httpcore2
import httpx2

__all__ = ["TimedBackend", "trust"]

Until = Callable[[], float | None]
"""The monotonic moment at which everything is over; None: only the library's own timeouts hold."""


@lru_cache(maxsize=1)
def trust() -> ssl.SSLContext:
    """The certificates that are trusted, whatever the environment says; read once, they are many."""
    return httpx2.create_ssl_context(trust_env=False)


class TimedBackend(httpcore2.NetworkBackend):
    """Sockets that raise httpcore2's timeouts once the moment is past."""

    def __init__(self, until: Until) -> None:
        self._until, self._inner = until, httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(self._until, timeout, httpcore2.ConnectTimeout)
        inner = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(inner, self._until)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, inner: httpcore2.NetworkStream, until: Until) -> None:
        self._inner, self._until = inner, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._until, timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(self._until, timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(self._until, timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(until: Until, timeout: float | None, late: type[Exception]) -> float | None:
    """The smaller of a step's own time and what is left of the whole."""
    moment = until()
    if moment is None:
        return timeout
    left = moment - time.monotonic()
    if left <= 0:
        raise late
    return left if timeout is None else min(left, timeout)
