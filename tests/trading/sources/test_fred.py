"""One published figure from a host that speaks FRED: dated, strict, quick, and never with its key in a text."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from trading.domain.errors import SourceError
from trading.domain.series import Observation
from trading.sources.fred import VIX, newest

KEY = "CANARYFRED" + "f" * 22
FRIDAY = date(2026, 11, 27)


@dataclass
class Host:
    """Answers as the reference says: 400 for a wrong key or field, rows newest first, a holiday's value "."."""

    values: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    status: int = 200
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str) -> tuple[int, bytes]:
        parts = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append(asked)
        known = {"series_id", "api_key", "file_type", "sort_order", "limit", "observation_end"}
        right = parts.path == "/fred/series/observations" and asked.get("api_key") == KEY
        if not right or set(asked) != known or asked["series_id"] != VIX:
            return 400, json.dumps({"error_code": 400, "error_message": "Bad Request."}).encode()
        if self.body is not None:
            return self.status, self.body
        days = sorted((d for d in self.values if d <= asked["observation_end"]), reverse=True)
        rows = [
            {"realtime_start": d, "realtime_end": d, "date": d, "value": self.values[d]}
            for d in days[: int(asked["limit"])]
        ]
        return self.status, json.dumps({"count": len(rows), "observations": rows}).encode()


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host({"2026-11-25": "15.52", "2026-11-26": ".", "2026-11-27": "16.01"})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = made.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/fred"
    yield made
    server.shutdown()
    server.server_close()
    thread.join(5)


def ask(host: Host, until: date = FRIDAY, key: str = KEY) -> Observation:
    with httpx2.Client(trust_env=False) as http:
        return newest(VIX, until, base_url=host.url, api_key=key, http=http)


def test_the_last_value_up_to_a_day_is_told_with_its_day(host: Host) -> None:
    assert ask(host) == Observation(VIX, FRIDAY, Decimal("16.01"))
    assert ask(host, date(2026, 11, 26)) == Observation(VIX, date(2026, 11, 25), Decimal("15.52"))


def test_a_value_of_tomorrow_is_never_told(host: Host) -> None:
    host.body = json.dumps(
        {
            "observations": [
                {"date": "2026-11-30", "value": "99"},
                {"date": "2026-11-24", "value": "14"},
            ]
        }
    ).encode()
    assert ask(host).day == date(2026, 11, 24)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"observations": "none"}',
        b'{"observations": []}',
        b'{"observations": [{"date": "2026-11-27", "value": "."}]}',
        b'{"observations": [{"date": "2026-11-27", "value": "1,600"}]}',
        b'{"observations": [{"date": "2026-11-27", "value": "NaN"}]}',
        b'{"observations": [{"date": "2026-11-27", "value": 16}]}',
        b'{"observations": [{"date": "27.11.2026", "value": "16"}]}',
        b'{"observations": [7]}',
        b"\xff\xfe",
        b" " * 200_000,
    ],
)
def test_what_cannot_be_read_is_no_figure(host: Host, body: bytes) -> None:
    host.body = body
    with pytest.raises(SourceError):
        ask(host)


@pytest.mark.parametrize("status", [400, 403, 429, 500, 302])
def test_a_refusal_is_no_figure(host: Host, status: int) -> None:
    host.body, host.status = b'{"observations": []}', status
    with pytest.raises(SourceError, match=str(status)):
        ask(host)


@pytest.mark.parametrize(
    "break_it", [lambda h: None, lambda h: setattr(h, "url", "http://127.0.0.1:1")]
)
def test_the_key_is_in_no_error(host: Host, break_it: Callable[[Host], None]) -> None:
    break_it(host)
    wrong = KEY[:-1] + "x"
    with pytest.raises(SourceError) as refused:
        ask(host, key=wrong)
    assert "CANARY" not in str(refused.value) and refused.value.__cause__ is None
