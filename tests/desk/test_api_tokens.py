"""API tokens: shown once, kept as digests, no wider than their owner, ended by day, owner or admin."""

from __future__ import annotations

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from rebalancing.models import RebalancingConfig
from tests.desk.conftest import DeskWorld
from tests.support.authenticator import Phone, enrolled
from trading.domain.errors import InputError, StateConflict
from trading.models import Account, ApiToken, AuditEntry, SecondFactor
from trading.services.api_tokens import MOST, issue_token, revoke_token
from trading.services.second_factor import remove_factor

STATUS = "/api/macro-trading/rebalancing/status"
RUNS = "/api/macro-trading/rebalancing/runs"
PAGE = "/accounts/tokens/"
FORM = {"name": "notebook", "reach": "read", "days": "30"}


def form(client: Client, **change: str) -> dict[str, str]:
    """What the page's own form sends."""
    page = client.get(PAGE).content.decode()
    (mark,) = re.findall(r'name="form" value="([\w-]{22})"', page)
    return FORM | {"form": mark} | change


def calling(text: str, keyword: str = "Token") -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"{keyword} {text}")
    return client


def token(world: DeskWorld, name: str = "trader", reach: str = "full") -> str:
    return issue_token(world.people[name], "tests", reach, 30)[1]


def test_a_token_is_shown_once_and_opens_what_its_owner_may_see(targeted: DeskWorld) -> None:
    client = targeted.client("trader")
    made = client.post(PAGE, form(client)).content.decode()
    (text,) = set(re.findall(r"jeoul_[\w-]{43}", made))
    assert calling(text).get(STATUS).status_code == 200
    assert calling(text, "Bearer").get(STATUS).status_code == 200
    shown = client.get(PAGE).content.decode()
    assert text not in shown and f"…{text[-4:]}" in shown and "notebook" in shown
    row = ApiToken.objects.get()
    assert text not in str(row.__dict__), "the database alone opens nothing"
    assert row.last_used_at is not None


def test_a_second_press_or_a_reload_makes_no_second_token(targeted: DeskWorld) -> None:
    client = targeted.client("trader")
    sent = form(client)
    assert client.post(PAGE, sent).status_code == 200
    for _again in range(2):
        told = client.post(PAGE, sent, follow=True)
        assert told.redirect_chain == [(PAGE, 303)]
        assert "이미 쓰였거나 오래되어 토큰을 만들지 않았습니다" in told.content.decode()
        assert "notebook" in told.content.decode(), "the list shows what the first press made"
    assert ApiToken.objects.count() == 1


def test_two_presses_that_arrive_at_once_make_one_token(targeted: DeskWorld) -> None:
    client = targeted.client("trader")
    sent, session = form(client), client.session
    kept = list(session["token_forms"])
    assert client.post(PAGE, sent).status_code == 200
    session = client.session
    session["token_forms"] = kept  # what the second request had read before the first one wrote
    session.save()
    assert client.post(PAGE, sent).status_code == 303
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("mark", ["", "x", "x" * 22])
def test_a_form_that_the_session_was_not_given_makes_none(targeted: DeskWorld, mark: str) -> None:
    client = targeted.client("trader")
    assert client.post(PAGE, form(client, form=mark)).status_code == 303
    other = targeted.client("approver")
    assert other.post(PAGE, form(client)).status_code == 303
    assert not ApiToken.objects.exists()


def test_two_pages_that_lie_open_make_a_token_each(targeted: DeskWorld) -> None:
    client = targeted.client("trader")
    first, second = form(client), form(client)
    assert client.post(PAGE, first).status_code == 200
    assert client.post(PAGE, second).status_code == 200
    for _page in range(20):
        client.get(PAGE)
    assert len(client.session["token_forms"]) == 5


@pytest.mark.parametrize(
    "text",
    ["", "jeoul_", "jeoul_" + "x" * 43, "x" * 49, "jeoul_" + "x" * 5_000, "jeoul_é", "a b"],
)
def test_what_is_no_token_is_401_and_says_not_why(targeted: DeskWorld, text: str) -> None:
    answer = calling(text).get(STATUS)
    assert answer.status_code == 401 and answer["WWW-Authenticate"] == "Token"
    assert answer["Content-Type"].startswith("application/problem+json")


def test_a_good_token_with_something_behind_it_is_none(targeted: DeskWorld) -> None:
    text = token(targeted)
    assert calling(text).get(STATUS).status_code == 200
    assert calling(f"{text} more").get(STATUS).status_code == 401


def test_its_last_use_is_noted_at_most_once_a_minute(targeted: DeskWorld) -> None:
    text, began = token(targeted), timezone.now()
    noted = []
    for seconds in (0, 30, 61):
        with time_machine.travel(began + timedelta(seconds=seconds), tick=False):
            calling(text).get(STATUS)
        noted.append(ApiToken.objects.get().last_used_at)
    assert noted[0] == noted[1] < noted[2]


def test_a_renewed_secret_key_keeps_a_token_while_the_old_one_is_a_fallback(
    targeted: DeskWorld, settings: Any
) -> None:
    text, old = token(targeted), settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 8, [old]
    assert calling(text).get(STATUS).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert calling(text).get(STATUS).status_code == 401


def test_an_ended_token_opens_nothing(targeted: DeskWorld) -> None:
    client, text = targeted.client("trader"), token(targeted)
    row = ApiToken.objects.get()
    assert calling(text).get(STATUS).status_code == 200
    assert client.post(PAGE, {"end": row.pk}).status_code == 303
    assert calling(text).get(STATUS).status_code == 401
    assert client.post(PAGE, {"end": row.pk}).status_code == 303, "twice is once"
    assert AuditEntry.objects.filter(action="token_revoked").count() == 1


def test_a_token_ends_with_its_day_and_with_its_owner(targeted: DeskWorld) -> None:
    text = token(targeted)
    with time_machine.travel(timezone.now() + timedelta(days=31), tick=False):
        assert calling(text).get(STATUS).status_code == 401
    assert calling(text).get(STATUS).status_code == 200
    person = targeted.people["trader"]
    person.is_active = False
    person.save()
    assert calling(text).get(STATUS).status_code == 401


def test_one_that_reads_changes_nothing(targeted: DeskWorld) -> None:
    body = {"account": targeted.account.pk, "dry_run": True}
    key = {"HTTP_IDEMPOTENCY_KEY": "tokens-0001"}
    reads, writes = token(targeted, reach="read"), token(targeted)
    refused = calling(reads).post(RUNS, body, format="json", **key)
    assert (refused.status_code, refused.json()["code"]) == (403, "token_reads_only")
    assert calling(reads).get(RUNS).json()["count"] == 0
    assert calling(writes).post(RUNS, body, format="json", **key).status_code == 201


def test_a_token_may_no_more_than_its_owner(targeted: DeskWorld) -> None:
    text = token(targeted, "viewer")
    body = {"account": targeted.account.pk}
    answer = calling(text).post(RUNS, body, format="json", HTTP_IDEMPOTENCY_KEY="tokens-0002")
    assert answer.status_code == 403
    assert calling(text).get(STATUS).status_code == 200


def test_nobody_sees_or_ends_somebody_elses(targeted: DeskWorld) -> None:
    text = token(targeted, "trader")
    other = targeted.client("approver")
    assert text[-4:] not in other.get(PAGE).content.decode()
    assert other.post(PAGE, {"end": ApiToken.objects.get().pk}).status_code == 404
    assert calling(text).get(STATUS).status_code == 200


@pytest.mark.parametrize("end", ["0", "-1", "１", "9" * 40, "a", ""])
def test_a_token_that_is_none_is_not_found(targeted: DeskWorld, end: str) -> None:
    assert targeted.client("trader").post(PAGE, {"end": end}).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 61},
        {"name": "a\x00b"},
        {"reach": "all"},
        {"reach": ""},
        {"days": "36500"},
        {"days": "-1"},
        {"days": "３０"},
        {"days": ""},
    ],
)
def test_a_wrong_form_makes_none_and_keeps_what_was_typed(
    targeted: DeskWorld, wrong: dict[str, str]
) -> None:
    client = targeted.client("trader")
    answer = client.post(PAGE, form(client, **wrong))
    assert answer.status_code in (400, 422) and not ApiToken.objects.exists()
    if answer.status_code == 422 and "name" not in wrong:
        assert 'value="notebook"' in answer.content.decode()


def test_every_reason_is_told_at_once(targeted: DeskWorld) -> None:
    with pytest.raises(InputError) as refused:
        issue_token(targeted.people["trader"], "", "all", 1)
    assert [why.code for why in refused.value.reasons] == [
        "token_name",
        "token_reach",
        "token_days",
    ]


def test_so_many_live_at_once_and_an_ended_one_makes_room(targeted: DeskWorld) -> None:
    person = targeted.people["trader"]
    rows = [issue_token(person, f"t{n}", "read", 7)[0] for n in range(MOST)]
    with pytest.raises(StateConflict):
        issue_token(person, "one more", "read", 7)
    client = targeted.client("trader")
    assert client.post(PAGE, form(client)).status_code == 409
    revoke_token(rows[0], "trader")
    assert issue_token(person, "one more", "read", 7)


def test_who_has_a_second_factor_shows_a_code_before_making_one(targeted: DeskWorld) -> None:
    client = targeted.proved("trader")
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=True):
        asked = client.post(PAGE, form(client))
        assert asked.status_code == 302 and "/accounts/confirm/" in asked.url
    assert not ApiToken.objects.exists()
    assert client.post(PAGE, form(client)).status_code == 200


def test_a_new_password_ends_every_token(targeted: DeskWorld) -> None:
    text, person = token(targeted, "trader"), targeted.people["trader"]
    assert calling(text).get(STATUS).status_code == 200
    person.set_password("another long phrase")
    person.save()
    assert calling(text).get(STATUS).status_code == 401
    assert calling(token(targeted, "trader")).get(STATUS).status_code == 200


def test_the_shell_makes_one_and_prints_it(targeted: DeskWorld) -> None:
    out = StringIO()
    call_command("api_token", "trader", "--read-only", "--days", "7", stdout=out)
    assert calling(out.getvalue().strip()).get(STATUS).status_code == 200
    assert ApiToken.objects.get().reach == ApiToken.Reach.READ
    with pytest.raises(CommandError, match="no user"):
        call_command("api_token", "no-such-person")


def test_a_stranger_is_sent_to_the_login(targeted: DeskWorld) -> None:
    answer = Client().get(PAGE)
    assert answer.status_code == 302 and "/accounts/login/" in answer["Location"]


def test_a_code_shown_in_somebody_elses_session_is_no_code_for_a_token(
    targeted: DeskWorld,
) -> None:
    """A stolen token beside the cookie of any account with an authenticator of its own."""
    enrolled(targeted.people["admin"])
    other = targeted.proved("viewer")
    body = {"mp_threshold_percent": "4.0", "sub_mp_threshold_percent": "6.0"}
    path, head = "/api/macro-trading/rebalancing/config", f"Token {token(targeted, 'admin')}"
    before = RebalancingConfig.objects.count()
    answer = other.post(
        path, body, content_type="application/json", headers={"authorization": head}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "code_required")
    assert RebalancingConfig.objects.count() == before
    phone = Phone(SecondFactor.objects.get(user=targeted.people["admin"]).seed)
    shown = {"authorization": head, "x-one-time-code": phone.code()}
    assert other.post(path, body, content_type="application/json", headers=shown).status_code == 201


def test_who_owes_a_second_factor_is_held_up_with_a_token_too_but_may_stop(
    targeted: DeskWorld,
) -> None:
    text = token(targeted)
    assert calling(text).get(STATUS).status_code == 200
    Account.objects.filter(pk=targeted.account.pk).update(environment="real", wire="real")
    for answer in (calling(text).get(STATUS), calling(text).post(RUNS, {}, format="json")):
        assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
        assert "/accounts/second-factor/" in answer.json()["detail"]
    run = targeted.run("AWAITING_APPROVAL")
    assert calling(text).post(f"{RUNS}/{run.pk}/cancel").status_code == 200
    stops, scope = "/api/macro-trading/switches", f"account:{targeted.account.pk}"
    stop = {"scope": scope, "state": "HALTED"}
    assert calling(text).post(stops, stop, format="json").status_code == 201
    assert calling(text).get(stops).json()["code"] == "second_factor_required"
    viewing = token(targeted, "viewer")
    assert calling(viewing).get(STATUS).status_code == 200, "who decides nothing owes nothing"


def test_an_admin_sees_who_has_which_and_ends_them(targeted: DeskWorld, staff: Client) -> None:
    text = token(targeted, "trader")
    page = "/admin/trading/apitoken/"
    shown = staff.get(page).content.decode()
    row = ApiToken.objects.get()
    assert f"…{row.tail}" in shown and row.digest not in shown
    act = {"action": "end_tokens", "_selected_action": row.pk}
    assert targeted.client("viewer").post(page, act).status_code == 403
    assert calling(text).get(STATUS).status_code == 200
    assert staff.post(page, act).status_code == 302
    assert calling(text).get(STATUS).status_code == 401
    assert AuditEntry.objects.filter(action="token_revoked", actor="admin").count() == 1


def test_who_was_switched_off_comes_back_without_tokens(targeted: DeskWorld, staff: Client) -> None:
    text, person = token(targeted), targeted.people["trader"]
    path = f"/admin/auth/user/{person.pk}/change/"
    form = {"username": "trader", "groups": [g.pk for g in person.groups.all()]}
    assert staff.post(path, form).status_code == 302
    person.refresh_from_db()
    assert not person.is_active
    assert staff.post(path, form | {"is_active": "on"}).status_code == 302
    person.refresh_from_db()
    assert person.is_active and calling(text).get(STATUS).status_code == 401


def test_a_lost_second_factor_takes_the_tokens_with_it(targeted: DeskWorld) -> None:
    enrolled(targeted.people["trader"])
    text = token(targeted)
    assert calling(text).get(STATUS).status_code == 200
    remove_factor(targeted.people["trader"], "admin")
    assert calling(text).get(STATUS).status_code == 401


def test_the_shell_ends_all_of_somebodys(targeted: DeskWorld) -> None:
    texts, out = [token(targeted) for _ in range(2)], StringIO()
    call_command("api_token", "trader", "--revoke", stdout=out)
    assert out.getvalue().strip() == "2 ended"
    assert {calling(text).get(STATUS).status_code for text in texts} == {401}


def test_a_reader_writes_nothing_by_reading(targeted: DeskWorld) -> None:
    RebalancingConfig.objects.all()._raw_delete("default")
    reads = token(targeted, reach="read")
    answer = calling(reads).get("/api/macro-trading/rebalancing/config")
    assert answer.status_code == 200 and answer.json()["mp_threshold_percent"] == "3.0"
    assert not RebalancingConfig.objects.exists()
