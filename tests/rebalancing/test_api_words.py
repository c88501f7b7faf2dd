"""What the API says to people, it says in the language they asked for; the code is the same in both."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from config.throttles import WriteThrottle
from tests.rebalancing.contract_calls import BASE, client_for
from tests.support.world import World, make_user

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]
HANGUL = re.compile(r"[가-힣]")
CONFIG, RUNS = f"{BASE}/rebalancing/config", f"{BASE}/rebalancing/runs"
Ask = Callable[[APIClient, dict[str, str]], Any]


def send(method: str, path: str, body: Any = None, **more: Any) -> Ask:
    def ask(client: APIClient, head: dict[str, str]) -> Any:
        return getattr(client, method)(path, body, format="json", **head, **more)

    return ask


def raw(body: bytes, kind: str = "application/json") -> Ask:
    def ask(client: APIClient, head: dict[str, str]) -> Any:
        return client.generic("POST", CONFIG, body, content_type=kind, **head)

    return ask


def stranger(_client: APIClient, head: dict[str, str]) -> Any:
    return APIClient().get(CONFIG, **head)


def without_csrf(client: APIClient, head: dict[str, str]) -> Any:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(client.handler._force_user)
    return browser.post(CONFIG, {}, content_type="application/json", **head)


def bad_token(_client: APIClient, head: dict[str, str]) -> Any:
    return APIClient().get(CONFIG, HTTP_AUTHORIZATION="Token none", **head)


REFUSALS: list[tuple[str, Ask, int, str]] = [
    ("no such row", send("get", f"{BASE}/orders/99"), 404, "not_found"),
    ("no such page", send("get", f"{BASE}/orders?page=9"), 404, "not_found"),
    ("no such address", send("get", "/api/nothing"), 404, "not_found"),
    ("no such portfolio", send("get", f"{BASE}/model-portfolios/x/versions"), 404, "not_found"),
    ("no such method", send("delete", CONFIG), 405, "method_not_allowed"),
    ("no such form", send("get", CONFIG, HTTP_ACCEPT="text/csv"), 406, "not_acceptable"),
    ("another kind of body", raw(b"a=1", "text/plain"), 415, "unsupported_media_type"),
    ("no JSON", raw(b"{"), 400, "bad_input"),
    ("twice", raw(b'{"a": 1, "a": 2}'), 400, "bad_input"),
    ("no number", raw(b'{"a": NaN}'), 400, "bad_input"),
    ("no text", raw(b'{"a": "\\u0000"}'), 400, "bad_input"),
    ("no UTF-8", raw(b"\xff"), 400, "bad_input"),
    ("too deep", raw(b"[" * 30 + b"]" * 30), 400, "bad_input"),
    ("too large", raw(b'{"a": "' + b"x" * 300_000 + b'"}'), 400, "bad_input"),
    ("a list", raw(b"[1]"), 400, "bad_input"),
    ("fields missing", send("post", CONFIG, {}), 400, "bad_input"),
    ("fields null", send("post", CONFIG, {"mp_threshold_percent": None}), 400, "bad_input"),
    ("field too large", send("post", CONFIG, {"mp_threshold_percent": 51}), 400, "bad_input"),
    ("field too fine", send("post", CONFIG, {"mp_threshold_percent": "3.14"}), 400, "bad_input"),
    ("no slug", send("put", f"{BASE}/targets", {"model_portfolio": "한글"}), 400, "bad_input"),
    ("no list", send("put", f"{BASE}/targets", {"sub_portfolios": "x"}), 400, "bad_input"),
    ("no object", send("put", f"{BASE}/model-portfolios", {"weights": 1}), 400, "bad_input"),
    ("empty object", send("put", f"{BASE}/model-portfolios", {"weights": {}}), 400, "bad_input"),
    ("no choice", send("post", RUNS, {"planner": "x"}, HTTP_IDEMPOTENCY_KEY="k" * 8), 400, "bad_input"),
    ("no integer", send("post", RUNS, {"account": "x"}, HTTP_IDEMPOTENCY_KEY="k" * 8), 400, "bad_input"),
    ("no key", send("post", RUNS, {}), 400, "bad_input"),
    ("a wrong filter", send("get", f"{RUNS}?sort=1"), 400, "bad_input"),
    ("nobody", stranger, 401, "not_authenticated"),
    ("a wrong token", bad_token, 401, "not_authenticated"),
    ("no CSRF token", without_csrf, 403, "forbidden"),
]  # fmt: skip


def texts(node: Any) -> list[str]:
    """Every sentence for people in `errors`."""
    if isinstance(node, dict):
        return [text for inner in node.values() for text in texts(inner)]
    if isinstance(node, list):
        return [text for inner in node for text in texts(inner)]
    return [str(node)]


def said(answer: Any) -> list[str]:
    body = answer.json()
    reasons = [each["detail"] for each in body.get("violations", [])]
    return [body["title"], body["detail"], *reasons, *texts(body.get("errors", []))]


@pytest.mark.parametrize(
    ("ask", "status", "code"), [r[1:] for r in REFUSALS], ids=[r[0] for r in REFUSALS]
)
def test_a_refusal_is_korean_for_koreans_and_english_for_others_under_one_code(
    world: World, ask: Ask, status: int, code: str
) -> None:
    client = client_for(world.owner)
    for language, korean in (("", True), ("ko", True), ("en", False), ("ko-KR,ko;q=0.9", True)):
        answer = ask(client, {"HTTP_ACCEPT_LANGUAGE": language} if language else {})
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
        for text in said(answer):
            assert bool(HANGUL.search(text)) is korean, (language, text)


def test_a_role_that_is_missing_and_a_pause_are_said_in_both_languages(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = client_for(make_user("viewer", "viewer"))
    monkeypatch.setattr(WriteThrottle, "THROTTLE_RATES", {"writes": "1/min"})
    owner = client_for(world.owner)
    owner.post(CONFIG, {}, format="json")
    for language, korean in (("ko", True), ("en", False)):
        head = {"HTTP_ACCEPT_LANGUAGE": language}
        for answer in (
            viewer.post(CONFIG, {}, format="json", **head),
            owner.post(CONFIG, {}, format="json", **head),
        ):
            assert answer.status_code in (403, 429)
            assert all(bool(HANGUL.search(text)) is korean for text in said(answer)), said(answer)


def test_titles_are_the_words_of_the_standard_in_english(world: World) -> None:
    client = client_for(world.owner)
    for ask, title in (
        (send("get", f"{BASE}/orders/99"), "Not Found"),
        (send("delete", CONFIG), "Method Not Allowed"),
        (raw(b"{"), "Bad Request"),
    ):
        assert ask(client, {"HTTP_ACCEPT_LANGUAGE": "en"}).json()["title"] == title


@pytest.mark.parametrize(
    ("language", "unknown", "unread", "choice"),
    [
        (
            "ko",
            "그런 거르는 이름은 없습니다: colour. 쓸 수 있는 이름: account, action,",
            "side의 값을 읽을 수 없습니다: sell. 쓸 수 있는 값: SELL, BUY.",
            "쓸 수 없는 값입니다: ACTIVE. 쓸 수 있는 값: REDUCING, HALTED. 다시 거래하게",
        ),
        (
            "en",
            "There is no filter of that name: colour. The names are: account, action,",
            "The value of side cannot be read: sell. It may be: SELL, BUY.",
            "This is no choice: ACTIVE. It may be: REDUCING, HALTED. A release",
        ),
    ],
)
def test_a_refusal_names_what_may_be_asked_for_and_chosen(
    world: World, language: str, unknown: str, unread: str, choice: str
) -> None:
    client = client_for(world.owner)
    client.credentials(HTTP_ACCEPT_LANGUAGE=language)

    def detail(query: str) -> str:
        return str(client.get(f"{BASE}/orders?{query}").json()["violations"][0]["detail"])

    assert detail("colour=red").startswith(unknown)
    assert detail("side=sell") == unread
    body = {"scope": "global", "state": "ACTIVE"}
    errors = client.post(f"{BASE}/switches", body, format="json").json()["errors"]
    assert errors["state"][0].startswith(choice)
    assert client.get(f"{BASE}/orders?side=SELL").status_code == 200
    taken = client.post(f"{BASE}/switches", body | {"state": "REDUCING"}, format="json")
    assert taken.status_code == 201


def test_an_address_that_is_not_there_is_answered_in_plain_korean(world: World) -> None:
    told = client_for(world.owner).get("/api/nowhere").content.decode()
    assert "이 주소에는 아무것도 없습니다" in told and "\\u" not in told


def test_a_run_that_is_answered_again_says_so(world: World) -> None:
    client = client_for(world.owner)
    wanted = {"account": world.account.pk, "dry_run": True}
    first, again = (
        client.post(
            f"{BASE}/rebalancing/runs", wanted, format="json", HTTP_IDEMPOTENCY_KEY="run-00001"
        )
        for _twice in range(2)
    )
    assert (first.status_code, again.status_code) == (201, 200)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_the_schema_says_which_clock_a_moment_is_by(world: World) -> None:
    schema = client_for(world.owner).get("/api/schema/?format=json").json()["components"]["schemas"]
    moments = {
        (shape, name): field.get("description", "")
        for shape, body in schema.items()
        for name, field in body.get("properties", {}).items()
        if field.get("format") == "date-time"
    }
    assert len(moments) > 20 and [at for at, told in moments.items() if "clock" not in told] == []
    assert moments["AuditShape", "at"].startswith("by the real clock")
    assert moments["RunSummary", "created_at"].startswith("by the market's clock")
