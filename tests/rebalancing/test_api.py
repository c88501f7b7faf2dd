"""The rebalancing API from outside: shapes, refusals that list every reason, nobody else's account."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from config.throttles import WriteThrottle
from rebalancing.models import RebalancingConfig, Run
from tests.support.authenticator import enrolled
from tests.support.world import World, make_user
from trading.models import Account, AccountMember, Alert, AuditEntry

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]
BASE = "/api/macro-trading"
KEY = {"HTTP_IDEMPOTENCY_KEY": "key-0001"}


def client_for(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def owner(world: World) -> APIClient:
    return client_for(world.owner)


def test_the_defaults_are_the_documented_ones(owner: APIClient) -> None:
    body = owner.get(f"{BASE}/rebalancing/config").json()
    assert body["mp_threshold_percent"] == "3.0"
    assert body["sub_mp_threshold_percent"] == "5.0"


@pytest.mark.parametrize(
    "value", ["3,0", "３", "3;DROP", True, None, "", "NaN", -1, 0, "0.09", 50.1, "1e1", [3], 3.14]
)
def test_a_bad_threshold_changes_nothing(owner: APIClient, value: Any) -> None:
    before = RebalancingConfig.objects.count()
    answer = owner.post(
        f"{BASE}/rebalancing/config",
        {"mp_threshold_percent": value, "sub_mp_threshold_percent": "5.0"},
        format="json",
    )
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "bad_input"
    assert RebalancingConfig.objects.count() == before


@pytest.mark.parametrize("value", ["0.1", 50, "3.5", 0.1])
def test_a_good_threshold_becomes_a_new_row(owner: APIClient, value: Any) -> None:
    owner.get(f"{BASE}/rebalancing/config")
    answer = owner.post(
        f"{BASE}/rebalancing/config",
        {"mp_threshold_percent": value, "sub_mp_threshold_percent": "4.0"},
        format="json",
    )
    assert answer.status_code == 201
    assert RebalancingConfig.objects.count() == 2
    assert owner.get(f"{BASE}/rebalancing/config").json()["sub_mp_threshold_percent"] == "4.0"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"account": 1, "account": 2}', 400),
        (b'{"account": 1, "dry_run": "yes"}', 400),
        (b'{"account": 1, "state": "APPROVED"}', 400),
        (b'{"account": 1, "planner": "fallback"}', 400),
        (b'{"account": NaN}', 400),
        (b"[" * 1000, 400),
        (b"x" * 300_000, 400),
        (b"\xff\xfe", 400),
        (b"", 400),
    ],
)
def test_a_malformed_request_is_a_400_and_opens_nothing(
    owner: APIClient, body: bytes, status: int
) -> None:
    answer = owner.generic(
        "POST", f"{BASE}/rebalancing/runs", body, content_type="application/json", **KEY
    )
    assert answer.status_code == status
    assert not Run.objects.exists()


def test_a_run_needs_an_idempotency_key(owner: APIClient, world: World) -> None:
    answer = owner.post(f"{BASE}/rebalancing/runs", {"account": world.account.pk}, format="json")
    assert answer.status_code == 400
    assert answer.json()["violations"][0]["code"] == "idempotency_key"


def test_a_key_used_for_one_account_opens_nothing_on_another(
    owner: APIClient, world: World
) -> None:
    other = Account.objects.create(
        name="Second", environment="sim", wire=world.account.wire, app_key="k", app_secret="s"
    )
    AccountMember.objects.create(account=other, user=world.owner)
    path, body = f"{BASE}/rebalancing/runs", {"account": world.account.pk}
    assert owner.post(path, body, format="json", **KEY).status_code == 201
    answer = owner.post(path, {"account": other.pk}, format="json", **KEY)
    assert (answer.status_code, answer.json()["code"]) == (409, "key_used_for_another_request")
    assert not other.runs.exists()
    fresh = owner.post(path, {"account": other.pk}, format="json", HTTP_IDEMPOTENCY_KEY="key-0002")
    assert fresh.json().get("code") != "key_used_for_another_request"


def test_the_same_key_answers_with_the_same_run(owner: APIClient, world: World) -> None:
    body = {"account": world.account.pk, "dry_run": True}
    first = owner.post(f"{BASE}/rebalancing/runs", body, format="json", **KEY)
    second = owner.post(f"{BASE}/rebalancing/runs", body, format="json", **KEY)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["run"] == second.json()["run"]
    for change in ({"dry_run": False}, {"planner": "gemini"}):
        other = owner.post(f"{BASE}/rebalancing/runs", body | change, format="json", **KEY)
        assert (other.status_code, other.json()["code"]) == (409, "key_used_for_another_request")


@pytest.mark.once
def test_a_run_may_ask_for_advice_and_the_same_key_still_answers(
    owner: APIClient, world: World, settings: Any
) -> None:
    settings.GEMINI_API_KEY = ""
    body = {"account": world.account.pk, "dry_run": True, "planner": "gemini"}
    path = f"{BASE}/rebalancing/runs"
    first = owner.post(path, body, format="json", **KEY)
    assert (first.status_code, first.json()["planner"]) == (201, "gemini")
    world.drive(Run.objects.get())
    again = owner.post(path, body, format="json", **KEY)
    assert (again.status_code, again.json()["planner"]) == (200, "fallback")
    told = owner.get(f"{path}/{first.json()['run']}").json()["advice"]
    assert (told["state"], told["reasons"]) == ("NOT_ASKED", [{"code": "advice_no_key"}])


def test_two_keys_that_begin_alike_are_two_wishes(owner: APIClient, world: World) -> None:
    wish = {"account": world.account.pk, "dry_run": True}
    path = f"{BASE}/rebalancing/runs"
    for number, end in enumerate(("A" * 8, "B" * 8), start=1):
        key = {"HTTP_IDEMPOTENCY_KEY": "k" * 56 + end}
        assert owner.post(path, wish, format="json", **key).status_code == 201
        assert Run.objects.count() == number
        world.drive(Run.objects.latest("pk"))


@pytest.mark.parametrize("text", ["\ud800", "\x00"])
@pytest.mark.parametrize("path", ["/model-portfolios", "/sub-portfolios", "/targets"])
def test_a_text_that_no_database_keeps_is_a_400(
    owner: APIClient, world: World, path: str, text: str
) -> None:
    body = json.dumps({"account": world.account.pk, "weights": {text: 100}})
    answer = owner.put(BASE + path, body, content_type="application/json")
    assert (answer.status_code, answer.json()["status"]) == (400, 400)


def test_a_query_with_a_nul_and_a_question_of_options_are_no_500(
    owner: APIClient, world: World
) -> None:
    assert owner.get(f"{BASE}/rebalancing/runs?state=%00").status_code == 400
    assert owner.options(f"{BASE}/rebalancing/runs").status_code == 405


def test_a_second_run_is_refused_while_one_is_active(owner: APIClient, world: World) -> None:
    body = {"account": world.account.pk}
    run = owner.post(f"{BASE}/rebalancing/runs", body, format="json", **KEY).json()["run"]
    again = owner.post(
        f"{BASE}/rebalancing/runs", body, format="json", HTTP_IDEMPOTENCY_KEY="key-0002"
    )
    assert (again.status_code, again.json()["code"], again.json()["run"]) == (
        409,
        "run_active",
        run,
    )


def test_a_plan_is_approved_by_its_hash_and_only_once(owner: APIClient, world: World) -> None:
    run = world.drive(world.open(), approve=False)
    url = f"{BASE}/rebalancing/runs/{run.pk}/approve"
    wrong = owner.post(url, {"plan_hash": "0" * 64}, format="json")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "stale_plan")
    right = owner.post(url, {"plan_hash": run.plan_hash}, format="json")
    assert (right.status_code, right.json()["state"]) == (200, "APPROVED")
    twice = owner.post(url, {"plan_hash": run.plan_hash}, format="json")
    assert (twice.status_code, twice.json()["code"]) == (409, "not_awaiting")


def test_an_expired_plan_cannot_be_approved(owner: APIClient, world: World) -> None:
    run = world.drive(world.open(), approve=False)
    world.sim.advance(601)
    answer = owner.post(
        f"{BASE}/rebalancing/runs/{run.pk}/approve", {"plan_hash": run.plan_hash}, format="json"
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "approval_expired")
    assert Run.objects.get(pk=run.pk).state == "APPROVAL_EXPIRED"
    assert Alert.objects.filter(code="approval_expired", run_id=run.pk).count() == 1
    assert world.accepted() == []


def test_a_rejected_plan_sends_nothing(owner: APIClient, world: World) -> None:
    run = world.drive(world.open(), approve=False)
    owner.post(
        f"{BASE}/rebalancing/runs/{run.pk}/reject",
        {"plan_hash": run.plan_hash, "reason": "not today"},
        format="json",
    )
    assert world.drive(run).state == "DENIED"
    assert world.accepted() == []


def test_the_report_repeats_every_check_with_its_numbers(owner: APIClient, world: World) -> None:
    run = world.drive(world.open(dry_run=True))
    body = owner.get(f"{BASE}/rebalancing/runs/{run.pk}").json()
    assert {check["rule"] for check in body["checks"]} == {"V1", "V2", "V3", "V4"}
    assert all(check["numbers"] for check in body["checks"] if check["rule"] != "V4")
    assert body["legs"][0]["orders"] == []


def test_the_evidence_download_never_holds_a_key(owner: APIClient, world: World) -> None:
    run = world.drive(world.open())
    answer = owner.get(f"{BASE}/rebalancing/runs/{run.pk}/evidence")
    assert not answer.streaming
    text = answer.content.decode()
    rows = [json.loads(line) for line in text.splitlines()]
    views = {row["view"] for row in rows}
    assert {"run", "intent", "attempt", "border", "ledger", "approval", "rulecheck"} <= views
    assert "CANARY" not in text


@pytest.mark.parametrize(
    ("method", "path", "roles", "status"),
    [
        ("get", "/rebalancing/status", ("viewer",), 200),
        ("get", "/rebalancing/status", (), 403),
        ("post", "/rebalancing/runs", ("viewer",), 403),
        ("post", "/rebalancing/runs", ("approver",), 403),
        ("post", "/rebalancing/config", ("trader",), 403),
        ("put", "/targets", ("trader",), 403),
        ("put", "/model-portfolios", ("approver",), 403),
        ("get", "/model-portfolios", ("viewer",), 200),
        ("get", "/targets", ("viewer",), 200),
        ("get", "/rebalancing/runs", ("viewer",), 200),
        ("get", "/rebalancing/drift", ("viewer",), 200),
        ("delete", "/rebalancing/config", ("admin",), 405),
    ],
)
def test_roles(world: World, method: str, path: str, roles: tuple[str, ...], status: int) -> None:
    user = make_user("somebody", *roles)
    AccountMember.objects.create(account=world.account, user=user)
    answer = getattr(client_for(user), method)(BASE + path, {}, format="json")
    assert answer.status_code == status


def test_an_anonymous_call_is_refused(world: World) -> None:
    for token in ({}, {"HTTP_AUTHORIZATION": "Token of-nobody"}):
        answer = APIClient().get(f"{BASE}/rebalancing/status", **token)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_who_changes_too_much_waits_and_whoever_reads_does_not(
    owner: APIClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WriteThrottle, "THROTTLE_RATES", {"writes": "2/min"})
    path = f"{BASE}/rebalancing/config"
    told = [owner.put(path, {}, format="json") for _ in range(3)]
    assert [answer.status_code == 429 for answer in told] == [False, False, True]
    assert int(told[-1].headers["Retry-After"]) > 0
    assert told[-1].json()["code"] == "too_many_requests"
    assert owner.get(path).status_code == 200
    run = world.open()
    stopped = owner.post(f"{BASE}/rebalancing/runs/{run.pk}/cancel")
    assert stopped.status_code == 200, "a stop is never told to wait"
    other = client_for(make_user("somebody-else", "admin"))
    assert other.put(path, {}, format="json").status_code != 429


def test_somebody_elses_account_does_not_exist(world: World) -> None:
    stranger = make_user("stranger", "trader", "approver", "admin")
    run = world.drive(world.open(), approve=False)
    client = client_for(stranger)
    for path in (
        f"/rebalancing/runs/{run.pk}",
        f"/rebalancing/runs/{run.pk}/evidence",
        f"/rebalancing/status?account={world.account.pk}",
        "/rebalancing/status",
    ):
        assert client.get(BASE + path).status_code == 404
    approve = client.post(
        f"{BASE}/rebalancing/runs/{run.pk}/approve", {"plan_hash": run.plan_hash}, format="json"
    )
    assert approve.status_code == 404
    assert client.get(f"{BASE}/rebalancing/runs").json()["count"] == 0


def test_four_eyes_need_a_second_person(world: World) -> None:
    Account.objects.get().approval_policies.create(kind="four_eyes", created_by="test")
    run = world.drive(world.open(), approve=False)
    url = f"{BASE}/rebalancing/runs/{run.pk}/approve"
    body, code = {"plan_hash": run.plan_hash}, enrolled(world.owner).code()
    alone = client_for(world.owner).post(url, body, format="json", HTTP_X_ONE_TIME_CODE=code)
    assert alone.status_code == 422
    said = "네 눈 원칙: 요청한 사람은 승인할 수 없습니다."
    assert alone.json()["violations"] == [{"code": "requester_may_not_approve", "detail": said}]
    assert alone.json()["detail"] == said
    second = make_user("second", "approver")
    AccountMember.objects.create(account=world.account, user=second)
    bare = client_for(second).post(url, body, format="json")
    assert [row["code"] for row in bare.json()["violations"]] == ["second_factor_required"]
    code = enrolled(second).code()
    second._state.fields_cache.pop("second_factor", None)
    agreed = client_for(second).post(url, body, format="json", HTTP_X_ONE_TIME_CODE=code)
    assert agreed.json()["state"] == "APPROVED"


@pytest.mark.once
def test_a_superuser_needs_a_second_person_too(world: World) -> None:
    Account.objects.get().approval_policies.create(kind="four_eyes", created_by="test")
    world.owner.is_superuser = True
    world.owner.save()
    run = world.drive(world.open(), approve=False)
    url = f"{BASE}/rebalancing/runs/{run.pk}/approve"
    body, code = {"plan_hash": run.plan_hash}, enrolled(world.owner).code()
    alone = client_for(world.owner).post(url, body, format="json", HTTP_X_ONE_TIME_CODE=code)
    assert alone.status_code == 422
    assert [row["code"] for row in alone.json()["violations"]] == ["requester_may_not_approve"]
    assert Run.objects.get(pk=run.pk).state == "AWAITING_APPROVAL"


@pytest.mark.parametrize(
    ("weights", "code"),
    [
        ({"STOCK": "60", "CASH": "41"}, "weights_not_100"),
        ({"STOCK": "-10", "CASH": "110"}, "weight_negative"),
        ({"STOCK": "0.000001", "CASH": "99.999999"}, "weight_too_fine"),
        ({"GOLD": "50", "CASH": "50"}, "class_unknown"),
    ],
)
def test_bad_weights_are_refused_with_every_reason(
    owner: APIClient, weights: dict[str, str], code: str
) -> None:
    answer = owner.put(
        f"{BASE}/model-portfolios", {"code": "MP-T", "weights": weights}, format="json"
    )
    assert answer.status_code == 400
    assert code in {violation["code"] for violation in answer.json()["violations"]}


def test_new_targets_are_a_new_decision(owner: APIClient, world: World) -> None:
    weights = {"STOCK": "40.00", "BOND": "40.00", "ALTERNATIVE": "10.00", "CASH": "10.00"}
    made = owner.put(
        f"{BASE}/model-portfolios", {"code": "MP-T", "weights": weights}, format="json"
    )
    assert made.status_code == 201
    bound = owner.put(
        f"{BASE}/targets",
        {
            "account": world.account.pk,
            "model_portfolio": "MP-T",
            "sub_portfolios": ["S-STO", "S-BON", "S-ALT"],
        },
        format="json",
    )
    assert bound.status_code == 201
    body = owner.get(f"{BASE}/targets").json()
    assert body["current"]["mp"]["BOND"] == "40.00"
    assert len(body["history"]) == 1
    assert AuditEntry.objects.filter(action="targets_decided").count() == 2


def test_the_schema_describes_every_path(owner: APIClient) -> None:
    answer = owner.get("/api/schema/?format=json")
    assert answer.status_code == 200
    assert f"{BASE}/rebalancing/runs/{{id}}/approve" in answer.json()["paths"]


@pytest.mark.parametrize(("language", "said"), [("ko", "Idempotency-Key 헤더가"), ("en", "header")])
def test_a_refusal_is_a_sentence_in_the_language_asked_for(
    owner: APIClient, world: World, language: str, said: str
) -> None:
    answer = owner.post(
        f"{BASE}/rebalancing/runs",
        {"account": world.account.pk},
        format="json",
        HTTP_ACCEPT_LANGUAGE=language,
    )
    body = answer.json()
    assert answer.status_code == 400 and said in body["detail"]
    assert "idempotency_key(" not in body["detail"], "a code is for programs"
    assert body["violations"][0]["code"] == "idempotency_key"


def test_a_conflict_is_a_sentence_too(owner: APIClient, world: World) -> None:
    first = owner.post(
        f"{BASE}/rebalancing/runs", {"account": world.account.pk}, format="json", **KEY
    )
    second = owner.post(
        f"{BASE}/rebalancing/runs",
        {"account": world.account.pk, "dry_run": True},
        format="json",
        **KEY,
    )
    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json()["detail"] == (
        f"이 Idempotency-Key는 다른 요청(#{first.json()['run']})에 쓰였습니다."
    )


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_unknown_address_answers_programs_in_their_shape(method: str) -> None:
    answer = getattr(Client(enforce_csrf_checks=True), method)("/api/nothing/here")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("path", "kind"),
    [(f"{BASE}/rebalancing/status?account=%00", "application/problem+json"), ("/?a=%00", "html")],
)
def test_a_nul_in_a_query_is_refused_with_words(world: World, path: str, kind: str) -> None:
    client = Client()
    client.force_login(world.owner)
    answer = client.get(path)
    assert answer.status_code == 400
    assert kind in answer["Content-Type"] and answer.content


def test_the_schema_tells_the_status_that_is_answered(owner: APIClient) -> None:
    schema = owner.get("/api/schema/?format=json").json()["paths"]
    made = {
        (path, method): sorted(s for s in answer["responses"] if s < "300")
        for path, verbs in schema.items()
        for method, answer in verbs.items()
        if method in ("post", "put") and path.startswith(BASE)
    }
    assert made[f"{BASE}/rebalancing/config", "post"] == ["201", "202"]
    assert made[f"{BASE}/rebalancing/runs", "post"] == ["200", "201"]
    for name in ("model-portfolios", "sub-portfolios"):
        assert made[f"{BASE}/{name}", "put"] == ["201"]
    assert made[f"{BASE}/targets", "put"] == ["201", "202"]
