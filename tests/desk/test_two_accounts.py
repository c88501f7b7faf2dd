"""What happens on one account says nothing about another: proposals, limits, policies, stops."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django.test import Client
from rest_framework.test import APIClient

from portfolio.models import ModelPortfolioVersion
from rebalancing.services.keepers import config_change, targets_change
from rebalancing.services.targets import decide_targets
from tests.desk.conftest import DeskWorld
from tests.desk.two_people import LOOSE, STRICT, codes, wider
from tests.support.authenticator import enrolled
from tests.support.forms import form_of
from trading.domain.errors import RuleViolation
from trading.models import Account, AccountMember, Alert, ApprovalPolicy, Proposal, TradingLimits
from trading.selectors.limits import LIMIT_NAMES, limits_in_force
from trading.selectors.proposals import proposals_seen
from trading.selectors.stops import ruling_stop
from trading.services.keepers import limits_change
from trading.services.limits import add_limits
from trading.services.policies import add_policy, agree_policy
from trading.services.proposals import agree, propose
from trading.services.releases import agree_release, ask_release
from trading.services.switches import GLOBAL, account_scope, engage, switch_state

pytestmark = [pytest.mark.money]


@pytest.fixture
def other(four: DeskWorld) -> Account:
    """Beside the account under four eyes one that a single person decides about, with the same people."""
    account = Account.objects.create(
        name="Other", environment="mock", wire="mock", app_key="k", app_secret="s",
        account_no="11112222-01",
    )  # fmt: skip
    account.approval_policies.create(kind=LOOSE, created_by="test")
    for person in four.people.values():
        if AccountMember.objects.filter(account=four.account, user=person).exists():
            AccountMember.objects.create(account=account, user=person)
    return account


@pytest.mark.parametrize("own", [True, False])
def test_limits_of_another_account_overtake_nothing(
    four: DeskWorld, other: Account, own: bool
) -> None:
    asked = propose(limits_change(four.account, {"per_day": 50}, "smaller"), by="admin")
    add_limits(four.account if own else other, {"per_day": 60}, by="owner")
    if own:
        with pytest.raises(Exception, match="proposal_overtaken"):
            agree(asked.pk, four.people["approver"])
        return
    agree(asked.pk, four.people["approver"])
    row = TradingLimits.objects.filter(account=four.account).get()
    assert (row.per_day, row.created_by, row.agreed_by) == (50, "admin", "approver")


def test_targets_of_another_account_overtake_nothing(four: DeskWorld, other: Account) -> None:
    decision = four.extras["decision"]
    subs = list(decision.sub_versions.select_related("portfolio"))
    model = ModelPortfolioVersion.objects.get(pk=decision.model_version_id)
    asked = propose(targets_change(four.account, model, subs, "again"), by="admin")
    decide_targets(other, model, subs, by="owner")
    agree(asked.pk, four.people["approver"])
    asked.refresh_from_db()
    assert asked.outcome == "agreed"


@pytest.mark.parametrize("strict", [True, False])
def test_a_form_follows_the_policy_of_the_account_it_names(
    four: DeskWorld, other: Account, strict: bool
) -> None:
    account = four.account if strict else other
    staff = four.client("admin")
    path = f"/admin/trading/tradinglimits/add/?account={account.pk}"
    typed = {"account": str(account.pk), "per_day": "50", "reason": "smaller"}
    answer = staff.post(path, form_of(staff.get(path), "tradinglimits_form") | typed)
    assert answer.status_code == 302, answer.content.decode()
    assert TradingLimits.objects.filter(account=account).exists() is not strict
    assert Proposal.objects.filter(kind="limits").exists() is strict


def test_the_api_knows_no_account_that_is_not_ones_own(four: DeskWorld, other: Account) -> None:
    AccountMember.objects.filter(account=other, user=four.people["admin"]).delete()
    client = four.client("admin")
    for account, status in ((other, 404), (four.account, 202)):
        body = json.dumps({"account": account.pk, "per_day": 50, "reason": "x"})
        answer = client.post(
            "/api/macro-trading/trading-limits", body, content_type="application/json"
        )
        assert answer.status_code == status
    assert not TradingLimits.objects.exists()


def test_a_policy_that_waits_is_not_overtaken_by_another_accounts(four: DeskWorld) -> None:
    real = Account.objects.create(
        name="Real", environment="real", wire="real", app_key="k", app_secret="s",
        account_no="55556666-01",
    )  # fmt: skip
    AccountMember.objects.create(account=real, user=four.people["admin"])
    waiting = add_policy(ApprovalPolicy(account=real, kind="owner"), "admin")
    add_policy(ApprovalPolicy(account=four.account, kind=STRICT), "admin")
    assert agree_policy(waiting.pk, "approver").agreed_by == "approver"


def test_a_stop_of_another_account_is_no_stop_again(four: DeskWorld, other: Account) -> None:
    scope = account_scope(four.account)
    engage(scope, "HALTED", "trader", "drill")
    asked = ask_release(scope, "admin", "checked")
    engage(account_scope(other), "HALTED", "trader", "drill")
    agree_release(asked.pk, "approver")
    assert (switch_state(four.account), switch_state(other)) == ("ACTIVE", "HALTED")


def test_a_release_leaves_what_another_account_was_told(four: DeskWorld, other: Account) -> None:
    for account in (four.account, other):
        engage(account_scope(account), "HALTED", "trader", "drill")
    ask_release(account_scope(other), "owner", "checked")
    still = Alert.objects.filter(code="account_halted_by", acknowledged_at=None)
    assert [row.account_id for row in still] == [four.account.pk]
    assert switch_state(four.account) == "HALTED"


@pytest.mark.parametrize(("name", "sees"), [("approver", True), ("admin", True), ("viewer", False)])
def test_what_concerns_everybody_is_for_those_who_decide_and_who_asked(
    four: DeskWorld, name: str, sees: bool
) -> None:
    wider("owner")
    assert proposals_seen(four.people[name]).exists() is sees
    propose(config_change({"mp_threshold_percent": "8.0"}), by="viewer")
    assert proposals_seen(four.people["viewer"]).get().by == "viewer"


def test_a_proposal_that_is_over_stays_as_it_ended(four: DeskWorld) -> None:
    first = wider()
    second = propose(config_change({"mp_threshold_percent": "8.0"}), by="admin")
    agree(second.pk, four.people["approver"])
    propose(config_change({"mp_threshold_percent": "7.0"}), by="admin")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.outcome, second.outcome) == ("replaced", "agreed")


def test_every_limit_of_a_row_is_in_force(staff: Client, targeted: DeskWorld) -> None:
    values = {name: 7 for name in LIMIT_NAMES if not name.endswith("percent")}
    shares = {name: Decimal("2.00") for name in LIMIT_NAMES if name.endswith("percent")}
    add_limits(targeted.account, values | shares, by="owner")
    found = limits_in_force(targeted.account)
    assert {name: Decimal(str(getattr(found, name))) for name in LIMIT_NAMES} == {
        name: Decimal(value) for name, value in (values | shares).items()
    }


def test_targets_are_not_set_for_an_account_that_is_not_ones_own(
    four: DeskWorld, other: Account
) -> None:
    AccountMember.objects.filter(account=other, user=four.people["admin"]).delete()
    decision, client = four.extras["decision"], four.client("admin")
    body = {
        "model_portfolio": decision.model_version.portfolio.code,
        "sub_portfolios": [sub.portfolio.code for sub in decision.sub_versions.all()],
        "reason": "x",
    }
    for account, status in ((other, 404), (four.account, 202)):
        sent = json.dumps(body | {"account": account.pk})
        answer = client.put("/api/macro-trading/targets", sent, content_type="application/json")
        assert answer.status_code == status, answer.content.decode()


@pytest.mark.parametrize(("policy", "may"), [(LOOSE, False), (STRICT, True)])
def test_what_concerns_everybody_is_agreed_to_on_an_account_of_two_people(
    four: DeskWorld, other: Account, policy: str, may: bool
) -> None:
    other.approval_policies.create(kind=policy, created_by="test")
    person = four.people["approver"]
    AccountMember.objects.filter(account=four.account, user=person).delete()
    asked = wider()
    if may:
        assert agree(asked.pk, person).outcome == "agreed"
        return
    with pytest.raises(RuleViolation) as error:
        agree(asked.pk, person)
    assert codes(error) == ["not_a_member"]


@pytest.mark.parametrize(("asked", "found"), [("true", 1), ("false", 1), ("", 2)])
def test_a_flag_has_two_sides(four: DeskWorld, asked: str, found: int) -> None:
    wider()
    wider()
    query = f"?open={asked}" if asked else ""
    told = four.client("admin").get(f"/api/macro-trading/proposals{query}").json()
    assert told["count"] == found


@pytest.mark.parametrize("member", [True, False])
def test_everything_goes_on_by_the_word_of_a_member_of_every_account(
    four: DeskWorld, other: Account, member: bool
) -> None:
    if not member:
        AccountMember.objects.filter(account=other, user=four.people["approver"]).delete()
    engage(GLOBAL, "HALTED", "trader", "drill")
    asked = ask_release(GLOBAL, "admin", "checked")
    four.client("approver").post("/trading/switch/agree/", {"request": asked.pk})
    assert switch_state(four.account) == ("ACTIVE" if member else "HALTED")


def test_the_api_asks_a_second_person_for_their_code(four: DeskWorld) -> None:
    phone, client = enrolled(four.people["approver"]), APIClient()
    client.force_authenticate(four.people["approver"])
    path = f"/api/macro-trading/proposals/{wider().pk}/agree"
    refused = client.post(path, {}, format="json")
    assert refused.status_code == 422 and "code_required" in refused.content.decode()
    code = phone.code()
    agreed = client.post(path, {}, format="json", HTTP_X_ONE_TIME_CODE=code)
    assert agreed.status_code == 200


@pytest.mark.parametrize(
    ("everything", "alone", "named"),
    [
        ("REDUCING", "HALTED", "alone"),
        ("HALTED", "REDUCING", "everything"),
        ("HALTED", "HALTED", "everything"),
    ],
)
def test_the_strictest_of_two_stops_is_named(
    four: DeskWorld, everything: str, alone: str, named: str
) -> None:
    rows = {
        "everything": engage(GLOBAL, everything, "trader", "drill"),
        "alone": engage(account_scope(four.account), alone, "trader", "drill"),
    }
    assert ruling_stop(four.account) == rows[named]


@pytest.mark.parametrize(
    ("name", "typed", "taken"),
    [
        ("collar_percent", "3.01", False),
        ("collar_percent", "0.09", False),
        ("collar_percent", "0.10", True),
        ("volume_share_percent", "0", False),
        ("volume_share_percent", "100.01", False),
        ("volume_share_percent", "9.99", True),
        ("max_order_won", "1000000000001", False),
        ("max_day_won", "-1", False),
        ("max_day_won", "1", True),
        ("per_day", "201", False),
    ],
)
@pytest.mark.parametrize("policy", [LOOSE, STRICT])
def test_a_limit_out_of_range_is_told_at_its_field(
    staff: Client, targeted: DeskWorld, policy: str, name: str, typed: str, taken: bool
) -> None:
    targeted.policy(policy)
    path = "/admin/trading/tradinglimits/add/"
    page = form_of(staff.get(path), "tradinglimits_form")
    answer = staff.post(path, page | {name: typed, "reason": "x"})
    assert answer.status_code == (302 if taken else 200)
    made = TradingLimits.objects.exists() or Proposal.objects.exists()
    assert made is taken
