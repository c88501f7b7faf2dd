"""A static file is sent whole under ASGI, without a warning, with the headers that WhiteNoise gives it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application


async def asked(
    path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [
            (b"host", b"localhost"),
            *((k.encode(), v.encode()) for k, v in headers.items()),
        ],
    }
    talk = ApplicationCommunicator(get_asgi_application(), scope)
    await talk.send_input({"type": "http.request", "body": b""})
    start = await talk.receive_output(5)
    body, more = b"", True
    while more:
        part = await talk.receive_output(5)
        body += part.get("body", b"")
        more = part.get("more_body", False)
    return start["status"], {k.decode().lower(): v.decode() for k, v in start["headers"]}, body


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.WHITENOISE_ROOT = tmp_path
    (tmp_path / "one.css").write_text("p { color: red }" * 100)
    return tmp_path


@pytest.mark.asyncio
async def test_a_file_comes_whole_and_no_warning_with_it(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        status, headers, body = await asked("/one.css")
        assert (status, body) == (200, (folder / "one.css").read_bytes())
        assert headers["content-type"].startswith("text/css")
        assert headers["content-length"] == str(len(body)) and headers["last-modified"]


@pytest.mark.asyncio
async def test_a_head_has_no_body_and_what_is_known_is_not_sent_again(folder: Path) -> None:
    _status, headers, _body = await asked("/one.css")
    status, _headers, body = await asked("/one.css", "HEAD")
    assert (status, body) == (200, b"")
    known = {"if-modified-since": headers["last-modified"]}
    status, _headers, body = await asked("/one.css", **known)
    assert (status, body) == (304, b"")
