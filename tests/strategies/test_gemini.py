"""The Gemini client over a real socket: one request, one host, one deadline, and no secret in any text."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from strategies.analysts.gemini import Analyst, NoReply, Question
from tests.support.gemini_server import KEY, MODEL, GeminiServer, Said, gemini_server

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
QUESTION = Question("be brief", ('{"a": 1}',), SCHEMA)


@pytest.fixture
def host() -> Iterator[GeminiServer]:
    with gemini_server(lambda body: Said('{"a": 2}')) as server:
        yield server


def analyst(host: GeminiServer, **change: str) -> Analyst:
    return Analyst(**({"api_key": KEY, "base_url": host.url, "model": MODEL} | change))


def silence(host: GeminiServer, *, seconds: float = 5, **change: str) -> NoReply:
    with pytest.raises(NoReply) as silent:
        analyst(host, **change).ask(QUESTION, seconds=seconds)
    assert KEY not in str(silent.value) + repr(vars(silent.value)) + silent.value.body
    return silent.value


def test_a_question_goes_out_as_the_reference_says_and_its_text_comes_back(
    host: GeminiServer,
) -> None:
    reply = analyst(host).ask(QUESTION, seconds=5)
    assert (reply.text, reply.tokens["total"]) == ('{"a": 2}', 1020)
    (sent,) = host.requests
    assert sent["contents"] == [{"role": "user", "parts": [{"text": '{"a": 1}'}]}]
    assert sent["systemInstruction"]["parts"] == [{"text": "be brief"}]
    config = sent["generationConfig"]
    assert (config["responseMimeType"], config["temperature"]) == ("application/json", 0)
    assert config["responseJsonSchema"] == SCHEMA


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"api_key": "another"}, 400, "API key not valid"),
        ({"model": "gemini-none"}, 404, "is not found"),
    ],
)
def test_a_wrong_key_or_model_is_refused_by_the_host(
    host: GeminiServer, change: dict[str, str], status: int, said: str
) -> None:
    refused = silence(host, **change)
    assert (refused.outcome, refused.code, refused.status) == ("REFUSED", "advice_refused", status)
    assert host.requests == [] and said in host.refused[0]


def test_a_schema_that_is_none_is_refused_by_the_host(host: GeminiServer) -> None:
    question = Question("", ("{}",), {"type": "nonsense"})
    with pytest.raises(NoReply) as refused:
        analyst(host).ask(question, seconds=5)
    assert (refused.value.outcome, refused.value.status) == ("REFUSED", 400)
    assert "response_json_schema" in host.refused[0]


@pytest.mark.parametrize("how", ["late", "drip", "headers"])
def test_the_deadline_holds_whatever_the_host_does(host: GeminiServer, how: str) -> None:
    host.model = lambda body: Said(how=how)
    Analyst.warm_up()
    started = time.monotonic()
    late = silence(host, seconds=0.4)
    assert time.monotonic() - started < 5
    assert (late.outcome, late.code) == ("LATE", "advice_late")
    assert len(host.requests) == 1
    while asking := [t for t in threading.enumerate() if t.name == "gemini"]:
        assert time.monotonic() - started < 5, f"{asking} still waits for the host"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("said", "outcome", "code"),
    [
        (Said(how="reset"), "FAILED", "advice_unreachable"),
        (Said(how="raw", status=500, body=b"{}"), "FAILED", "advice_host_failed"),
        (Said(how="raw", status=503, body=b"<html>"), "FAILED", "advice_host_failed"),
        (Said(how="raw", status=429, body=b"{}"), "REFUSED", "advice_refused"),
        (Said(how="raw", body=b"not json"), "FAILED", "advice_unreadable"),
        (Said(how="raw", body=b"[1]"), "FAILED", "advice_empty"),
        (Said(how="raw", body=b"x" * 1_000_001), "FAILED", "advice_too_large"),
        (
            Said(how="raw", body=b"\x1f\x8b", headers={"content-encoding": "gzip"}),
            "FAILED",
            "advice_too_large",
        ),
        (
            Said(how="raw", status=302, headers={"location": "http://127.0.0.1:1/"}),
            "REFUSED",
            "advice_elsewhere",
        ),
        (Said(finish="NONE"), "FAILED", "advice_empty"),
        (Said(finish="BLOCKED"), "REFUSED", "advice_blocked"),
        (Said(finish="SAFETY"), "REFUSED", "advice_blocked"),
        (Said('{"a"', finish="MAX_TOKENS"), "FAILED", "advice_cut"),
        (Said(""), "FAILED", "advice_empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_answer_is_named_and_asked_once(
    host: GeminiServer, said: Said, outcome: str, code: str
) -> None:
    host.model = lambda body: said
    silent = silence(host)
    assert (silent.outcome, silent.code) == (outcome, code)
    assert len(host.requests) == 1


def test_nobody_at_the_address_is_a_failure_not_a_wait(host: GeminiServer) -> None:
    silent = silence(host, base_url="http://127.0.0.1:1")
    assert (silent.outcome, silent.code) == ("FAILED", "advice_unreachable")


def test_the_key_is_in_no_log_and_in_no_description(
    host: GeminiServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        analyst(host).ask(QUESTION, seconds=5)
        host.model = lambda body: Said(how="raw", status=400, body=KEY.encode())
        with pytest.raises(NoReply):
            analyst(host).ask(QUESTION, seconds=5)
    assert KEY not in caplog.text
    assert KEY not in repr(analyst(host))


def test_another_process_setting_does_not_lead_the_client_elsewhere(
    host: GeminiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_API_KEY": "another",
        "GOOGLE_GENAI_API_VERSION": "v9",
        "HTTP_PROXY": "http://127.0.0.1:1",
        "http_proxy": "http://127.0.0.1:1",
    }.items():
        monkeypatch.setenv(name, value)
    assert analyst(host).ask(QUESTION, seconds=5).text == '{"a": 2}'
