"""Laws that the database itself holds: each refuses what it must and lets its good twin through."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import CheckConstraint
from django.utils import timezone

from portfolio.models import ModelPortfolioVersion, SubPortfolioVersion, TargetDecision
from rebalancing.domain.advice_states import ADVICE_MOVES
from rebalancing.domain.states import TRANSITIONS, RunState
from rebalancing.models import Campaign, Leg, RebalancingConfig, RebalancingHistory, Run
from tests.support.past import made_late
from tests.support.world import World, make_user
from trading.domain.orders import ATTEMPT_MOVES, INTENT_MOVES, AttemptState, IntentState
from trading.models import (
    Account,
    Approval,
    Attempt,
    AuditEntry,
    BrokerOrder,
    Decision,
    Intent,
    Ledger,
    RuleCheck,
    Sleeve,
    Switch,
)
from trading.models.laws import fingerprint, make_append_only
from trading.services.audit import audit, verify

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


def test_a_filled_intent_can_never_be_sent_again(world: World) -> None:
    world.drive(world.open())
    intent = Intent.objects.filter(state="FILLED").earliest("pk")
    for state in ("SENDING", "AUTHORIZED", "CANCELED"):
        with pytest.raises(DatabaseError), transaction.atomic():
            Intent.objects.filter(pk=intent.pk).update(state=state)
    assert Intent.objects.get(pk=intent.pk).state == "FILLED"


def test_an_ended_run_never_moves(world: World) -> None:
    run = world.drive(world.open())
    with pytest.raises(DatabaseError), transaction.atomic():
        Run.objects.filter(pk=run.pk).update(state="BUYING", terminal_at=None)


def test_an_unknown_attempt_never_goes_back_to_sending(world: World) -> None:
    world.sim.arm("A02", match={"side": "sell"})
    world.drive(world.open(), until=lambda run: Attempt.objects.filter(state="UNKNOWN").exists())
    with pytest.raises(DatabaseError), transaction.atomic():
        Attempt.objects.filter(state="UNKNOWN").update(state="SENDING")


def test_an_intent_has_one_open_attempt(world: World) -> None:
    world.drive(world.open(), until="SELL_WAIT")
    attempt = Attempt.objects.filter(state="ACKED").earliest("pk")
    attempt.pk, attempt.nonce, attempt.number, attempt.broker_order = None, "f" * 32, 9, None
    attempt.state = "SENDING"
    with pytest.raises(DatabaseError), transaction.atomic():
        attempt.save(force_insert=True)
    with made_late("trading_attempt"):
        attempt.state = "NOT_SENT"
        attempt.save(force_insert=True)


def test_an_account_has_one_active_run(world: World) -> None:
    run = world.open()
    run.pk, run.slot = None, "other"
    with pytest.raises(DatabaseError), transaction.atomic():
        run.save(force_insert=True)


def test_one_plan_is_decided_once(world: World) -> None:
    world.drive(world.open(), until="SELLING")
    approval = Approval.objects.get()
    approval.pk = None
    with pytest.raises(DatabaseError), transaction.atomic():
        approval.save(force_insert=True)


def test_four_eyes_are_two_people(world: World) -> None:
    world.drive(world.open(), until="SELLING")
    approval = Approval.objects.get()
    with pytest.raises(DatabaseError), transaction.atomic():
        Approval.objects.filter(pk=approval.pk).update(policy="four_eyes")


def test_the_ledger_cannot_be_rewritten(world: World) -> None:
    world.drive(world.open())
    with pytest.raises(DatabaseError), transaction.atomic():
        Ledger.objects.update(fee=0)


def test_the_record_cannot_be_deleted(world: World) -> None:
    world.drive(world.open(dry_run=True))
    with connection.schema_editor() as editor:
        make_append_only(editor, "trading_auditentry")
    try:
        with pytest.raises(DatabaseError), transaction.atomic():
            AuditEntry.objects.all().delete()
        with pytest.raises(DatabaseError), transaction.atomic():
            AuditEntry.objects.update(actor="somebody else")
    finally:
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER trading_auditentry_no_delete")


def test_the_chain_shows_a_row_that_was_changed_behind_its_back(world: World) -> None:
    world.drive(world.open(dry_run=True))
    assert verify() is None
    victim = AuditEntry.objects.order_by("seq")[2]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER trading_auditentry_no_update")
        else:
            cursor.execute(
                "ALTER TABLE trading_auditentry DISABLE TRIGGER trading_auditentry_no_update"
            )
        cursor.execute(
            "UPDATE trading_auditentry SET actor = 'nobody' WHERE seq = %s", [victim.seq]
        )
    try:
        assert verify() == victim.seq
    finally:
        with connection.schema_editor() as editor:
            make_append_only(editor, "trading_auditentry")
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER trading_auditentry_no_delete")


def test_an_audit_row_belongs_to_a_transaction(transactional_db: None) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        audit("a", "b", "c")
    with transaction.atomic():
        audit("a", "b", "c")
    assert verify() is None


def test_a_real_account_wears_the_real_wire(transactional_db: None) -> None:
    row = {"name": "x", "account_no": "11112222-01", "app_key": "k", "app_secret": "s"}
    with pytest.raises(DatabaseError), transaction.atomic():
        Account.objects.create(environment="real", wire="mock", **row)
    Account.objects.create(environment="mock", wire="mock", **row)


def test_keys_and_account_numbers_are_ciphertext_at_rest(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT account_no, app_key, app_secret FROM trading_account")
        stored = " ".join(cursor.fetchone())
    assert "CANARY" not in stored and "99887766" not in stored
    assert str(world.account).endswith("…66)")


def test_an_unknown_switch_state_is_refused(transactional_db: None) -> None:
    make_user("x")
    with pytest.raises(DatabaseError), transaction.atomic():
        Switch.objects.create(scope="global", state="OFF", by="x", reason="", at=timezone.now())


@pytest.mark.parametrize(
    ("table", "moves"),
    [
        ("trading_intent", INTENT_MOVES),
        ("trading_attempt", ATTEMPT_MOVES),
        ("rebalancing_run", TRANSITIONS),
        ("rebalancing_advice", ADVICE_MOVES),
    ],
)
def test_the_newest_migration_installed_these_very_moves(table: str, moves: Any) -> None:
    """An installation of yesterday gets a changed table only through a new migration."""
    installed = ""
    for (_app, _name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        module = sys.modules[type(migration).__module__]
        installed = getattr(module, "INSTALLED", {}).get(table, installed)
    assert fingerprint(moves) == installed, "write a migration that calls guard_states again"


def _refused(rows: Any, **values: object) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(**values)


def test_what_was_authorized_stays_as_it_was_said(world: World) -> None:
    world.drive(world.open(), until="SELL_WAIT")
    sent = Intent.objects.filter(attempts__isnull=False)
    kept = list(sent.values("quantity", "side", "limit_price", "plan_hash"))
    for values in ({"quantity": 1}, {"side": "BUY"}, {"plan_hash": "f" * 64}, {"leg_id": None}):
        _refused(Intent.objects.filter(pk=sent.first().pk), **values)
    assert list(sent.values("quantity", "side", "limit_price", "plan_hash")) == kept
    Intent.objects.filter(pk=sent.first().pk).update(state_reason="noted")


def test_a_decision_is_never_rewritten(world: World) -> None:
    run = world.drive(world.open())
    # a word that a verdict may be: what refuses it is that the row is there, not the word
    _refused(Approval.objects.filter(pk=Approval.objects.get().pk), verdict="DENY")
    assert Approval.objects.get().verdict == "APPROVE"
    _refused(RuleCheck.objects.all(), verdict="PASS")
    _refused(RebalancingHistory.objects.filter(run=run), real_cost=0)
    _refused(RebalancingConfig.objects.all(), mp_threshold_percent="9.0")
    _refused(TargetDecision.objects.all(), snapshot={})


@pytest.mark.parametrize(
    ("model", "column", "word"),
    [
        (Intent, "side", "HOLD"),
        (Intent, "origin", "alien"),
        (Intent, "order_type", "STOP"),
        (Attempt, "action", "x"),
        (BrokerOrder, "side", "HOLD"),
        (BrokerOrder, "source", "RUMOUR"),
        (Leg, "side", "HOLD"),
        (Run, "requester_kind", "alien"),
        (Run, "approval_policy", "anybody"),
        (Account, "wrapper", "sock"),
        (Account, "wire", "paper"),
        (Sleeve, "exit_policy", "hope"),
    ],
)
def test_a_word_that_is_none_is_refused(world: World, model: Any, column: str, word: str) -> None:
    world.drive(world.open())
    row = model.objects.first()
    _refused(model.objects.filter(pk=row.pk), **{column: word})
    assert getattr(model.objects.get(pk=row.pk), column) == getattr(row, column) != word
    model.objects.filter(pk=row.pk).update(**{column: getattr(row, column)})


@pytest.mark.parametrize(
    ("model", "column", "word"),
    [
        (Campaign, "state", "SLEEPING"),
        (RebalancingHistory, "state", "SELLING"),
        (Decision, "verdict", "maybe"),
        (TargetDecision, "source", "rumour"),
    ],
)
def test_a_new_row_with_a_word_that_is_none_is_refused(
    world: World, model: Any, column: str, word: str
) -> None:
    run = world.drive(world.open())
    attempt = Attempt.objects.earliest("pk")
    target, now = TargetDecision.objects.get(), timezone.now()
    ours = {"account": world.account}
    good: dict[Any, dict[str, Any]] = {
        Campaign: ours | {"target": target, "state": "ACTIVE"},
        Decision: {
            "intent": attempt.intent, "attempt": attempt, "verdict": "leave", "by": "x", "at": now,
        },
        TargetDecision: ours
        | {
            "model_version": target.model_version, "snapshot": {}, "decided_by": "x",
            "source": "strategy",
        },
    }  # fmt: skip
    if model is RebalancingHistory:
        row = RebalancingHistory.objects.get(run=run)
        row.pk, row.state = None, word
        with pytest.raises(DatabaseError, match=_WORD), transaction.atomic():
            row.save(force_insert=True)
        return
    with pytest.raises(DatabaseError, match=_WORD), transaction.atomic():
        model.objects.create(**good[model] | {column: word})
    model.objects.create(**good[model])


_WORD = "not a known value"


def test_every_choice_of_a_record_is_held_by_the_database(world: World) -> None:
    """A word added to a model tomorrow needs its law in the same migration."""
    held = _laws()
    for app in ("trading", "rebalancing", "portfolio"):
        for model in apps.get_app_config(app).get_models():
            table = model._meta.db_table
            checks = " ".join(str(law.condition) for law in _checks(model))
            for field in model._meta.concrete_fields:
                if field.choices and f"'{field.name}__in'" not in checks:
                    assert f"{table}_{field.column}_known_insert" in held, (table, field.name)


def _checks(model: Any) -> list[CheckConstraint]:
    return [law for law in model._meta.constraints if isinstance(law, CheckConstraint)]


def _laws() -> set[str]:
    where = (
        "SELECT tgname FROM pg_trigger"
        if connection.vendor == "postgresql"
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    with connection.cursor() as cursor:
        cursor.execute(where)
        return {name for (name,) in cursor.fetchall()}


def test_a_step_of_fills_continues_its_order(world: World) -> None:
    world.drive(world.open())
    last = Ledger.objects.filter(order__side="BUY").latest("pk")
    order = last.order
    assert order.filled_quantity == order.quantity

    def step(before: int, after: int) -> Ledger:
        return Ledger.objects.create(
            order=order, cum_before=before, cum_after=after, quantity=after - before,
            amount=1_000, fee=0, tax=0, posted_at=timezone.now(),
        )  # fmt: skip

    end = last.cum_after
    for before, after in ((end, end + 1), (end + 3, end + 4)):
        with pytest.raises(DatabaseError, match="continues its order"), transaction.atomic():
            step(before, after)
    BrokerOrder.objects.filter(pk=order.pk).update(quantity=end + 10)
    with pytest.raises(DatabaseError, match="continues its order"), transaction.atomic():
        step(end + 1, end + 2)
    step(end, end + 1)


def test_nothing_is_born_in_the_middle_of_its_life(world: World) -> None:
    run = world.drive(world.open())
    for model, state in ((Intent, "FILLED"), (Attempt, "ACKED"), (Run, "COMPLETED")):
        row = model.objects.filter(state=state).earliest("pk")
        row.pk = None
        for name, other in (("key", "k"), ("nonce", "f" * 32), ("slot", "other"), ("number", 9)):
            if hasattr(row, name):
                setattr(row, name, other)
        if model is Attempt:
            row.broker_order = None
        with pytest.raises(DatabaseError, match="is at its beginning"), transaction.atomic():
            row.save(force_insert=True)
    assert Run.objects.count() == 1
    assert world.open().pk > run.pk


@pytest.mark.parametrize(
    ("model", "states", "first"),
    [
        (Intent, IntentState, {"DRAFT", "AUTHORIZED"}),
        (Attempt, AttemptState, {"SENDING"}),
        (Run, RunState, {"CREATED"}),
    ],
)
def test_no_state_but_the_first_is_a_beginning(
    world: World, model: Any, states: Any, first: set[str]
) -> None:
    world.drive(world.open(), until="SELL_WAIT")
    row = model.objects.earliest("pk")
    for state in {str(state) for state in states} - first:
        row.pk, row.state = None, state
        with pytest.raises(DatabaseError, match="is at its beginning"), transaction.atomic():
            row.save(force_insert=True)


def test_a_version_of_weights_stays_and_a_decision_names_a_whole_one(world: World) -> None:
    decision = TargetDecision.objects.get()
    version = decision.model_version
    _refused(version.weights.all(), weight="1.00")
    _refused(ModelPortfolioVersion.objects.filter(pk=version.pk), note="other")
    half = ModelPortfolioVersion.objects.create(
        portfolio=version.portfolio, number=99, total="100.00", created_by="test"
    )
    half.weights.create(asset_class="STOCK", weight="60.00")
    copied = {
        "account": decision.account, "snapshot": decision.snapshot, "decided_by": "test",
    }  # fmt: skip
    with pytest.raises(DatabaseError), transaction.atomic():
        TargetDecision.objects.create(model_version=half, **copied)
    half.weights.create(asset_class="CASH", weight="40.00")
    TargetDecision.objects.create(model_version=half, **copied)


def test_a_decision_binds_only_whole_sub_portfolios(world: World) -> None:
    decision = TargetDecision.objects.get()
    sub = decision.sub_versions.first()
    half = SubPortfolioVersion.objects.create(
        portfolio=sub.portfolio, number=99, total="100.00", created_by="test"
    )
    half.weights.create(instrument_id="069500", weight="99.00")
    with pytest.raises(DatabaseError), transaction.atomic():
        decision.sub_versions.add(half)
    half.weights.create(instrument_id="360750", weight="1.00")
    decision.sub_versions.add(half)
