"""What may take two people in a rebalancing: an account's targets, the thresholds, a lost order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from portfolio.models import ModelPortfolioVersion, SubPortfolioVersion, TargetDecision
from rebalancing.models import RebalancingConfig, Run
from rebalancing.services.configs import add_config
from rebalancing.services.second_persons import run_grounds
from rebalancing.services.targets import decide_targets
from trading.domain.errors import InputError, Reason
from trading.models import Account, Attempt, Intent, Proposal
from trading.selectors.people import Person, Role, has_role
from trading.services.deciding import decide_unknown
from trading.services.proposals import Change, Keeper, register

__all__ = [
    "attempt_change",
    "attempt_run_grounds",
    "config_change",
    "register_keepers",
    "targets_change",
]

KIND = Proposal.Kind


def register_keepers() -> None:
    register(KIND.TARGETS, Keeper(_standing_targets, _bind))
    register(KIND.CONFIG, Keeper(_standing_config, _configure))
    register(
        KIND.ATTEMPT,
        Keeper(
            _standing_attempt,
            _decide,
            asks_broker=True,
            may_propose=lambda person: has_role(person, Role.TRADER, Role.APPROVER),
            grounds=_attempt_grounds,
        ),
    )


def targets_change(
    account: Account,
    model_version: ModelPortfolioVersion,
    sub_versions: Sequence[SubPortfolioVersion],
    reason: str,
) -> Change:
    value = {"model": model_version.pk, "subs": sorted(version.pk for version in sub_versions)}
    return Change(KIND.TARGETS, f"targets:{account.pk}", value, account, reason)


def _standing_targets(subject: str) -> str:
    account = int(subject.partition(":")[2])
    newest = TargetDecision.objects.filter(account=account).order_by("-pk").first()
    return str(newest.pk) if newest is not None else ""


def _bind(proposal: Proposal, second: str) -> TargetDecision:
    model = ModelPortfolioVersion.objects.filter(pk=proposal.value["model"]).first()
    if proposal.account is None or model is None:
        raise InputError(Reason("proposal_unreadable"))
    subs = SubPortfolioVersion.objects.filter(pk__in=proposal.value["subs"])
    return decide_targets(
        proposal.account,
        model,
        list(subs.select_related("portfolio")),
        by=proposal.by,
        reason=proposal.reason,
        second=second,
    )


def config_change(values: Mapping[str, Any]) -> Change:
    """`values` are those of a RebalancingConfig's fields that are given; others stay as they are."""
    told = {name: str(value) for name, value in values.items()}
    return Change(KIND.CONFIG, "config", told)


def _standing_config(_subject: str) -> str:
    newest = RebalancingConfig.objects.order_by("-pk").first()
    return str(newest.pk) if newest is not None else ""


def _configure(proposal: Proposal, second: str) -> RebalancingConfig:
    values = {
        name: int(text) if name == "min_trade_won" else Decimal(text)
        for name, text in proposal.value.items()
    }
    return add_config(values, by=proposal.by, second=second)


def attempt_change(attempt: Attempt, verdict: str, order_no: str) -> Change:
    value = {"verdict": verdict, "order_no": order_no}
    return Change(KIND.ATTEMPT, f"attempt:{attempt.pk}", value, attempt.intent.account)


def attempt_run_grounds(attempt: Attempt, decider: str) -> list[Reason]:
    """Why under four eyes `decider` may not say what became of an order: they stand behind its run."""
    if attempt.intent.origin != Intent.Origin.RUN:
        return []
    run = Run.objects.select_related("target").filter(pk=attempt.intent.origin_id or 0).first()
    return run_grounds(run, decider) if run is not None else []


def _standing_attempt(subject: str) -> str:
    """The same while nobody knows; what the evidence allows the decision itself sees."""
    found = Attempt.objects.filter(pk=int(subject.partition(":")[2])).first()
    return found.state if found is not None else ""


def _attempt(proposal: Proposal) -> Attempt:
    number = int(proposal.subject.partition(":")[2])
    return Attempt.objects.select_related("intent").get(pk=number)


def _attempt_grounds(proposal: Proposal, person: Person) -> list[Reason]:
    return attempt_run_grounds(_attempt(proposal), person.get_username())


def _decide(proposal: Proposal, second: str) -> Attempt:
    return decide_unknown(
        _attempt(proposal).pk,
        proposal.value["verdict"],
        second or proposal.by,
        proposal.value["order_no"],
        proposed_by=proposal.by if second else "",
    )
