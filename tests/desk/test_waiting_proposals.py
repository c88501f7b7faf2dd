"""What a form says of a proposal that waits, what the record says of one that gave way, and old pages."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django.test import Client

from portfolio.domain.weights_csv import Weights
from portfolio.models import ModelPortfolio
from rebalancing.services import imports
from rebalancing.services.imports import import_targets
from rebalancing.services.targets import decide_targets
from tests.desk.conftest import DeskWorld
from tests.desk.two_people import wider
from tests.support.forms import form_of
from trading.domain.errors import StateConflict
from trading.models import Account, AccountMember, ApprovalPolicy, AuditEntry, TradingLimits
from trading.services.keepers import limits_change
from trading.services.policies import add_policy
from trading.services.proposals import propose, withdraw

WAITS = "기다리는 제안이 이미 있습니다"
LIMITS = "/admin/trading/tradinglimits/add/"
POLICY = "/admin/trading/approvalpolicy/add/"


@pytest.fixture
def other(four: DeskWorld) -> Account:
    account = Account.objects.create(
        name="Other", environment="mock", wire="mock", app_key="k", app_secret="s",
        account_no="11112222-01",
    )  # fmt: skip
    AccountMember.objects.create(account=account, user=four.people["admin"])
    return account


@pytest.mark.parametrize("waits", [True, False])
def test_a_form_names_the_proposal_that_it_would_take_the_place_of(
    four: DeskWorld, waits: bool
) -> None:
    limits = propose(limits_change(four.account, {"per_day": 50}, ""), by="owner")
    config = wider("owner")
    if not waits:
        withdraw(limits.pk, "owner")
        withdraw(config.pk, "owner")
    admin = four.client("admin")
    for path in (
        f"{LIMITS}?account={four.account.pk}",
        "/admin/rebalancing/rebalancingconfig/add/",
    ):
        page = admin.get(path).content.decode()
        assert (WAITS in page) == waits and ("owner" in page.partition(WAITS)[2]) == waits, path


def test_the_record_says_what_gave_way(four: DeskWorld) -> None:
    first, second = wider("owner"), wider("admin")
    rows = AuditEntry.objects.filter(action="change_proposed").order_by("seq")
    told = [json.loads(row.payload) for row in rows]
    assert "replaced" not in told[0]
    assert (told[1]["proposal"], told[1]["replaced"]) == (second.pk, first.pk)
    assert told[1]["proposed_by"] == "owner"


@pytest.mark.parametrize("meanwhile", ["this account", "another account", "nothing"])
def test_a_policy_page_of_before_another_policy_undoes_nothing(
    four: DeskWorld, other: Account, meanwhile: str
) -> None:
    staff = four.client("admin")
    page = form_of(staff.get(POLICY), "approvalpolicy_form")
    whose = {"this account": four.account, "another account": other}.get(meanwhile)
    if whose is not None:
        add_policy(ApprovalPolicy(account=whose, kind="four_eyes"), "owner")
    typed = page | {"account": str(four.account.pk), "kind": "owner_practice"}
    answer = staff.post(POLICY, typed)
    newest = ApprovalPolicy.objects.filter(account=four.account)[0]
    if meanwhile == "this account":
        assert answer.status_code == 200 and "그 사이" in answer.content.decode()
        assert newest.created_by == "owner"
    else:
        assert answer.status_code == 302, answer.content.decode()[:2000]
        assert newest.created_by == "admin"


@pytest.mark.parametrize("missing", ["initial-per_minute", ""])
def test_a_page_that_tells_only_half_of_what_it_showed_writes_nothing(
    staff: Client, targeted: DeskWorld, missing: str
) -> None:
    path = f"{LIMITS}?account={targeted.account.pk}"
    page = form_of(staff.get(path), "tradinglimits_form") | {"per_day": "50"}
    page.pop(missing, None)
    answer = staff.post(path, page)
    assert answer.status_code == (200 if missing else 302)
    assert TradingLimits.objects.count() == (0 if missing else 1)
    if missing:
        assert "모두 오지 않았습니다" in answer.content.decode()


@pytest.mark.parametrize("shared", [True, False])
def test_a_portfolio_from_a_file_does_not_say_whose_it_is(
    four: DeskWorld, other: Account, shared: bool
) -> None:
    """A new one is made where another account follows the bound one; everybody reads its name."""
    decision = four.extras["decision"]
    if shared:
        subs = list(decision.sub_versions.select_related("portfolio"))
        decide_targets(other, decision.model_version, subs, by="owner")
    four.policy("owner_practice")
    classes = {"STOCK": Decimal(50), "BOND": Decimal(40), "CASH": Decimal(10)}
    by_class = {v.portfolio.asset_class: v for v in decision.sub_versions.all()}
    names = {name: by_class[name].weights_by_ticker() for name in ("STOCK", "BOND")}
    import_targets(four.account, Weights(classes, names), by="admin", reason="", seen=decision.pk)
    codes = sorted(ModelPortfolio.objects.values_list("code", flat=True))
    assert codes == (["MP-CSV1", "MP-T"] if shared else ["MP-T"])


def test_two_imports_that_take_one_free_name_are_one_and_a_conflict(
    four: DeskWorld, other: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = four.extras["decision"]
    subs = list(decision.sub_versions.select_related("portfolio"))
    decide_targets(other, decision.model_version, subs, by="owner")
    monkeypatch.setattr(imports, "_free_code", lambda _model, _begin: "MP-T")
    weights = Weights({"STOCK": Decimal(90), "CASH": Decimal(10)}, {})
    with pytest.raises(StateConflict, match="targets_changed"):
        import_targets(four.account, weights, by="admin", reason="", seen=decision.pk)


@pytest.mark.parametrize("who", ["owner", "stranger"])
def test_which_portfolios_rule_is_told_of_ones_own_accounts(four: DeskWorld, who: str) -> None:
    page = four.client(who).get("/admin/portfolio/modelportfolio/?ruling=yes")
    assert ("MP-T" in page.content.decode()) == (who == "owner")
