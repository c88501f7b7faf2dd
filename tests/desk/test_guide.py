"""The first steps and what practice has proven: facts of the records, never assumed."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.guide_words import PROOF_WORDS, STEP_WORDS
from rebalancing.models import Run
from rebalancing.selectors.first_steps import STEPS, first_steps
from rebalancing.selectors.proven import Proof, proven
from tests.desk.conftest import DeskWorld
from tests.support.authenticator import enrolled
from tests.support.orders import Orders, listed
from tests.support.past import made_late
from tests.support.world import World
from trading.models import (
    Account,
    AccountMember,
    Approval,
    Attempt,
    Switch,
)
from trading.selectors.scopes import account_scope
from trading.services.switches import engage


def steps(world: DeskWorld, name: str = "trader") -> dict[str, bool]:
    return {step.code: step.done for step in first_steps(world.people[name], world.account)}


def proofs(world: DeskWorld, name: str = "trader") -> dict[str, Proof]:
    return {proof.code: proof for proof in proven(world.people[name])}


def test_every_step_and_every_proof_has_words(desk: DeskWorld) -> None:
    assert set(STEPS) == set(STEP_WORDS)
    assert set(proofs(desk)) == set(PROOF_WORDS)


def test_each_step_is_done_by_its_fact_alone(targeted: DeskWorld) -> None:
    assert steps(targeted) == {
        "account": bool(targeted.account.app_key),
        "second_factor": False,
        "targets": True,
        "look": False,
        "dry_run": False,
        "run": False,
    }
    enrolled(targeted.people["trader"])
    targeted.snapshot()
    assert steps(targeted)["second_factor"] and steps(targeted)["look"]
    targeted.run("FAILED", dry_run=True)
    assert not steps(targeted)["dry_run"], "one that failed shows nothing"
    targeted.run("CANCELED", dry_run=True, end_reason="stopped_by_person")
    assert not steps(targeted)["dry_run"], "one that somebody stopped shows nothing"
    targeted.run("CANCELED", dry_run=True, end_reason="dry_run")
    assert steps(targeted)["dry_run"] and not steps(targeted)["run"]
    targeted.run("COMPLETED")
    assert steps(targeted)["run"]


@pytest.mark.money
def test_a_dry_run_that_was_really_driven_is_a_step_done(world: World) -> None:
    run = world.drive(world.open(dry_run=True))
    assert run.state == "CANCELED" and not world.accepted()
    done = {step.code: step.done for step in first_steps(world.owner, world.account)}
    assert done["dry_run"] and not done["run"]


def _real(world: DeskWorld, name: str = "trader") -> Account:
    account = Account.objects.create(
        name="Real",
        environment="real",
        wire="real",
        account_no="11223344-01",
        app_key="CANARYKEY" + "k" * 27,
        app_secret="CANARYSEC" + "s" * 171,
    )
    AccountMember.objects.create(account=account, user=world.people[name])
    return account


def test_a_run_on_a_real_account_is_no_practice_step(targeted: DeskWorld) -> None:
    real = _real(targeted)
    targeted.run("COMPLETED", account=real)
    targeted.run("CANCELED", account=real, dry_run=True, end_reason="dry_run")
    done = {s.code: s.done for s in first_steps(targeted.people["trader"], real)}
    assert not done["run"] and not done["dry_run"]
    targeted.run("COMPLETED")
    done = {s.code: s.done for s in first_steps(targeted.people["trader"], real)}
    assert done["run"], "what was practised counts whichever account is chosen"


def test_the_steps_of_practice_lead_to_a_practice_account(targeted: DeskWorld) -> None:
    real, practice = _real(targeted), targeted.account
    client = targeted.proved("trader")
    page = client.get(f"/guide/?account={real.pk}").content.decode()
    start = f"/rebalancing/start/?account={practice.pk}"
    led = re.findall(r'href="(/rebalancing/start/[^"]*)"', page)
    assert sorted(html.unescape(one) for one in led) == [start, f"{start}&dry_run=on"]
    assert f"리밸런싱하기 · {practice.masked}</a>" in page


def test_without_a_practice_account_the_guide_offers_no_practice(targeted: DeskWorld) -> None:
    real = _real(targeted, "stranger")
    page = targeted.proved("stranger").get(f"/guide/?account={real.pk}").content.decode()
    assert "연습할 계좌가 없습니다" in page and "리밸런싱하기 ·" not in page
    assert "/rebalancing/start/?account=" not in page


def test_exactly_one_step_is_next(targeted: DeskWorld) -> None:
    found = first_steps(targeted.people["trader"], targeted.account)
    assert [step.code for step in found if step.next] == [
        next(step.code for step in found if not step.done)
    ]
    assert [s.code for s in first_steps(targeted.people["trader"], None) if s.next] == ["account"]


def test_nothing_is_proven_before_it_happened(desk: DeskWorld) -> None:
    assert not any(proof.seen for proof in proofs(desk).values())


def test_runs_count_by_environment_and_a_dry_run_proves_nothing(targeted: DeskWorld) -> None:
    ended = timezone.now() - timedelta(hours=1)
    targeted.run("COMPLETED", now=ended, dry_run=True)
    assert not proofs(targeted)["runs"].seen
    targeted.run("COMPLETED", now=ended)
    found = proofs(targeted)["runs"]
    assert (found.simulator.count, found.practice.count) == (1, 0)
    assert found.simulator.last == ended
    Account.objects.filter(pk=targeted.account.pk).update(environment="mock", wire="mock")
    found = proofs(targeted)["runs"]
    assert (found.simulator.count, found.practice.count) == (0, 1)


def test_what_a_real_account_did_is_no_practice(targeted: DeskWorld) -> None:
    targeted.run("COMPLETED")
    Account.objects.filter(pk=targeted.account.pk).update(environment="real", wire="real")
    assert not proofs(targeted)["runs"].seen


def test_somebody_elses_practice_is_not_ones_own(targeted: DeskWorld) -> None:
    targeted.run("COMPLETED")
    assert proofs(targeted)["runs"].seen
    assert not proofs(targeted, "stranger")["runs"].seen


def approval(world: DeskWorld, **values: Any) -> Approval:
    now = timezone.now()
    plain: dict[str, Any] = {
        "subject": "run:1",
        "plan_hash": "a" * 64,
        "account": world.account,
        "requester": "trader",
        "approver": "approver",
        "policy": "four_eyes",
        "policy_version": "1",
        "auth_level": "password",
        "verdict": "APPROVE",
        "decided_at": now,
        "expires_at": now + timedelta(minutes=5),
    }
    return Approval.objects.create(**plain | values)


def test_a_policy_is_no_person(targeted: DeskWorld) -> None:
    approval(targeted, auth_level="policy", policy="auto")
    approval(targeted, verdict="DENY", subject="run:2")
    assert not proofs(targeted)["approvals"].seen
    approval(targeted, subject="run:3")
    assert proofs(targeted)["approvals"].simulator.count == 1


def test_a_stop_of_all_accounts_counts_where_somebody_practises(targeted: DeskWorld) -> None:
    at = timezone.now()
    for by in ("system", "admin", "admin"):
        Switch.objects.create(scope="global", state="HALTED", by=by, reason="drill", at=at)
    found = proofs(targeted)["stops"]
    assert (found.simulator.count, found.simulator.last, found.practice.count) == (2, at, 0)
    engage(account_scope(targeted.account), "HALTED", "trader", "drill")
    assert proofs(targeted)["stops"].simulator.count == 3
    other = Account.objects.create(
        name="Other", environment="mock", wire="mock", account_no="55443322-01"
    )
    assert proofs(targeted)["stops"].practice.count == 0, "somebody else's account"
    AccountMember.objects.create(account=other, user=targeted.people["trader"])
    assert proofs(targeted)["stops"].practice.count == 2


def test_stops_count_for_the_account_that_was_stopped(targeted: DeskWorld) -> None:
    Switch.objects.create(scope="global", state="ACTIVE", by="a", reason="drill", at=timezone.now())
    assert not proofs(targeted)["stops"].seen
    scope = account_scope(targeted.account)
    for state in ("HALTED", "ACTIVE", "HALTED"):
        Switch.objects.create(
            scope=scope, state=state, by="a", second="b", reason="drill", at=timezone.now()
        )
    assert proofs(targeted)["stops"].simulator.count == 2


def test_of_two_accounts_the_last_stop_is_the_later_one(targeted: DeskWorld) -> None:
    other = Account.objects.create(
        name="Other", environment="sim", wire="real", account_no="55443322-01"
    )
    AccountMember.objects.create(account=other, user=targeted.people["trader"])
    now = timezone.now()
    for hours, account in ((3, targeted.account), (1, other), (2, targeted.account)):
        at = now - timedelta(hours=hours)
        scope = account_scope(account)
        Switch.objects.create(scope=scope, state="HALTED", by="a", reason="drill", at=at)
    found = proofs(targeted)["stops"].simulator
    assert (found.count, found.last) == (3, now - timedelta(hours=1))
    at = now - timedelta(minutes=1)
    scope = account_scope(targeted.account)
    Switch.objects.create(scope=scope, state="HALTED", by="a", reason="drill", at=at)
    assert proofs(targeted)["stops"].simulator.last == at, "whichever account comes first"


def test_somebody_elses_order_counts_and_the_cancel_of_it_does_not(targeted: DeskWorld) -> None:
    now = timezone.now()
    for number, changes in (("0000000001", ""), ("0000000002", "0000000001")):
        targeted.order(now, order_no=number, original_order_no=changes)
    assert proofs(targeted)["external"].simulator.count == 1


def test_a_stop_by_the_system_is_no_persons(targeted: DeskWorld) -> None:
    scope = account_scope(targeted.account)
    engage(scope, "HALTED", "system", "clock off by 3 s")
    assert not proofs(targeted)["stops"].seen
    engage(scope, "HALTED", "trader", "drill")
    assert proofs(targeted)["stops"].simulator.count == 1


@pytest.mark.parametrize(
    ("state", "counts"),
    [
        ("COMPLETED", True),
        ("COMPLETED_WITH_SHORTFALL", True),
        ("NO_ACTION", True),
        ("APPROVAL_EXPIRED", False),
        ("DENIED", False),
        ("VETOED", False),
        ("CANCELED", False),
        ("FAILED", False),
    ],
)
def test_a_scheduled_run_counts_where_it_did_what_it_was_to_do(
    targeted: DeskWorld, state: str, counts: bool
) -> None:
    run = targeted.run(state)
    with made_late("rebalancing_run"):
        Run.objects.filter(pk=run.pk).update(requester_kind="schedule")
    assert proofs(targeted)["schedules"].seen is counts


@pytest.mark.money
@pytest.mark.parametrize(
    ("state", "final", "cancelled", "count"),
    [
        ("ACKED", True, 4, 1),
        ("ACKED", False, 4, 0),
        ("ACKED", True, 0, 0),
        ("REJECTED", True, 4, 0),
    ],
)
def test_a_cancel_counts_when_the_order_ended_by_it(
    world: World, state: str, final: bool, cancelled: int, count: int
) -> None:
    world.drive(world.open(), until=lambda _run: Attempt.objects.filter(state="ACKED").exists())
    orders = Orders(world, Attempt.objects.get())
    target = listed(
        orders.intent(), orders, is_final=final, cancelled_quantity=cancelled, filled_quantity=6
    )
    for _press in range(2):
        cancel = orders.attempt(state, action="cancel", target_order=target)
        with made_late("trading_attempt"):
            Attempt.objects.filter(pk=cancel.pk).update(action="cancel")
    found = {proof.code: proof for proof in proven(world.owner)}
    assert found["cancels"].simulator.count == count, "one order, however often it was asked"


@pytest.mark.parametrize("name", ["viewer", "trader", "approver", "admin"])
def test_the_page_says_what_is_done_what_is_next_and_what_is_not_proven(
    targeted: DeskWorld, name: str
) -> None:
    client = targeted.client(name)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = client.get("/guide/")
    text = page.content.decode()
    assert page.status_code == 200 and len(asked) <= 40
    assert "목표 비중을 정합니다" in text and "일어나지 않은 일은 확인된 일이 아닙니다" in text
    assert 'id="disclaimer"' in text


def test_somebody_without_an_account_is_led_from_the_overview_to_the_guide(
    desk: DeskWorld,
) -> None:
    client = desk.client("stranger")
    assert 'href="/guide/"' in client.get("/").content.decode()
    assert client.get("/guide/").status_code == 200


def test_every_page_carries_the_disclaimer(targeted: DeskWorld) -> None:
    client = targeted.client("viewer")
    for path in ("/", "/rebalancing/", "/portfolio/", "/health/", "/guide/"):
        assert "투자를 권하지 않습니다" in client.get(path).content.decode(), path


def test_the_step_without_orders_opens_a_trial(targeted: DeskWorld) -> None:
    client = targeted.client("trader")
    targeted.snapshot()
    page = client.get("/guide/").content.decode()
    (address,) = set(re.findall(r'href="([^"]*dry_run=on[^"]*)"', page))
    ticked = re.compile(r'name="dry_run"[^>]* checked')
    assert ticked.search(client.get(html.unescape(address)).content.decode())
    assert "dry_run" not in client.get("/guide/").content.decode().split("dry_run=on")[-1]
