"""Secrets never reach a log line, whatever shape they arrive in."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
import structlog

from config.logs import configure, logging_config, mask


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.CANARY.sig",
        '{"appkey": "CANARYKEY", "appsecret": "CANARYSEC"}',
        "appkey=CANARYKEY&appsecret=CANARYSEC",
        "token eyJhbGciOiJIUzI1NiJ9.eyJDQU5BUlki.CANARYSIG",
        '{"CANO": "99887766"}',
        "account 99887766-01",
        "9988776601^0000012345^",
        "Authorization: Token CANARYTOKEN",
        "{'authorization': 'Basic CANARYBASIC'}",
        "postgresql://jeoul:CANARYPW@host:5432/jeoul",
        "redis://:CANARYPW@host:6379/0",
        "password=CANARYPW&token=CANARYTOKEN",
        "SECRET_KEY=CANARYSECRET",
        '{"body": "{\\"appkey\\": \\"CANARYKEY\\"}"}',
    ],
)
def test_a_secret_in_a_text_is_masked(text: str) -> None:
    masked = mask(text)
    assert "CANARY" not in masked
    assert "99887766" not in masked


def test_what_is_no_secret_stays() -> None:
    text = "order 0000012345 cost 1234567890.01 filled 10 of 069500 on 20261120, see http://127.0.0.1:8000/a?b=1"
    assert mask(text) == text
    assert mask("token_issued, expires 2026-11-21") == "token_issued, expires 2026-11-21"


def test_control_characters_cannot_forge_a_line() -> None:
    assert "\x1b" not in mask("\x1b[31mred") and "\r" not in mask("a\rb")


@pytest.fixture
def lines(tmp_path: Any, settings: Any) -> Any:
    stream = io.StringIO()
    config = logging_config(tmp_path, "INFO")
    config["handlers"]["stderr"]["stream"] = stream
    configure(config)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    configure(settings.LOGGING)


def test_every_line_is_json_with_its_ids_and_no_secret(lines: Any) -> None:
    log = structlog.get_logger("test")
    with structlog.contextvars.bound_contextvars(run_id=7, request_id="abc"):
        log.info("step", app_key="CANARYKEY", nested={"access_token": "CANARYTOKEN", "ok": 1})
        logging.getLogger("plain").warning("appsecret=CANARYSEC")
        log.info(
            "shapes",
            body=b'{"appkey": "CANARYKEY"}',
            headers=[("appkey", "CANARYKEY"), (b"authorization", b"Bearer CANARY")],
            inner={b"appsecret": "CANARYSEC"},
            error=ValueError("token=CANARYTOKEN"),
        )
    first, second, third = lines()[-3:]
    assert "CANARY" not in json.dumps(third) and third["error"].startswith("ValueError")
    assert (first["run_id"], first["request_id"], first["nested"]["ok"]) == (7, "abc", 1)
    assert second["run_id"] == 7
    assert "CANARY" not in json.dumps([first, second])


def _refused(status: int) -> None:
    """As the framework logs a refusal: with the exception that made it one."""
    from django.core.exceptions import PermissionDenied

    try:
        raise PermissionDenied
    except PermissionDenied:
        log = logging.getLogger("django.request")
        log.warning("Forbidden: %s", "/x/", extra={"status_code": status}, exc_info=True)


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_request_that_was_refused_is_one_line_without_a_trace(lines: Any, status: int) -> None:
    _refused(status)
    assert lines()[-1]["event"] == "Forbidden: /x/" and "exception" not in lines()[-1]


def test_a_request_that_broke_keeps_its_trace(lines: Any) -> None:
    _refused(500)
    assert "PermissionDenied" in lines()[-1]["exception"]
