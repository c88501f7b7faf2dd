"""Under four eyes one person proposes and another one agrees; elsewhere one person does both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from portfolio.models import TargetDecision
from portfolio.services import create_model_version
from rebalancing.models import RebalancingConfig, RunSchedule
from rebalancing.selectors.proposals import lines_of
from rebalancing.services.approvals import decide_run
from rebalancing.services.keepers import config_change, targets_change
from rebalancing.services.schedule_changes import make_schedule
from rebalancing.services.targets import decide_targets
from tests.desk.conftest import HASH, DeskWorld
from tests.support.authenticator import with_code
from tests.support.forms import form_of
from trading.domain.errors import InputError, RuleViolation, StateConflict
from trading.domain.proof import Proof
from trading.models import (
    Account,
    AccountMember,
    AuditEntry,
    CredentialChange,
    MarketDay,
    Proposal,
    TradingLimits,
)
from trading.services.keepers import approver_change, making_approver_takes_two
from trading.services.proposals import agree, ask, propose, refuse, takes_two, withdraw
from trading.services.releases import ask_release
from trading.services.roles import ensure_roles
from trading.services.switches import account_scope, engage

pytestmark = [pytest.mark.money]
PAGE = "/rebalancing/proposals/"
LOOSE, STRICT = "owner_practice", "four_eyes"


@pytest.fixture
def four(staff: Client, targeted: DeskWorld) -> DeskWorld:
    """The account is under four eyes, and everybody may enter the admin."""
    ensure_roles()
    targeted.policy(STRICT)
    for person in targeted.people.values():
        person.is_staff = True
        person.save()
    return targeted


def thresholds() -> Decimal:
    newest = RebalancingConfig.objects.order_by("-pk").first()
    assert newest is not None
    return newest.mp_threshold_percent


def codes(error: Any) -> list[str]:
    return [reason.code for reason in error.value.reasons]


def wider(by: str = "admin") -> Proposal:
    return propose(config_change({"mp_threshold_percent": "9.0"}), by=by)


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
        assert answer["Location"] == PAGE


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_another_approver_agrees_and_it_counts_in_both_names(
    four: DeskWorld, kind: Kind, staff: Client
) -> None:
    path, form, typed = kind.page(four)
    before = kind.count()
    staff.post(path, form_of(staff.get(path), form) | typed)
    proposal = Proposal.objects.get()
    page = four.client("approver").get(PAGE).content.decode()
    assert f"{PAGE}{proposal.pk}/agree/" in page
    assert any(line.changes for line in lines_of(proposal)) or kind.kind == "targets"
    answer = four.client("approver").post(f"{PAGE}{proposal.pk}/agree/")
    assert (answer.status_code, answer["Location"]) == (303, PAGE)
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
    assert stranger.post(f"{PAGE}{proposal.pk}/agree/").status_code == 404
    assert "agree" not in stranger.get(PAGE).content.decode()
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


@pytest.mark.parametrize(("days", "open_"), [(6, True), (8, False)])
def test_it_lapses_after_a_week(four: DeskWorld, days: int, open_: bool) -> None:
    proposal = wider()
    Proposal.objects.update(expires_at=proposal.expires_at - timedelta(days=days))
    page = four.client("approver").get(PAGE).content.decode()
    assert (f"{PAGE}{proposal.pk}/agree/" in page) == open_
    if open_:
        agree(proposal.pk, four.people["approver"])
        return
    with pytest.raises(StateConflict, match="proposal_not_open"):
        agree(proposal.pk, four.people["approver"])
    proposal.refresh_from_db()
    assert proposal.outcome == "expired"


def test_it_is_agreed_to_once(four: DeskWorld) -> None:
    proposal = wider()
    agree(proposal.pk, four.people["approver"])
    with pytest.raises(StateConflict, match="proposal_not_open"):
        agree(proposal.pk, four.people["owner"])
    assert RebalancingConfig.objects.filter(mp_threshold_percent=Decimal("9.0")).count() == 1


def test_an_approver_refuses_with_a_reason_and_nothing_changes(four: DeskWorld) -> None:
    proposal = wider()
    answer = four.client("approver").post(
        f"{PAGE}{proposal.pk}/refuse/", {"reason": "너무 넓음"}, follow=True
    )
    assert "너무 넓음" in answer.content.decode()
    proposal.refresh_from_db()
    assert (proposal.outcome, proposal.second) == ("refused", "approver")
    assert thresholds() != Decimal("9.0")
    with pytest.raises(RuleViolation):
        refuse(wider().pk, four.people["trader"])


def test_only_who_proposed_it_takes_it_back(four: DeskWorld) -> None:
    proposal = wider()
    with pytest.raises(RuleViolation) as error:
        withdraw(proposal.pk, "owner")
    assert codes(error) == ["proposal_not_yours"]
    four.client("admin").post(f"{PAGE}{proposal.pk}/withdraw/")
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


# --- approvers


def _edit(client: Client, person: Any, *roles: str) -> Any:
    path = f"/admin/auth/user/{person.pk}/change/"
    groups = [str(Group.objects.get(name=name).pk) for name in roles]
    page = form_of(client.get(path), "user_form")
    return client.post(path, page | {"groups": groups}, follow=True)


def _roles(person: Any) -> list[str]:
    return sorted(get_user_model().objects.get(pk=person.pk).groups.values_list("name", flat=True))


@pytest.mark.parametrize("policy", [STRICT, LOOSE])
def test_an_approver_is_made_by_two(staff: Client, targeted: DeskWorld, policy: str) -> None:
    ensure_roles()
    targeted.policy(policy)
    viewer = targeted.people["viewer"]
    _edit(staff, viewer, "viewer", "trader", "approver")
    if policy == LOOSE:
        assert _roles(viewer) == ["approver", "trader", "viewer"]
        assert not Proposal.objects.exists()
        return
    assert _roles(viewer) == ["trader", "viewer"], "the others count at once"
    proposal = Proposal.objects.get(kind="approver")
    agree(proposal.pk, targeted.people["approver"])
    assert _roles(viewer) == ["approver", "trader", "viewer"]


def test_nobody_agrees_to_a_role_of_their_own(four: DeskWorld) -> None:
    proposal = propose(approver_change(four.people["approver"]), by="admin")
    with pytest.raises(RuleViolation) as error:
        agree(proposal.pk, four.people["approver"])
    assert codes(error) == ["proposal_about_yourself"]


def test_roles_changed_meanwhile_overtake_it(four: DeskWorld) -> None:
    viewer = four.people["viewer"]
    proposal = propose(approver_change(viewer), by="admin")
    viewer.groups.add(Group.objects.get(name="admin"))
    with pytest.raises(StateConflict, match="proposal_overtaken"):
        agree(proposal.pk, four.people["approver"])


def test_an_approver_who_comes_back_is_made_anew(four: DeskWorld) -> None:
    person = four.people["approver"]
    person.is_active = False
    person.save()
    staff = four.client("admin")
    path = f"/admin/auth/user/{person.pk}/change/"
    staff.post(path, form_of(staff.get(path), "user_form") | {"is_active": "on"})
    person.refresh_from_db()
    assert person.is_active and _roles(person) == []
    assert Proposal.objects.get().subject == f"approver:{person.pk}"


def test_the_first_approvers_need_nobody(four: DeskWorld) -> None:
    approver = Group.objects.get(name="approver")
    for name in ("approver", "owner", "stranger"):
        four.people[name].groups.remove(approver)
    viewer = four.people["viewer"]
    assert not making_approver_takes_two(viewer, "admin")
    four.people["owner"].groups.add(approver)
    assert making_approver_takes_two(viewer, "admin")
    assert not making_approver_takes_two(viewer, "owner"), "there is nobody else to ask"


def test_taking_the_role_from_the_others_first_helps_nobody(four: DeskWorld) -> None:
    staff = four.client("admin")
    for name in ("approver", "owner", "stranger"):
        _edit(staff, four.people[name])
    assert not get_user_model().objects.filter(groups__name="approver").exists()
    viewer = four.people["viewer"]
    _edit(staff, viewer, "viewer", "approver")
    assert _roles(viewer) == ["viewer"] and Proposal.objects.filter(kind="approver").exists()


# --- runs


def decided(run: Any, person: Any) -> Any:
    return decide_run(run.pk, HASH, person, "APPROVE", proof=with_code(person))


def _scheduled(desk: DeskWorld, by: str) -> Any:
    made = make_schedule(desk.account, {"at": timezone.now().time().replace(
        hour=10, minute=0, second=0, microsecond=0), "kind": "drift"}, by=by)  # fmt: skip
    return desk.run(requester=f"schedule:{made.pk}", set_by=made.changed_by)


@pytest.mark.parametrize(
    ("by", "policy", "expected"),
    [
        ("owner", STRICT, ["scheduler_may_not_approve"]),
        ("admin", STRICT, []),
        ("owner", LOOSE, []),
    ],
)
def test_who_changed_a_schedule_stands_behind_its_runs(
    staff: Client, targeted: DeskWorld, by: str, policy: str, expected: list[str]
) -> None:
    targeted.policy(policy)
    run = _scheduled(targeted, by)
    if not expected:
        decided(run, targeted.people["owner"])
        return
    with pytest.raises(RuleViolation) as error:
        decided(run, targeted.people["owner"])
    assert codes(error) == expected


def test_who_stands_behind_a_run_is_fixed_when_it_opens(staff: Client, targeted: DeskWorld) -> None:
    """Somebody else's touch of the schedule later sets nobody free."""
    targeted.policy(STRICT)
    run = _scheduled(targeted, "owner")
    RunSchedule.objects.update(changed_by="admin")
    with pytest.raises(RuleViolation):
        decided(run, targeted.people["owner"])
    decided(run, targeted.people["approver"])


@pytest.mark.parametrize(("policy", "asked"), [(STRICT, True), ("owner", True), (LOOSE, False)])
def test_outside_of_practice_an_approval_takes_a_second_factor(
    targeted: DeskWorld, policy: str, asked: bool
) -> None:
    """Law I11 asks it of every approval of two, whatever the environment."""
    targeted.policy(policy)
    run, person = targeted.run(requester="trader"), targeted.people["approver"]
    if not asked:
        assert decide_run(run.pk, HASH, person, "APPROVE").state == "APPROVED"
        return
    with pytest.raises(RuleViolation) as error:
        decide_run(run.pk, HASH, person, "APPROVE")
    assert codes(error) == ["second_factor_required"]
    assert decided(run, person).state == "APPROVED"


@pytest.mark.parametrize(("second", "stopped"), [("", True), ("approver", False)])
def test_who_decided_the_targets_alone_stands_behind_a_run_too(
    targeted: DeskWorld, second: str, stopped: bool
) -> None:
    targeted.policy(STRICT)
    old = targeted.extras["decision"]
    decision = decide_targets(
        targeted.account, old.model_version, list(old.sub_versions.all()),
        by="owner", second=second,
    )  # fmt: skip
    run = targeted.run(target=decision)
    if not stopped:
        decided(run, targeted.people["owner"])
        return
    with pytest.raises(RuleViolation) as error:
        decided(run, targeted.people["owner"])
    assert codes(error) == ["target_decider_may_not_approve"]


# --- pages


@pytest.mark.parametrize(
    ("name", "agrees"), [("approver", True), ("trader", False), ("admin", False), ("owner", True)]
)
def test_the_page_offers_only_what_this_person_may_do(
    four: DeskWorld, name: str, agrees: bool
) -> None:
    proposal = wider()
    page = four.client(name).get(PAGE).content.decode()
    assert (f"{PAGE}{proposal.pk}/agree/" in page) == agrees
    assert (f"{PAGE}{proposal.pk}/withdraw/" in page) == (name == "admin")


def test_the_overview_says_that_a_change_waits(four: DeskWorld) -> None:
    approver = four.client("approver")
    assert "동의를 기다리는 변경" not in approver.get("/").content.decode()
    wider()
    page = approver.get("/").content.decode()
    assert "동의를 기다리는 변경 1건" in page and PAGE in page


def test_a_change_to_one_account_shows_what_would_differ(four: DeskWorld) -> None:
    old = four.extras["decision"]
    weights = {"STOCK": Decimal("50.00"), "BOND": Decimal("40.00"), "CASH": Decimal("10.00")}
    version = create_model_version(old.model_version.portfolio, weights, by="admin")
    change = targets_change(four.account, version, list(old.sub_versions.all()), "more bonds")
    lines = lines_of(propose(change, by="admin"))
    told = {line.name: (line.now, line.then) for line in lines if line.changes}
    assert told == {"주식": ("60.00 %", "50.00 %"), "채권": ("30.00 %", "40.00 %")}


def test_a_day_says_what_it_was(four: DeskWorld) -> None:
    MarketDay.objects.create(day=date(2026, 12, 30), override="normal")
    from trading.services.keepers import day_change

    line = lines_of(propose(day_change(date(2026, 12, 30), "closed", "r"), by="admin"))[0]
    assert line.name == "2026-12-30" and "보통" in line.now and line.then == "휴장"


def test_members_of_one_account_do_not_read_of_another(four: DeskWorld) -> None:
    other = Account.objects.create(
        name="Secret", environment="mock", wire="mock", app_key="k", app_secret="s",
        account_no="11112222-01",
    )  # fmt: skip
    other.approval_policies.create(kind=STRICT, created_by="test")
    old = four.extras["decision"]
    propose(targets_change(other, old.model_version, list(old.sub_versions.all()), ""), by="x")
    for path in (PAGE, "/admin/trading/proposal/"):
        assert "Secret" not in four.client("approver").get(path).content.decode()
    AccountMember.objects.create(account=other, user=four.people["approver"])
    for path in (PAGE, "/admin/trading/proposal/"):
        assert "Secret" in four.client("approver").get(path).content.decode()


def test_an_open_page_learns_of_what_somebody_decides(four: DeskWorld) -> None:
    approver = four.client("approver")
    made = wider()
    page = approver.get(PAGE).content.decode()
    seen = page.split('name="seen"')[-1].split('value="')[1].split('"')[0]
    part = f"{PAGE}part/?seen={seen}"
    assert approver.get(part).status_code == 204
    refuse(made.pk, four.people["owner"], "no")
    answer = approver.get(part)
    assert answer.status_code == 200 and f"{made.pk}/agree/" not in answer.content.decode()
    assert "3.0 → 9.0" in answer.content.decode(), "and what it was about"


def test_a_release_that_waits_is_something_to_do(four: DeskWorld) -> None:
    approver = four.client("approver")
    scope = account_scope(four.account)
    engage(scope, "HALTED", "trader", "drill")
    assert "정지 해제 요청" not in approver.get("/").content.decode()
    ask_release(scope, "admin", "checked")
    assert "정지 해제 요청이 동의를 기다립니다" in approver.get("/").content.decode()


def test_the_admins_front_page_counts_what_waits(four: DeskWorld) -> None:
    admin = four.client("admin")
    assert PAGE not in admin.get("/admin/").content.decode()
    wider()
    assert "동의를 기다리는 변경 1건" in admin.get("/admin/").content.decode()
