"""Hostile inputs by their numbers: each is answered as it should be, changes nothing and is never a 500.

A manual order has no address yet: its hostile bodies (01–09) are sent where it will be, and the values of the
same kind to what is there: thresholds, runs, files of weights. 36–39 stand with the door's own tests.
"""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from config.api_urls import urlpatterns
from config.asgi import application
from config.throttles import WriteThrottle
from portfolio.models import ModelPortfolioVersion, TargetDecision
from rebalancing.consumers import RunNewsConsumer
from rebalancing.models import RebalancingConfig, Run
from rebalancing.selectors.evidence import evidence
from tests.support.sockets import Socket
from tests.support.world import World, make_user
from trading.models import AccountMember, ApprovalPolicy
from trading.services.switches import engage

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]
BASE = "/api/macro-trading"
RUNS, CONFIG = f"{BASE}/rebalancing/runs", f"{BASE}/rebalancing/config"
BUY = "/api/trading/buy"
CSV = "/admin/portfolio/targetdecision/import-csv/"


def state_of_things() -> Any:
    """Everything we claim, but for what was only written down about having been asked."""
    rows = [row for row in evidence() if row["view"] not in ("audit", "env", "alert")]
    counts = (
        RebalancingConfig.objects.count(),
        TargetDecision.objects.count(),
        ModelPortfolioVersion.objects.count(),
    )
    return json.dumps(rows, ensure_ascii=False), counts


def program(user: Any) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(user)
    return client


def browser(user: Any, **options: Any) -> Client:
    client = Client(raise_request_exception=False, **options)
    client.force_login(user)
    return client


def person(world: World, name: str, *roles: str, member: bool = True) -> Any:
    user = make_user(name, *roles)
    if member:
        AccountMember.objects.create(account=world.account, user=user)
    return user


def told(answer: Any) -> None:
    """A refusal of the API: the constant shape, and nothing of our insides."""
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] and body["status"] == answer.status_code
    assert "Traceback" not in answer.content.decode() and ".py" not in answer.content.decode()


def start(client: APIClient, world: World, key: str = "hostile-0001", **body: Any) -> Any:
    return client.post(
        RUNS, {"account": world.account.pk} | body, format="json", HTTP_IDEMPOTENCY_KEY=key
    )


# --- API: bodies ------------------------------------------------------------------------------
ORDER = {"code": "005930", "quantity": 10, "order_type": "LIMIT", "price": 70_000}


def _writable() -> list[str]:
    """Every address of the API with a row that is not there, and the one that peers give to orders."""
    inside = [row for row in urlpatterns if str(row.pattern) == "macro-trading/"]
    routes = [str(path.pattern) for row in inside for path in row.url_patterns]
    found = [
        f"{BASE}/" + route.replace("<int:pk>", "999999").replace("<slug:code>", "none")
        for route in routes
    ]
    assert len(found) > 30
    return [*found, BUY]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"quantity": 0}, id="HX-01"),
        pytest.param({"quantity": -1}, id="HX-02"),
        pytest.param({"quantity": 1.5}, id="HX-03-fraction"),
        pytest.param({"quantity": "1e3"}, id="HX-03-exponent"),
        pytest.param({"quantity": "１０"}, id="HX-03-full-width"),
        pytest.param({"quantity": True}, id="HX-03-true"),
        pytest.param({"quantity": 10**18}, id="HX-04"),
        pytest.param({"price": 70_050}, id="HX-05"),
        pytest.param({"price": 200_000}, id="HX-06"),
        pytest.param({"price": ""}, id="HX-07-empty"),
        pytest.param({"code": "005930 "}, id="HX-08-blank"),
        pytest.param({"code": "../../etc"}, id="HX-08-path"),
        pytest.param({"side": "BUY\u0000"}, id="HX-09"),
    ],
)
def test_an_order_by_hand_goes_nowhere(world: World, change: dict[str, Any]) -> None:
    """There is no door for one: every address is tried, and none takes a good order either."""
    before, taken = state_of_things(), []
    for order in (ORDER | change, ORDER, ORDER | {"account": world.account.pk}):
        for path in _writable():
            answer = program(world.owner).post(
                path, order, format="json", HTTP_IDEMPOTENCY_KEY="hostile-0001"
            )
            told(answer)
            refused = (404,) if path == BUY else (400, 403, 404, 405)
            if answer.status_code not in refused:
                taken.append((path, answer.status_code))
    assert taken == []
    assert state_of_things() == before


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("0", id="HX-01"),
        pytest.param("-1", id="HX-02"),
        pytest.param("1.55", id="HX-03-fraction"),
        pytest.param("1e1", id="HX-03-exponent"),
        pytest.param("１０", id="HX-03-full-width"),
        pytest.param(True, id="HX-03-true"),
        pytest.param(10**18, id="HX-04"),
        pytest.param("NaN", id="HX-07-nan"),
        pytest.param("Infinity", id="HX-07-infinity"),
        pytest.param("", id="HX-07-empty"),
        pytest.param("3;DROP", id="HX-32-sql"),
        pytest.param("3,0", id="HX-32-comma"),
        pytest.param("３", id="HX-32-full-width"),
    ],
)
def test_a_number_that_is_none_is_refused(world: World, value: Any) -> None:
    before = state_of_things()
    body = {"mp_threshold_percent": value, "sub_mp_threshold_percent": "5.0"}
    answer = program(world.owner).post(CONFIG, body, format="json")
    assert answer.status_code == 400
    told(answer)
    form = browser(_staff(world)).post("/admin/rebalancing/rebalancingconfig/add/", body)
    assert form.status_code == 200, "the form again, with its errors"
    assert state_of_things() == before


def _staff(world: World) -> Any:
    world.owner.is_staff = world.owner.is_superuser = True
    world.owner.save()
    return world.owner


@pytest.mark.parametrize(
    ("ticker", "name"),
    [
        ("o05930", "lower"),
        ("O05930", "look-alike"),
        ("00593O", "look-alike at the end"),
        ("../../x", "path"),
        ("０05930", "full width"),
        ("999999", "unknown"),
    ],
)
def test_hx_08_a_ticker_that_is_none_is_refused_by_its_row(
    world: World, ticker: str, name: str
) -> None:
    before = state_of_things()
    text = f"asset_class,ticker,percent\nSTOCK,,90\nCASH,,10\nSTOCK,{ticker},100\n"
    file = SimpleUploadedFile("weights.csv", text.encode())
    answer = browser(_staff(world)).post(CSV, {"account": world.account.pk, "file": file})
    assert answer.status_code == 400 and "이 목표로 바꾸기" not in answer.content.decode()
    assert state_of_things() == before, name


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"account": 1, "account": 2}', id="HX-10"),
        pytest.param(b'{"account": %d, "state": "APPROVED"}', id="HX-11-state"),
        pytest.param(b'{"account": %d, "approved": true}', id="HX-11-approved"),
        pytest.param(b'{"account": %d, "env": "real"}', id="HX-11-env"),
        pytest.param(b"x" * 5_000_000, id="HX-16-size"),
        pytest.param(b"[" * 1_000, id="HX-16-depth"),
    ],
)
def test_a_body_that_is_not_what_was_asked_for_opens_nothing(world: World, body: bytes) -> None:
    before, began = state_of_things(), time.monotonic()
    content = body.replace(b"%d", str(world.account.pk).encode())
    answer = program(world.owner).generic(
        "POST", RUNS, content, "application/json", HTTP_IDEMPOTENCY_KEY="hostile-0001"
    )
    assert answer.status_code in (400, 413)
    told(answer)
    assert state_of_things() == before
    assert time.monotonic() - began < 5, "a second on an idle machine"


def test_hx_12_a_run_without_its_key_is_not_opened(world: World) -> None:
    before = state_of_things()
    answer = program(world.owner).post(RUNS, {"account": world.account.pk}, format="json")
    assert answer.status_code == 400
    told(answer)
    assert state_of_things() == before


def test_hx_13_the_same_key_twenty_times_at_once_is_one_run(world: World) -> None:
    gate = threading.Barrier(20)

    def ask(_n: int) -> int:
        try:
            gate.wait(20)
            return int(start(program(world.owner), world).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))
    assert answers.count(201) == 1 and set(answers) <= {200, 201, 409}, answers
    assert Run.objects.count() == 1


def test_hx_14_the_same_key_with_another_wish_is_no_other_run(world: World) -> None:
    client = program(world.owner)
    first = start(client, world)
    again = start(client, world, dry_run=True)
    assert first.status_code == 201 and again.status_code in (409, 422)
    told(again)
    assert Run.objects.count() == 1 and not Run.objects.get().dry_run


def test_hx_15_another_persons_key_is_their_own(world: World) -> None:
    other = person(world, "other", "trader")
    mine = start(program(world.owner), world)
    theirs = start(program(other), world)
    assert theirs.status_code == 409, (
        "one run an account, and not the answer to somebody else's key"
    )
    assert mine.json()["run"] == Run.objects.get().pk
    assert "run" not in theirs.json() or theirs.json()["run"] == mine.json()["run"]


def test_hx_17_json_under_another_name_is_not_read(world: World) -> None:
    before = state_of_things()
    answer = program(world.owner).generic(
        "POST", RUNS, b"{}", "text/plain", HTTP_IDEMPOTENCY_KEY="hostile-0001"
    )
    assert answer.status_code == 415
    told(answer)
    assert state_of_things() == before


# --- API: who ---------------------------------------------------------------------------------
def test_hx_18_somebody_elses_account_does_not_exist(world: World) -> None:
    before = state_of_things()
    answer = start(program(person(world, "stranger", "trader", member=False)), world)
    assert answer.status_code == 404
    told(answer)
    assert state_of_things() == before


def test_hx_19_a_viewer_opens_nothing(world: World) -> None:
    before = state_of_things()
    answer = start(program(person(world, "looker", "viewer")), world)
    assert answer.status_code == 403
    told(answer)
    assert state_of_things() == before


def test_hx_21_while_everything_is_halted_no_run_is_opened(world: World) -> None:
    engage("global", "HALTED", "owner", "drill")
    before = state_of_things()
    answer = start(program(world.owner), world)
    assert answer.status_code in (409, 422)
    told(answer)
    assert state_of_things() == before


@pytest.mark.parametrize(
    ("method", "status"), [("get", 404), ("delete", 405), ("patch", 405), ("put", 405)]
)
def test_hx_22_an_act_is_not_done_by_another_verb(world: World, method: str, status: int) -> None:
    before = state_of_things()
    client = program(world.owner)
    path = f"{RUNS}/1/approve" if method != "get" else "/api/trading/order?code=005930&qty=1"
    answer = getattr(client, method)(path)
    assert answer.status_code == status
    assert state_of_things() == before


def test_hx_23_a_header_does_not_make_a_question_an_act(world: World) -> None:
    before = state_of_things()
    client = program(world.owner)
    answer = client.get(CONFIG, HTTP_X_HTTP_METHOD_OVERRIDE="POST")
    assert answer.status_code == 200
    answer = client.post(CONFIG, {}, format="json", HTTP_X_HTTP_METHOD_OVERRIDE="DELETE")
    assert answer.status_code == 400
    assert state_of_things() == before


def test_hx_24_another_host_is_not_served(world: World) -> None:
    for host in ("evil.example", "localhost.evil.example", "evil.example:80@localhost"):
        answer = Client(raise_request_exception=False).get("/accounts/login/", HTTP_HOST=host)
        assert answer.status_code == 400, host
    assert Client().get("/accounts/login/", HTTP_HOST="localhost").status_code == 200


def test_hx_25_a_forged_address_waits_like_every_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WriteThrottle, "THROTTLE_RATES", {"writes": "2/min"})
    client = program(world.owner)
    answers = [
        client.put(CONFIG, {}, format="json", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}").status_code
        for n in range(3)
    ]
    assert answers[-1] == 429


# --- pages and forms --------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/rebalancing/start/", "/trading/switch/stop/"])
def test_hx_26_a_form_with_anothers_token_is_refused(world: World, path: str) -> None:
    before = state_of_things()
    mine, other = (
        browser(user, enforce_csrf_checks=True)
        for user in (world.owner, person(world, "other", "trader"))
    )
    other.get("/rebalancing/start/")
    stolen = other.cookies["csrftoken"].value
    form = {"account": world.account.pk}
    assert mine.post(path, form).status_code == 403
    assert mine.post(path, form | {"csrfmiddlewaretoken": stolen}).status_code == 403
    assert state_of_things() == before


def test_hx_27_a_forged_header_of_the_page_is_no_token(world: World) -> None:
    before = state_of_things()
    client = browser(world.owner, enforce_csrf_checks=True)
    answer = client.post(
        "/trading/switch/stop/",
        {"account": world.account.pk},
        headers={"HX-Request": "true", "Origin": "https://evil.example"},
    )
    assert answer.status_code == 403
    assert state_of_things() == before


def test_hx_28_a_plan_is_approved_by_its_own_hash_and_number(world: World) -> None:
    run = world.drive(world.open(), until="AWAITING_APPROVAL")
    before = state_of_things()
    client = browser(world.owner)
    edited = client.post(f"/rebalancing/runs/{run.pk}/approve/", {"plan_hash": "0" * 64})
    other = client.post(f"/rebalancing/runs/{run.pk + 1}/approve/", {"plan_hash": run.plan_hash})
    assert (edited.status_code, other.status_code) == (409, 404)
    assert state_of_things() == before


def test_hx_29_a_decision_is_not_made_twice(world: World) -> None:
    run = world.drive(world.open(), until="AWAITING_APPROVAL")
    client = browser(world.owner)
    form = {"plan_hash": run.plan_hash}
    assert client.post(f"/rebalancing/runs/{run.pk}/approve/", form).status_code == 303
    before = state_of_things()
    for verb in ("approve", "reject"):
        assert client.post(f"/rebalancing/runs/{run.pk}/{verb}/", form).status_code == 409
    assert state_of_things() == before


@pytest.mark.parametrize(
    "superuser", [pytest.param(False, id="HX-30"), pytest.param(True, id="HX-43")]
)
def test_nobody_approves_what_they_asked_for_under_four_eyes(world: World, superuser: bool) -> None:
    ApprovalPolicy.objects.create(account=world.account, kind="four_eyes", created_by="test")
    world.owner.is_superuser = superuser
    world.owner.save()
    run = world.drive(world.open(), until="AWAITING_APPROVAL")
    before = state_of_things()
    answer = browser(world.owner).post(
        f"/rebalancing/runs/{run.pk}/approve/", {"plan_hash": run.plan_hash}
    )
    assert answer.status_code == 403
    assert state_of_things() == before


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param("STOCK,,91\nCASH,,10\nSTOCK,069500,100\n", id="HX-31-101"),
        pytest.param("STOCK,,-90\nCASH,,190\nSTOCK,069500,100\n", id="HX-31-negative"),
        pytest.param("STOCK,,99.999999999\nCASH,,1e-9\nSTOCK,069500,100\n", id="HX-31-tiny"),
        pytest.param("STOCK,069500,0.01\n" * 9_999, id="HX-31-rows"),
    ],
)
def test_weights_that_are_none_are_refused(world: World, rows: str) -> None:
    before = state_of_things()
    file = SimpleUploadedFile("weights.csv", ("asset_class,ticker,percent\n" + rows).encode())
    answer = browser(_staff(world)).post(CSV, {"account": world.account.pk, "file": file})
    assert answer.status_code == 400 and "이 목표로 바꾸기" not in answer.content.decode()
    assert state_of_things() == before


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("<img src=x onerror=alert(1)>", id="HX-33-tag"),
        pytest.param("abc\u202egnp.exe", id="HX-33-bidi"),
        pytest.param("a\u200bb", id="HX-33-zero-width"),
        pytest.param("x" * 300, id="HX-33-long"),
    ],
)
def test_a_name_is_refused_or_shown_inert(world: World, name: str) -> None:
    client = browser(_staff(world))
    client.post(
        "/admin/portfolio/modelportfolio/add/",
        {"code": "MP-X", "name": name, "versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0},
    )
    listed = client.get("/admin/portfolio/modelportfolio/").content.decode()
    assert "<img src=x" not in listed and "x" * 300 not in listed
    for page in ("/", "/portfolio/", "/rebalancing/"):
        answer = client.get(page)
        assert answer.status_code == 200 and "<img src=x" not in answer.content.decode()


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_hx_34_after_the_door_one_stays_on_the_site(world: World, target: str) -> None:
    answer = Client().post(
        f"/accounts/login/?next={target}",
        {"username": "owner", "password": "correct horse battery", "next": target},
    )
    assert answer.status_code == 302 and "evil" not in answer["Location"]


def test_hx_35_no_page_is_shown_inside_another_site(world: World) -> None:
    for path in ("/", "/accounts/login/", "/admin/", f"{CONFIG}"):
        answer = browser(_staff(world)).get(path)
        assert answer["X-Frame-Options"] == "DENY", path
        if answer["Content-Type"].startswith("text/html"):
            assert "frame-ancestors 'none'" in answer["Content-Security-Policy"], path


# --- the door ---------------------------------------------------------------------------------
@pytest.mark.parametrize("length", [4_096, 100_000])
def test_hx_40_a_very_long_password_costs_no_more_than_a_short_one(
    world: World, length: int
) -> None:
    began = time.monotonic()
    answer = Client().post("/accounts/login/", {"username": "owner", "password": "x" * length})
    assert answer.status_code == 200 and "_auth_user_id" not in Client().session
    assert time.monotonic() - began < 5, "a second on an idle machine"


# --- the admin --------------------------------------------------------------------------------
@pytest.mark.parametrize("model", ["ledger", "auditentry", "transition", "brokerorder", "intent"])
def test_hx_41_the_record_is_not_changed_in_the_admin(world: World, model: str) -> None:
    world.drive(world.open())
    before = state_of_things()
    client = browser(_staff(world))
    listed = client.get(f"/admin/trading/{model}/")
    assert listed.status_code == 200
    for verb in ("change", "delete"):
        answer = client.post(f"/admin/trading/{model}/1/{verb}/", {"quantity": 1, "post": "yes"})
        assert answer.status_code == 403, verb
    assert client.post(f"/admin/trading/{model}/add/", {}).status_code == 403
    assert state_of_things() == before


@pytest.mark.parametrize("path", ["/admin/trading/ledger/", "/admin/rebalancing/run/"])
def test_hx_42_many_are_not_deleted_at_once(world: World, path: str) -> None:
    world.drive(world.open())
    before = state_of_things()
    client = browser(_staff(world))
    assert "delete_selected" not in client.get(path).content.decode()
    form = {"action": "delete_selected", "_selected_action": ["1", "2"], "post": "yes"}
    assert client.post(path, form).status_code in (200, 302, 403)
    assert state_of_things() == before


@pytest.mark.parametrize("text", ["' OR 1=1 --", "%' OR '1'='1", "\u0000", "'; DROP TABLE x"])
def test_hx_44_a_search_is_text(world: World, text: str) -> None:
    world.drive(world.open())
    before = state_of_things()
    client = browser(_staff(world))
    for path in ("/admin/trading/auditentry/", "/admin/rebalancing/run/", "/admin/trading/intent/"):
        answer = client.get(path, {"q": text})
        assert answer.status_code in (200, 302, 400), path
        if answer.status_code == 200:
            assert answer.context["cl"].result_list.count() == 0, path
    assert state_of_things() == before


# --- the socket -------------------------------------------------------------------------------
def socket(user: Any, path: str = "/ws/runs") -> Socket:
    talk = Socket(RunNewsConsumer.as_asgi(), path)
    talk.scope["user"] = user
    return talk


@pytest.mark.asyncio
async def test_hx_45_a_socket_of_another_site_is_refused(transactional_db: None) -> None:
    headers = [(b"origin", b"https://evil.example"), (b"host", b"localhost")]
    connected = await Socket(application, "/ws/runs", headers=headers).connect()
    assert not connected


@pytest.mark.asyncio
async def test_hx_46_nobody_is_not_let_in(transactional_db: None) -> None:
    from django.contrib.auth.models import AnonymousUser

    assert not await socket(AnonymousUser()).connect()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "frame",
    [
        pytest.param('{"subscribe": "account.2"}', id="HX-47-group"),
        pytest.param('{"subscribe": "account.*\\n"}', id="HX-47-wildcard"),
        pytest.param("x" * 2_000_000, id="HX-49-size"),
        pytest.param(b"\xff\xfe\x00", id="HX-49-binary"),
        pytest.param('{"type": "kill.release"}', id="HX-49-handler"),
        pytest.param('{"type": "__class__"}', id="HX-49-dunder"),
        pytest.param('{"order": {"code": "005930", "qty": 1}}', id="HX-50"),
    ],
)
async def test_whoever_talks_to_the_socket_is_put_out(world: World, frame: Any) -> None:
    before = await sync_to_async(state_of_things)()
    talk = socket(world.owner)
    assert await talk.connect()
    await (talk.send_bytes(frame) if isinstance(frame, bytes) else talk.send_text(frame))
    assert await talk.closed() == 1008
    assert await sync_to_async(state_of_things)() == before


@pytest.mark.asyncio
async def test_hx_48_a_thousand_messages_are_one_too_many(world: World) -> None:
    talk = socket(world.owner)
    assert await talk.connect()
    for _ in range(1_000):
        await talk.send_text('{"subscribe": 1}')
    assert await talk.closed() == 1008
