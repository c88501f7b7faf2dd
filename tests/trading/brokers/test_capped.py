"""A host that drips, floods or falls silent costs so many seconds and so many bytes, on every call."""

from __future__ import annotations

import resource
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import httpx2
import pytest

from tests.trading.brokers.test_client import CREDENTIALS, QUOTE, Budget, Tokens
from trading.brokers.kis import auth
from trading.brokers.kis import client as module
from trading.brokers.kis.auth import issue_approval, issue_token, revoke_token
from trading.brokers.kis.capped import TimedTransport, TooMuch, exchange
from trading.brokers.kis.client import KisClient
from trading.domain.errors import BrokerError
from trading.domain.sessions import SEOUL

SECONDS = 0.6
NOW = datetime(2026, 11, 20, 9, 35, tzinfo=SEOUL)
Speak = Callable[[socket.socket, threading.Event], None]


def _drip(first: bytes) -> Speak:
    """A byte at a time for as long as anybody listens: no read ever waits long."""

    def speak(line: socket.socket, over: threading.Event) -> None:
        line.sendall(first)
        while not over.wait(0.05):
            line.sendall(b"a")

    return speak


def _packed(megabytes: int) -> bytes:
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    return b"".join(packer.compress(b" " * 1_000_000) for _ in range(megabytes)) + packer.flush()


BOMB = _packed(300)


def _bomb(line: socket.socket, over: threading.Event) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(BOMB)}\r\n\r\n"
    line.sendall(head.encode() + BOMB)


@contextmanager
def host(speak: Speak) -> Iterator[str]:
    server, over = socket.create_server(("127.0.0.1", 0)), threading.Event()
    server.settimeout(0.1)

    def serve() -> None:
        while not over.is_set():
            try:
                line, _address = server.accept()
            except TimeoutError:
                continue
            with line:
                try:
                    line.recv(65_536)
                    speak(line, over)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        over.set()
        thread.join(5)
        server.close()


def calls(url: str) -> list[Callable[[], object]]:
    http = httpx2.Client(transport=TimedTransport(), trust_env=False, timeout=5)
    kis = KisClient(
        base_url=url,
        wire="real",
        credentials=CREDENTIALS,
        tokens=Tokens(),
        budget=Budget(),
        http=http,
        tries=1,
    )
    return [
        lambda: kis.read("inquire_price", QUOTE),
        lambda: kis.hash_of(b"{}"),
        lambda: issue_token(url, CREDENTIALS, NOW, http),
        lambda: issue_approval(url, CREDENTIALS, http),
        lambda: revoke_token(url, CREDENTIALS, "t", http),
    ]


NAMES = ("a read", "a hash", "a token", "an approval key", "a revocation")


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for where in (module, auth):
        monkeypatch.setattr(where, "TOTAL_SECONDS", SECONDS)


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
@pytest.mark.parametrize(
    "first",
    [b"", b"HTTP/1.1 200 OK\r\nX-A: ", b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n"],
    ids=["before a line", "in a header", "in the body"],
)
def test_a_host_that_drips_is_left_after_the_whole_time(first: bytes, number: int) -> None:
    with host(_drip(first)) as url:
        began = time.monotonic()
        with pytest.raises(BrokerError):
            calls(url)[number]()
        assert time.monotonic() - began < SECONDS + 3


def test_a_slow_body_is_left_even_over_sockets_that_do_not_know_the_time() -> None:
    with (
        host(_drip(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n")) as url,
        httpx2.Client(trust_env=False, timeout=5) as http,
        pytest.raises(TooMuch),
    ):
        exchange(http, "GET", url, most=1_000, seconds=SECONDS)


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_a_small_answer_that_unpacks_into_much_is_not_unpacked(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for where in (module, auth):
        monkeypatch.setattr(where, "TOTAL_SECONDS", 20.0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with host(_bomb) as url, pytest.raises(BrokerError):
        calls(url)[number]()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 80_000, "kB"


def test_a_packed_answer_of_usual_size_is_read() -> None:
    body = b'{"rt_cd": "0", "msg_cd": "MCA00000", "msg1": "", "output": {}}'
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    packed = packer.compress(body) + packer.flush()

    def speak(line: socket.socket, over: threading.Event) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"
        line.sendall(head.encode() + packed)

    with host(speak) as url:
        answer: Any = calls(url)[0]()
    assert answer.body["rt_cd"] == "0"
