"""Who may let a plan out: the account's policy applied to one decision, or to none at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from rebalancing.domain.states import RunState
from rebalancing.models import Leg, Run
from rebalancing.services.lease import move_run
from rebalancing.services.second_persons import run_grounds
from trading.domain.errors import Reason, RuleViolation, StateConflict
from trading.domain.proof import FRESH, OWNER_FRESH, Proof
from trading.models import Account, Approval, ApprovalPolicy, Attempt
from trading.models.prepared import Prepared
from trading.selectors.people import Person, Role, has_role, may_see
from trading.selectors.second_factor import act_grounds, factor_of
from trading.services.alerts import alert
from trading.services.audit import audit
from trading.services.clock import market_clock
from trading.services.policies import policy_of

__all__ = ["automatic_grounds", "code_age", "decide_run"]


@dataclass(frozen=True, slots=True)
class PlanSize:
    turnover_percent: Decimal
    cost_won: int


def plan_size(run: Run) -> PlanSize:
    legs = list(Leg.objects.filter(run=run, generation=run.generation))
    amount = sum(leg.quantity * leg.reference_price for leg in legs)
    equity = run.snapshot.equity if run.snapshot else 0
    return PlanSize(
        turnover_percent=Decimal(100 * amount) / equity if equity else Decimal(100),
        cost_won=sum(leg.expected_cost for leg in legs),
    )


def automatic_grounds(run: Run, *, needs_person: bool) -> list[Reason]:
    """Why this plan may not be approved without a person; an empty list means it may."""
    policy, size = policy_of(run.account), plan_size(run)
    now = market_clock(run.account).now()
    grounds = []
    if not policy.automatic:
        grounds.append(Reason("automatic_off"))
    if run.requester_kind != Run.Requester.SCHEDULE:
        grounds.append(Reason("a_person_asked"))
    if needs_person:
        grounds.append(Reason("check_needs_person"))
    if run.snapshot is None or not run.snapshot.holdings:
        grounds.append(Reason("first_funding"))
    if size.turnover_percent > policy.max_turnover_percent:
        grounds.append(
            Reason(
                "turnover",
                {"percent": round(size.turnover_percent, 2), "max": policy.max_turnover_percent},
            )
        )
    if size.cost_won > policy.max_cost_won:
        grounds.append(Reason("cost", {"won": size.cost_won, "max": policy.max_cost_won}))
    # a lookup by date would ask in the database's zone, which is the pages', not the market's
    today = datetime.combine(now.date(), time.min, now.tzinfo)
    doubtful = Attempt.objects.filter(
        intent__account=run.account, state__in=["UNKNOWN", "ABSENT"], committed_at__gte=today
    )
    alerts = run.account.alerts.filter(code="order_unknown", created_at__gte=today)
    if doubtful.exists() or alerts.exists():
        grounds.append(Reason("unknown_today"))
    return grounds


def decide_run(
    run_id: int,
    plan_hash: str,
    user: Person,
    verdict: str,
    reason: str = "",
    proof: Proof | None = None,
) -> Run:
    """A person approves or rejects exactly the plan named by `plan_hash`.

    `proof` is the code they have shown last; only an approval asks for one.

    Raises StateConflict when the plan is another, already decided or expired; RuleViolation with every
    reason when the policy does not let this person decide.
    """
    with transaction.atomic():
        run = (
            Run.objects.select_for_update(of=("self",))
            .select_related("account", "snapshot", "target")
            .get(pk=run_id)
        )
        now = market_clock(run.account).now()
        _require_open(run, plan_hash)
        if run.plan_expires_at is not None and now <= run.plan_expires_at:
            _require_allowed(run, user, verdict, proof)
            _store(run, user, verdict, reason, now, proof)
            return run
        move_run(
            run,
            RunState.APPROVAL_EXPIRED,
            at=now,
            by=str(user),
            terminal_at=now,
            due_at=None,
            end_reason="approval_expired",
        )
    alert("approval_expired", account=run.account, run_id=run.pk)
    raise StateConflict("approval_expired", run=run.pk)


def _require_open(run: Run, plan_hash: str) -> None:
    if run.state != RunState.AWAITING_APPROVAL:
        raise StateConflict("not_awaiting", run=run.pk, state=run.state)
    if run.plan_hash != plan_hash:
        raise StateConflict("stale_plan", run=run.pk)


def _require_allowed(run: Run, user: Person, verdict: str, proof: Proof | None = None) -> None:
    policy = policy_of(run.account)
    reasons = []
    if not has_role(user, Role.APPROVER):
        reasons.append(Reason("approver_role_required"))
    if not may_see(user, run.account):
        reasons.append(Reason("not_a_member"))
    if verdict == Approval.Verdict.APPROVE:
        if policy.kind == ApprovalPolicy.Kind.FOUR_EYES:
            reasons += run_grounds(run, user.get_username())
        reasons += _proof_grounds(run, user, proof, policy)
        if (
            policy.kind == ApprovalPolicy.Kind.OWNER_PRACTICE
            and run.account.environment == Account.Environment.REAL
        ):
            reasons.append(Reason("practice_policy_on_real_account"))
    if reasons:
        raise RuleViolation(reasons)


def _proof_grounds(
    run: Run, user: Person, proof: Proof | None, policy: ApprovalPolicy
) -> list[Reason]:
    """An owner who decides alone shows a code each time, and so does the second of two: law I11 asks it of
    every approval under four eyes, in practice too. Others as their account asks."""
    if policy.kind != ApprovalPolicy.Kind.OWNER_PRACTICE and factor_of(user) is None:
        return [Reason("second_factor_required")]
    return act_grounds(user, run.account, proof, timezone.now(), code_age(policy))


def code_age(policy: ApprovalPolicy) -> timedelta:
    """How old the code may be that an approval under `policy` goes with, for the form to ask in time."""
    return OWNER_FRESH if policy.kind == ApprovalPolicy.Kind.OWNER else FRESH


def _store(
    run: Run, user: Person, verdict: str, reason: str, now: datetime, proof: Proof | None
) -> None:
    policy = policy_of(run.account)
    try:
        with transaction.atomic():
            Approval.objects.create(
                subject=run.subject,
                plan_hash=run.plan_hash,
                account=run.account,
                requester=run.requester,
                approver=user.get_username(),
                approver_user=user,
                policy=policy.kind,
                policy_version=str(policy.pk),
                auth_level=proof.level if proof and proof.is_fresh(timezone.now()) else "password",
                verdict=verdict,
                reason=reason[:300],
                decided_at=now,
                expires_at=_expiry(run),
            )
    except IntegrityError as error:
        raise StateConflict("already_decided", run=run.pk) from error
    if verdict == Approval.Verdict.APPROVE:
        move_run(run, RunState.APPROVED, at=now, by=user.get_username(), due_at=now)
    else:
        move_run(
            run,
            RunState.DENIED,
            at=now,
            by=user.get_username(),
            reason=reason,
            terminal_at=now,
            due_at=None,
            end_reason="denied",
        )
    audit(
        user.get_username(),
        "run_approved" if verdict == Approval.Verdict.APPROVE else "run_denied",
        f"run:{run.pk}",
        {"plan_hash": run.plan_hash, "policy": policy.kind, "reason": reason},
    )


def _expiry(run: Run) -> datetime:
    """When the plan's approval ends; a plan that awaits approval always has one."""
    assert run.plan_expires_at is not None
    return run.plan_expires_at


def approve_by_policy(run: Run, now: datetime) -> None:
    """The policy's own approval of a scheduled plan inside its limits. Inside a transaction."""
    policy = policy_of(run.account)
    Approval.objects.create(
        subject=run.subject,
        plan_hash=run.plan_hash,
        account=run.account,
        requester=run.requester,
        approver=f"policy:{policy.pk}",
        policy="automatic",
        policy_version=str(policy.pk),
        auth_level="policy",
        verdict=Approval.Verdict.APPROVE,
        decided_at=now,
        expires_at=_expiry(run),
    )
    audit(f"policy:{policy.pk}", "run_approved", f"run:{run.pk}", {"plan_hash": run.plan_hash})


def approval_of(run: Run) -> Approval | None:
    """The approval of exactly the current plan."""
    found: Approval | None = _APPROVAL.first(subject=run.subject, plan=run.plan_hash)
    return found


_APPROVAL = Prepared(
    lambda value: Approval.objects.filter(
        subject=value.subject, plan_hash=value.plan, verdict=Approval.Verdict.APPROVE
    ).order_by("-pk")[:1],
    subject=str,
    plan=str,
)
