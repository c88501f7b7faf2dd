"""Under four eyes one person proposes and another one agrees; elsewhere one person does both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from portfolio.models import TargetDecision
from rebalancing.models import RebalancingConfig
from rebalancing.selectors.proposals import lines_of
from rebalancing.services.keepers import config_change, targets_change
from tests.desk.conftest import DeskWorld
from tests.desk.two_people import LOOSE, PROPOSALS, STRICT, codes, thresholds, wider
from tests.support.forms import form_of
from trading.domain.errors import InputError, RuleViolation, StateConflict
from trading.domain.proof import Proof
from trading.models import (
    Account,
    AuditEntry,
    CredentialChange,
    MarketDay,
    Proposal,
    TradingLimits,
)
from trading.services import proposals
from trading.services.proposals import agree, ask, keeper_of, propose, refuse, takes_two, withdraw

pytestmark = [pytest.mark.money]


# --- what each kind of change is, by the admin's own pages


def _targets(desk: DeskWorld) -> tuple[str, str, dict[str, str]]:
    return "/admin/portfolio/targetdecision/add/", "targetdecision_form", {"reason": "new"}


def _config(desk: DeskWorld) -> tuple[str, str, dict[str, str]]:
    path = "/admin/rebalancing/rebalancingconfig/add/"
    return path, "rebalancingconfig_form", {"mp_threshold_percent": "9.0"}


def _day(desk: DeskWorld) -> tuple[str, str, dict[str, str]]:
    told = {"day": "2026-12-30", "override": "closed", "reason": "임시 휴장"}
    return "/admin/trading/marketday/add/", "marketday_form", told


def _limits(desk: DeskWorld) -> tuple[str, str, dict[str, str]]:
    told = {"account": str(desk.account.pk), "max_order_won": "7000000", "reason": "smaller"}
    return "/admin/trading/tradinglimits/add/", "tradinglimits_form", told


@dataclass(frozen=True)
class Kind:
    kind: str
    page: Callable[[DeskWorld], tuple[str, str, dict[str, str]]]
    count: Callable[[], int]
    """Rows that the change makes."""


KINDS = [
    Kind("targets", _targets, lambda: TargetDecision.objects.count()),
    Kind("config", _config, lambda: RebalancingConfig.objects.count()),
    Kind("limits", _limits, lambda: TradingLimits.objects.count()),
    Kind("day", _day, lambda: MarketDay.objects.exclude(override="").count()),
]


@pytest.mark.parametrize("policy", [STRICT, LOOSE, "owner"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_an_admins_change_waits_under_four_eyes_and_counts_at_once_elsewhere(
    staff: Client, targeted: DeskWorld, kind: Kind, policy: str
) -> None:
    targeted.policy(policy)
    path, form, typed = kind.page(targeted)
    before = kind.count()
    page = staff.get(path)
    answer = staff.post(path, form_of(page, form) | typed)
    assert answer.status_code == 302, answer.content.decode()
    waits = policy == STRICT
    assert ('id="said-before"' in page.content.decode()) is waits, "the form says so beforehand"
    assert kind.count() == before + (not waits)
    assert Proposal.objects.filter(kind=kind.kind, by="admin", outcome="").count() == waits
    if waits:
        assert answer["Location"] == PROPOSALS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_another_approver_agrees_and_it_counts_in_both_names(
    four: DeskWorld, kind: Kind, staff: Client
) -> None:
    path, form, typed = kind.page(four)
    before = kind.count()
    staff.post(path, form_of(staff.get(path), form) | typed)
    proposal = Proposal.objects.get()
    page = four.client("approver").get(PROPOSALS).content.decode()
    assert f"{PROPOSALS}{proposal.pk}/agree/" in page
    assert any(line.changes for line in lines_of(proposal)) or kind.kind == "targets"
    answer = four.client("approver").post(f"{PROPOSALS}{proposal.pk}/agree/")
    assert (answer.status_code, answer["Location"]) == (303, PROPOSALS)
    proposal.refresh_from_db()
    assert (proposal.outcome, proposal.second) == ("agreed", "approver")
    assert kind.count() == before + 1
    told = AuditEntry.objects.order_by("-seq")[:2]
    assert [row.action for row in told][0] == "proposal_agreed"
    assert '"second": "approver"' in told[1].payload and told[1].actor == "admin"


def test_what_is_agreed_to_is_what_was_proposed(four: DeskWorld) -> None:
    agree(wider().pk, four.people["approver"])
    newest = RebalancingConfig.objects.order_by("-pk").first()
    assert newest is not None
    assert newest.mp_threshold_percent == Decimal("9.0")
    assert (newest.updated_by, newest.agreed_by) == ("admin", "approver")


# --- who may be the second one


@pytest.mark.parametrize(
    ("by", "second", "expected"),
    [
        ("admin", "approver", []),
        ("admin", "owner", []),
        ("owner", "owner", ["proposal_needs_another_person"]),
        ("shell:owner", "owner", ["proposal_needs_another_person"]),
        ("admin", "stranger", ["not_a_member"]),
        ("admin", "trader", ["approver_role_required"]),
        ("admin", "viewer", ["approver_role_required"]),
        ("admin", "admin", ["approver_role_required", "proposal_needs_another_person"]),
    ],
)
def test_who_may_be_the_second_person(
    four: DeskWorld, by: str, second: str, expected: list[str]
) -> None:
    proposal = wider(by)
    if not expected:
        agree(proposal.pk, four.people[second])
        assert thresholds() == Decimal("9.0")
        return
    with pytest.raises(RuleViolation) as error:
        agree(proposal.pk, four.people[second])
    assert codes(error) == expected
    assert thresholds() != Decimal("9.0")


@pytest.mark.parametrize(("hours", "stopped"), [(1, True), (25, False)])
def test_whoever_set_the_others_password_is_no_second_person(
    four: DeskWorld, hours: int, stopped: bool
) -> None:
    CredentialChange.objects.create(
        user=four.people["approver"], by="admin", kind="password",
        at=timezone.now() - timedelta(hours=hours),
    )  # fmt: skip
    proposal = wider()
    if stopped:
        with pytest.raises(RuleViolation) as error:
            agree(proposal.pk, four.people["approver"])
        assert codes(error) == ["approver_not_independent"]
    else:
        agree(proposal.pk, four.people["approver"])


@pytest.mark.parametrize(("minutes", "passes"), [(1, True), (6, False)])
def test_who_has_a_second_factor_shows_a_code_first(
    four: DeskWorld, minutes: int, passes: bool
) -> None:
    four.proved("approver")
    proof = Proof(timezone.now() - timedelta(minutes=minutes), "totp")
    proposal = wider()
    if passes:
        agree(proposal.pk, four.people["approver"], proof)
        return
    with pytest.raises(RuleViolation) as error:
        agree(proposal.pk, four.people["approver"], proof)
    assert codes(error) == ["code_required"]


def test_targets_of_an_account_are_for_its_members(four: DeskWorld) -> None:
    old = four.extras["decision"]
    change = targets_change(four.account, old.model_version, list(old.sub_versions.all()), "")
    proposal = propose(change, by="admin")
    stranger = four.client("stranger")
    assert stranger.post(f"{PROPOSALS}{proposal.pk}/agree/").status_code == 404
    assert "agree" not in stranger.get(PROPOSALS).content.decode()
    with pytest.raises(RuleViolation) as error:
        agree(proposal.pk, four.people["stranger"])
    assert codes(error) == ["not_a_member"]


# --- what becomes of a proposal


def test_another_change_meanwhile_overtakes_it(four: DeskWorld) -> None:
    proposal = wider()
    RebalancingConfig.objects.create(updated_by="somebody")
    with pytest.raises(StateConflict, match="proposal_overtaken"):
        agree(proposal.pk, four.people["approver"])
    proposal.refresh_from_db()
    assert proposal.outcome == "overtaken" and thresholds() != Decimal("9.0")


def test_a_newer_proposal_takes_the_place_of_the_older(four: DeskWorld) -> None:
    old, new = wider(), propose(config_change({"mp_threshold_percent": "8.0"}), by="admin")
    with pytest.raises(StateConflict, match="proposal_not_open"):
        agree(old.pk, four.people["approver"])
    agree(new.pk, four.people["approver"])
    assert thresholds() == Decimal("8.0")
    old.refresh_from_db()
    assert old.outcome == "replaced"


@pytest.mark.parametrize(("days", "open_"), [(6, True), (7, False)])
def test_it_lapses_after_a_week(four: DeskWorld, days: int, open_: bool) -> None:
    proposal = wider()
    Proposal.objects.update(expires_at=proposal.expires_at - timedelta(days=days))
    page = four.client("approver").get(PROPOSALS).content.decode()
    assert (f"{PROPOSALS}{proposal.pk}/agree/" in page) == open_
    if open_:
        agree(proposal.pk, four.people["approver"])
        return
    with pytest.raises(StateConflict, match="proposal_not_open"):
        agree(proposal.pk, four.people["approver"])
    proposal.refresh_from_db()
    assert proposal.outcome == "expired"


def test_what_changes_while_somebody_agrees_overtakes_it(
    four: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the proposal and the lock on it."""
    proposal, kept = wider(), keeper_of("config")
    told = iter([proposal.standing, "another"])
    moved = replace(kept, standing=lambda _subject: next(told))
    monkeypatch.setitem(proposals._KEEPERS, "config", moved)
    before = RebalancingConfig.objects.count()
    with pytest.raises(StateConflict, match="proposal_overtaken"):
        agree(proposal.pk, four.people["approver"])
    assert RebalancingConfig.objects.count() == before


def test_it_is_agreed_to_once(four: DeskWorld) -> None:
    proposal = wider()
    agree(proposal.pk, four.people["approver"])
    with pytest.raises(StateConflict, match="proposal_not_open"):
        agree(proposal.pk, four.people["owner"])
    assert RebalancingConfig.objects.filter(mp_threshold_percent=Decimal("9.0")).count() == 1


def test_an_approver_refuses_with_a_reason_and_nothing_changes(four: DeskWorld) -> None:
    proposal = wider()
    answer = four.client("approver").post(
        f"{PROPOSALS}{proposal.pk}/refuse/", {"reason": "너무 넓음"}, follow=True
    )
    assert "너무 넓음" in answer.content.decode()
    proposal.refresh_from_db()
    assert (proposal.outcome, proposal.second) == ("refused", "approver")
    assert thresholds() != Decimal("9.0")
    with pytest.raises(RuleViolation):
        refuse(wider().pk, four.people["trader"])


@pytest.mark.parametrize(
    ("who", "act"), [("approver", "agree"), ("admin", "withdraw")], ids=["agree", "withdraw"]
)
def test_a_word_that_the_api_has_no_use_for_is_refused(four: DeskWorld, who: str, act: str) -> None:
    path = f"/api/macro-trading/proposals/{wider().pk}/{act}"
    client = four.client(who)
    sent = {"content_type": "application/json"}
    assert client.post(path, {"reason": "fine by me"}, **sent).status_code == 400
    assert Proposal.objects.filter(outcome="").exists()
    assert client.post(path, {}, **sent).status_code == 200
    assert not Proposal.objects.filter(outcome="").exists()


def test_only_who_proposed_it_takes_it_back(four: DeskWorld) -> None:
    proposal = wider()
    with pytest.raises(RuleViolation) as error:
        withdraw(proposal.pk, "owner")
    assert codes(error) == ["proposal_not_yours"]
    four.client("admin").post(f"{PROPOSALS}{proposal.pk}/withdraw/")
    proposal.refresh_from_db()
    assert proposal.outcome == "withdrawn"


def test_what_could_not_be_done_is_not_proposed(four: DeskWorld) -> None:
    with pytest.raises(InputError):
        propose(config_change({"mp_threshold_percent": "99.0"}), by="admin")
    assert not Proposal.objects.exists()


@pytest.mark.parametrize(
    ("policies", "two"),
    [([LOOSE], False), ([LOOSE, STRICT], True), (["owner"], False), ([], False)],
)
def test_what_concerns_every_account_follows_the_strictest(
    desk: DeskWorld, policies: list[str], two: bool
) -> None:
    Account.objects.all().delete() if not policies else None
    for number, kind in enumerate(policies):
        account = desk.account if not number else Account.objects.create(
            name="Other", environment="mock", wire="mock", app_key="k", app_secret="s",
            account_no="11112222-01",
        )  # fmt: skip
        account.approval_policies.create(kind=kind, created_by="test")
    assert takes_two(None) == two
    made = ask(config_change({"mp_threshold_percent": "4.0"}), by="admin")
    assert isinstance(made, Proposal) == two
