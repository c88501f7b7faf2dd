"""HTTP/1.1, as little as is needed: read one request, write one reply, header case kept."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = [
    "BadRequest",
    "Reply",
    "Request",
    "compact",
    "encode",
    "html_reply",
    "json_reply",
    "read_request",
]

HEAD_LIMIT = 64 * 1024
BODY_LIMIT = 1024 * 1024
REASONS = {
    200: "OK", 307: "Temporary Redirect", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 409: "Conflict", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout",
}  # fmt: skip


compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""A value as the broker spells JSON: no spaces, Korean as it is."""


class BadRequest(Exception):
    """Bytes that are not a request this server reads."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower case, query and body names are left as sent."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def body_hash(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    def json(self) -> dict[str, Any]:
        """The body as an object. Raises BadRequest when it is not one."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError as error:
            raise BadRequest("the body is not JSON") from error
        if not isinstance(value, dict):
            raise BadRequest("the body is not an object")
        return value


@dataclass(slots=True)
class Reply:
    """What is sent back; `headers` are written exactly as spelt here."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def json_reply(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    body = compact(value).encode()
    return Reply(
        status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    )


def html_reply(status: int) -> Reply:
    title = f"{status} {REASONS.get(status, '')}".strip()
    text = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Reply(status, text.encode(), {"Content-Type": "text/html"})


def encode(reply: Reply, at: datetime, close: bool = False) -> bytes:
    """The reply's bytes; `Date` is the simulator's own time."""
    lines = [f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Unknown')}"]
    headers = {
        "Date": format_datetime(at.astimezone(UTC), usegmt=True),
        "Content-Length": str(len(reply.body)),
        "Connection": "close" if close else "keep-alive",
        **reply.headers,
    }
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + reply.body


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection, None when the client closed it between requests."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise BadRequest("the connection ended inside a request") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise BadRequest("the headers are too long") from error
    first, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest("not an HTTP/1 request line")
    headers: dict[str, str] = {}
    for line in rest:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest("a header without a colon")
        headers[name.strip().lower()] = value.strip()
    body = await _body(reader, headers)
    # some clients join host and path with a slash too many; the broker does not mind
    target = urlsplit("/" + parts[1].lstrip("/"))
    query = dict(parse_qsl(target.query, keep_blank_values=True))
    return Request(parts[0].upper(), unquote(target.path), query, headers, body)


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return await _chunks(reader)
    try:
        length = int(headers.get("content-length", "0"))
    except ValueError as error:
        raise BadRequest("Content-Length is not a number") from error
    if not 0 <= length <= BODY_LIMIT:
        raise BadRequest("the body is too long")
    return await reader.readexactly(length) if length else b""


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        line = await reader.readline()
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError as error:
            raise BadRequest("a chunk without a size") from error
        if size < 0 or len(body) + size > BODY_LIMIT:
            raise BadRequest("the body is too long")
        chunk = await reader.readexactly(size + 2)
        if not size:
            return body
        body += chunk[:-2]
