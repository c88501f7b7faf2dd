"""Looking changes nothing, forms need their token, and the policy for content is kept."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from tests.desk.conftest import HASH, PASSWORD, DeskWorld
from trading.models import Account, AccountMember, ApprovalPolicy, ReleaseRequest
from trading.selectors.policies import policy_in_force

UNCOUNTED = {"django_session"}


def every_page(run_id: int) -> list[str]:
    cards = [f"/rebalancing/cards/{name}/" for name in ("standing", "attention", "alive")]
    run = f"/rebalancing/runs/{run_id}/"
    return [
        "/",
        "/rebalancing/",
        "/rebalancing/start/",
        run,
        f"{run}progress/",
        f"{run}action/",
        f"{run}result/",
        "/portfolio/",
        "/health/",
        "/health/part/",
        *cards,
    ]


def rows() -> dict[str, int]:
    return {
        model._meta.db_table: model._default_manager.count()
        for model in apps.get_models()
        if model._meta.managed and model._meta.db_table not in UNCOUNTED
    }


def test_looking_writes_nothing(targeted: DeskWorld) -> None:
    targeted.snapshot()
    run = targeted.run()
    client, before = targeted.client("owner"), rows()
    for path in every_page(run.pk) * 2:
        assert client.get(path).status_code == 200, path
    assert rows() == before


def test_even_an_empty_account_is_only_looked_at(desk: DeskWorld) -> None:
    client, before = desk.client("owner"), rows()
    for path in ("/", "/rebalancing/", "/rebalancing/start/", "/portfolio/", "/health/"):
        client.get(path)
    assert rows() == before


POSTS = (
    "/rebalancing/start/",
    "/rebalancing/look/",
    "/rebalancing/runs/{run}/approve/",
    "/rebalancing/runs/{run}/reject/",
    "/rebalancing/runs/{run}/cancel/",
    "/rebalancing/runs/{run}/resume/",
    "/rebalancing/attempts/1/decide/",
    "/rebalancing/alerts/1/acknowledge/",
    "/rebalancing/accounts/1/resume/",
    "/trading/account/",
    "/trading/switch/stop/",
    "/trading/switch/release/",
    "/looks/",
    "/i18n/setlang/",
)


@pytest.mark.parametrize("path", POSTS)
def test_a_form_without_its_token_is_refused(targeted: DeskWorld, path: str) -> None:
    run = targeted.run()
    client = targeted.client("owner", enforce_csrf_checks=True)
    answer = client.post(
        path.format(run=run.pk), {"plan_hash": HASH}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 403
    run.refresh_from_db()
    assert run.state == "AWAITING_APPROVAL"


@pytest.mark.parametrize("path", [p for p in POSTS if "start" not in p and "setlang" not in p])
def test_acts_are_not_reached_by_looking(targeted: DeskWorld, path: str) -> None:
    run = targeted.run()
    assert targeted.client("owner").get(path.format(run=run.pk)).status_code == 405


_INLINE = re.compile(r"\sstyle\s*=|<style|\son[a-z]+\s*=|javascript:|hx-on|hx-vals", re.IGNORECASE)
_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>", re.IGNORECASE)
_FOREIGN = re.compile(r"""(?:src|href|action)=["']https?://""")


def test_pages_keep_the_content_policy(targeted: DeskWorld) -> None:
    targeted.snapshot()
    run = targeted.run()
    client = targeted.client("owner")
    for path in [*every_page(run.pk), "/nowhere/"]:
        answer = client.get(path)
        text, policy = answer.content.decode(), answer["Content-Security-Policy"]
        assert "unsafe" not in policy, path
        assert "default-src 'self'" in policy
        assert not _INLINE.search(text), (path, _INLINE.search(text))
        assert not _SCRIPT.search(text), path
        assert not _FOREIGN.search(text), path
        assert answer["Cache-Control"] == "no-store"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"


def test_secrets_and_the_whole_account_number_are_nowhere(targeted: DeskWorld) -> None:
    targeted.snapshot()
    run = targeted.run()
    client = targeted.client("owner")
    for path in every_page(run.pk):
        text = client.get(path).content.decode()
        assert "CANARY" not in text
        assert "99887766" not in text


def test_hostile_names_are_shown_inert(targeted: DeskWorld) -> None:
    Account.objects.filter(pk=targeted.account.pk).update(name="<img src=x onerror=alert(1)>")
    text = targeted.client("viewer").get("/").content.decode()
    assert "<img src=x" not in text
    assert "&lt;img src=x" in text


def test_after_login_one_stays_on_the_site(desk: DeskWorld) -> None:
    for target in ("//evil.example/", "https://evil.example/", "javascript:alert(1)"):
        answer = Client().post(
            "/accounts/login/", {"username": "viewer", "password": PASSWORD, "next": target}
        )
        assert answer["Location"] == "/"
        looks = desk.client("viewer").post("/looks/", {"theme": "dark", "next": target})
        assert looks["Location"] == "/"


def test_five_wrong_passwords_close_the_door_for_a_while(desk: DeskWorld) -> None:
    from django.core.cache import cache

    cache.clear()
    client, wrong = Client(), {"username": "viewer", "password": "wrong"}
    first = client.post("/accounts/login/", wrong)
    assert "이름이나 비밀번호가 맞지 않습니다" in first.content.decode()
    for _ in range(4):
        client.post("/accounts/login/", wrong)
    answer = client.post("/accounts/login/", {"username": "viewer", "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    other = Client(REMOTE_ADDR="10.0.0.9")
    elsewhere = other.post("/accounts/login/", {"username": "viewer", "password": PASSWORD})
    assert (elsewhere.status_code, elsewhere["Retry-After"]) == (429, "60")
    cache.clear()


def test_a_very_long_password_is_answered_like_a_wrong_one(desk: DeskWorld) -> None:
    answer = Client().post("/accounts/login/", {"username": "viewer", "password": "x" * 4096})
    assert answer.status_code == 200
    assert "이름이나 비밀번호가 맞지 않습니다" in answer.content.decode()


def test_the_stop_button_stops_and_the_release_needs_a_reason(desk: DeskWorld) -> None:
    from trading.services.switches import switch_state

    data = {"account": desk.account.pk}
    desk.client("trader").post("/trading/switch/stop/", data)
    assert switch_state(desk.account) == "HALTED"
    admin = desk.client("admin")
    refused = admin.post("/trading/switch/release/", data, follow=True)
    assert "이유를 적어 주세요" in refused.content.decode()
    assert switch_state(desk.account) == "HALTED"
    admin.post("/trading/switch/release/", data | {"reason": "checked"})
    assert switch_state(desk.account) == "ACTIVE"


def test_four_eyes_release_needs_another_person(desk: DeskWorld) -> None:
    from trading.services.switches import switch_state

    desk.policy("four_eyes")
    data: dict[str, Any] = {"account": desk.account.pk, "reason": "checked"}
    desk.client("trader").post("/trading/switch/stop/", data)
    admin = desk.client("admin")
    answer = admin.post("/trading/switch/release/", data, follow=True).content.decode()
    assert "해제를 요청했습니다" in answer and "동의하고 해제" not in answer
    assert switch_state(desk.account) == "HALTED"
    asked = ReleaseRequest.objects.get()
    refused = admin.post("/trading/switch/agree/", {"request": asked.pk}, follow=True)
    assert "다른 사람의 동의가 필요합니다" in refused.content.decode()
    approver = desk.client("approver")
    assert "동의하고 해제" in approver.get("/health/").content.decode()
    approver.post("/trading/switch/agree/", {"request": asked.pk})
    assert switch_state(desk.account) == "ACTIVE"


def test_a_request_may_be_taken_back(desk: DeskWorld) -> None:
    desk.policy("four_eyes")
    data: dict[str, Any] = {"account": desk.account.pk, "reason": "checked"}
    desk.client("trader").post("/trading/switch/stop/", data)
    desk.client("admin").post("/trading/switch/release/", data)
    asked = ReleaseRequest.objects.get()
    desk.client("admin").post("/trading/switch/agree/", {"request": asked.pk, "withdraw": "1"})
    asked.refresh_from_db()
    assert asked.outcome == "withdrawn"


def test_a_real_accounts_looser_policy_waits_for_the_health_page(desk: DeskWorld) -> None:
    Account.objects.update(environment="real")
    desk.account.refresh_from_db()
    desk.policy("four_eyes")
    loose = ApprovalPolicy.objects.create(
        account=desk.account, kind="four_eyes", automatic=True, created_by="admin"
    )
    data = {"account": desk.account.pk, "policy": loose.pk}
    admin, approver = desk.proved("admin"), desk.proved("approver")
    seen = admin.get("/health/").content.decode()
    assert "동의를 기다리는 승인 정책" in seen and "이 정책에 동의" not in seen
    admin.post("/trading/policy/agree/", data)
    assert policy_in_force(desk.account) != loose
    assert "이 정책에 동의" in approver.get("/health/").content.decode()
    approver.post("/trading/policy/agree/", data)
    assert policy_in_force(desk.account) == loose


def test_a_broken_page_says_what_is_safe_and_a_number_to_quote(
    desk: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("portfolio.views.holdings_of", broken)
    client = desk.client("viewer")
    client.raise_request_exception = False
    answer = client.get("/portfolio/")
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "기록은 안전합니다" in text
    assert answer["X-Request-Id"] in text
    assert "secret detail" not in text


@pytest.mark.parametrize("path", ["/nowhere/", "/rebalancing/runs/999999/", "/rebalancing/runs/x/"])
def test_what_is_not_there(desk: DeskWorld, path: str) -> None:
    answer = desk.client("viewer").get(path)
    assert answer.status_code == 404
    assert "찾을 수 없습니다" in answer.content.decode()


@pytest.mark.parametrize("typed", ["²", "x", "", "1" * 30, "-1"])
@pytest.mark.parametrize("act", ["switch/agree", "policy/agree"])
def test_a_number_that_is_none_is_not_there(desk: DeskWorld, act: str, typed: str) -> None:
    data = {"request": typed, "policy": typed, "account": desk.account.pk}
    assert desk.client("approver").post(f"/trading/{act}/", data).status_code == 404


def test_only_a_member_of_every_account_lets_everything_trade_again(
    desk: DeskWorld,
) -> None:
    from trading.services.switches import switch_state

    everything: dict[str, Any] = {"scope": "global", "reason": "checked"}
    desk.client("trader").post("/trading/switch/stop/", everything)
    other = Account.objects.create(
        name="other", environment="sim", wire="real", account_no="55556666-01"
    )
    refused = desk.client("admin").post("/trading/switch/release/", everything, follow=True)
    assert "모든 계좌의 구성원만" in refused.content.decode()
    assert switch_state(desk.account) == "HALTED"
    AccountMember.objects.create(account=other, user=desk.people["admin"])
    desk.client("admin").post("/trading/switch/release/", everything)
    assert switch_state(desk.account) == "ACTIVE"
