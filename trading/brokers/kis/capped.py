"""One exchange that is over after so many seconds and so many bytes, whatever the other side does.

A packed body is counted as it unpacks, so that a small answer cannot fill the memory.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from trading.sources.deadlines import TimedBackend, trust

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
            ssl_context=trust(),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=TimedBackend(_until.get),
        )
