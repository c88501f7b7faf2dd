"""One sale of one run with everything that is kept about it, for tests of what the admin says of records."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.contrib.admin import site
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client
from django.utils import timezone

from rebalancing.models import Run
from tests.desk.conftest import DeskWorld
from tests.support.past import made_late
from trading.domain.limits import GateInputs, evaluate_gate
from trading.models import (
    Approval,
    Attempt,
    BrokerOrder,
    CredentialChange,
    Enumeration,
    Intent,
    Lane,
    Ledger,
    Reservation,
    RuleCheck,
    ScheduleFire,
    Switch,
    Transition,
)
from trading.services.api_tokens import issue_token
from trading.services.audit import audit
from trading.services.epochs import current_epoch
from trading.services.ledger import sleeve_of

__all__ = ["Sale", "a_sale", "pages_of_records"]


@dataclass
class Sale:
    run: Run
    intent: Intent
    attempt: Attempt
    order: BrokerOrder
    check: RuleCheck


def gate_inputs(intent: Intent, **change: Any) -> GateInputs:
    now = timezone.now().isoformat()
    usual: dict[str, Any] = {
        "action": "order",
        "origin": "run",
        "side": str(intent.side),
        "quantity": intent.quantity,
        "limit_price": intent.limit_price,
        "kind": "etf",
        "now": now,
        "switch": "ACTIVE",
        "environment_ok": True,
        "market_open": True,
        "cancel_allowed_now": True,
        "instrument_tradable": True,
        "approval_ok": True,
        "deadline": (timezone.now() + timedelta(hours=1)).isoformat(),
        "lane_free": True,
        "account_paused": False,
        "opposite_open": 0,
        "duplicates": 0,
        "sent_last_minute": 0,
        "sent_today": 0,
        "quote_at": now,
        "quote_last": 10_000,
        "upper_limit": 13_000,
        "lower_limit": 7_000,
        "halted": False,
        "vi": False,
        "sellable": 60,
    }
    return GateInputs(**usual | change)


def a_sale(world: DeskWorld, **inputs: Any) -> Sale:
    """Asked for, approved, checked, sent and filled; a program and people did it, and the chain tells of it."""
    now = timezone.now()
    run = world.run("COMPLETED")
    leg = run.legs.get()
    world.snapshot()
    world.history(run)
    approval = Approval.objects.create(
        subject=run.subject,
        plan_hash=run.plan_hash,
        account=run.account,
        requester="trader",
        approver="approver",
        policy="owner_practice",
        policy_version="1",
        auth_level="password",
        verdict="APPROVE",
        decided_at=now,
        expires_at=now + timedelta(minutes=10),
    )
    with made_late("trading_intent"):
        intent = Intent.objects.create(
            key=f"run:{run.pk}:{leg.pk}:0:0",
            origin="run",
            origin_id=run.pk,
            leg_id=leg.pk,
            account=run.account,
            sleeve=sleeve_of(run.account),
            instrument=leg.instrument,
            side="SELL",
            quantity=50,
            order_type="LIMIT",
            limit_price=9_995,
            reference_price=10_000,
            plan_hash=run.plan_hash,
            approval=approval,
            deadline_at=now + timedelta(hours=1),
            state="FILLED",
            state_since=now,
            filled_quantity=50,
            filled_amount=499_750,
            created_at=now,
        )
    epoch = current_epoch()
    read = Enumeration.objects.create(
        account=run.account,
        trade_date=now.date(),
        scope="ALL",
        pages=1,
        complete=True,
        rows=0,
        rows_hash="c" * 64,
        started_at=now,
        ended_at=now,
        epoch=epoch,
    )
    order = world.order(
        now,
        order_no="0000050744",
        owner=intent,
        source="ACK",
        instrument=leg.instrument,
        side="SELL",
        quantity=50,
        price=9_995,
        filled_quantity=50,
        filled_amount=499_750,
        remaining_quantity=0,
        order_time="093714",
    )
    lane = Lane.objects.get_or_create(account=run.account, instrument=leg.instrument, side="SELL")[
        0
    ]
    with made_late("trading_attempt"):
        attempt = Attempt.objects.create(
            intent=intent,
            lane=lane,
            number=1,
            action="order",
            nonce=f"{intent.pk:032d}",
            state="ACKED",
            body="{}",
            body_hash="d" * 64,
            baseline=[],
            baseline_hash="e" * 64,
            baseline_enumeration=read,
            committed_at=now,
            deadline_at=now,
            wall_deadline_at=now,
            answered_at=now,
            http_status=200,
            message="주문 전송 완료 되었습니다.",
            broker_order=order,
            build_id="build",
            epoch=epoch,
            whitelist_version="1",
        )
    asked = gate_inputs(intent, **inputs)
    found = evaluate_gate(asked)
    passed = all(one.passed for one in found)
    check = RuleCheck.objects.create(
        intent=intent,
        attempt=attempt if passed else None,
        rule_set_version="gate-3",
        inputs=asdict(asked),
        inputs_hash="f" * 64,
        verdict="PASS" if passed else "VETO",
        results=[asdict(one) for one in found],
        at=now,
    )
    Ledger.objects.create(
        order=order,
        cum_before=0,
        cum_after=50,
        quantity=50,
        amount=499_750,
        fee=70,
        tax=0,
        posted_at=now,
    )
    Reservation.objects.create(intent=intent, shares=50, opened_at=now, closed_at=now)
    for kind, key, old, new, by in (
        ("run", run.pk, "CREATED", "SNAPSHOT", "engine"),
        ("intent", intent.pk, "AUTHORIZED", "SENDING", "engine"),
        ("attempt", attempt.pk, "SENDING", "ACKED", "system"),
    ):
        Transition.objects.create(
            object_type=kind, object_id=key, from_state=old, to_state=new, at=now, by=by
        )
    Switch.objects.create(
        scope="global", state="HALTED", by="admin", reason="긴급 정지 (API)", at=now
    )
    ScheduleFire.objects.create(
        job="check:1", slot="2026-12-01T09:40", fired_at=now, account=run.account
    )
    issue_token(world.people["admin"], "program", "read", 30)
    CredentialChange.objects.create(
        user=world.people["approver"], by="admin", kind="password", at=now
    )
    LogEntry.objects.create(
        user=world.people["admin"],
        content_type=ContentType.objects.get_for_model(run),
        object_id=str(run.pk),
        object_repr=str(run),
        action_flag=CHANGE,
    )
    person = world.people["approver"].pk
    with transaction.atomic():
        audit("trader", "run_opened", f"run:{run.pk}", {"slot": run.slot, "dry_run": False})
        audit("engine", "order_send", f"intent:{intent.pk}", {"attempt": attempt.pk})
        audit("admin", "switch_engage", "switch:global", {"state": "HALTED"})
        audit("admin", "password_set", f"user:{person}")
    return Sale(run, intent, attempt, order, check)


def pages_of_records(client: Client) -> list[tuple[str, str]]:
    """(address, page) of every list of the admin and of the first record in it."""
    found = []
    for model in site._registry:
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        answer = client.get(base)
        if answer.status_code != 200:
            continue
        found.append((base, answer.content.decode()))
        row = next(iter(answer.context["cl"].result_list), None)
        if row is not None:
            path = f"{base}{row.pk}/change/"
            page = client.get(path)
            assert page.status_code == 200, path
            found.append((path, page.content.decode()))
    return found
