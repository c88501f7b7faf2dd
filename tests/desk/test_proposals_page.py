"""The page of proposals, and where else it is told that one waits."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from portfolio.services import create_model_version
from rebalancing.selectors.proposals import lines_of
from rebalancing.services.keepers import targets_change
from tests.desk.conftest import DeskWorld
from tests.desk.two_people import PROPOSALS, STRICT, wider
from trading.models import Account, AccountMember, MarketDay
from trading.services.proposals import propose, refuse
from trading.services.releases import ask_release
from trading.services.switches import account_scope, engage

pytestmark = [pytest.mark.money]


@pytest.mark.parametrize(
    ("name", "agrees"), [("approver", True), ("trader", False), ("admin", False), ("owner", True)]
)
def test_the_page_offers_only_what_this_person_may_do(
    four: DeskWorld, name: str, agrees: bool
) -> None:
    proposal = wider()
    page = four.client(name).get(PROPOSALS).content.decode()
    assert (f"{PROPOSALS}{proposal.pk}/agree/" in page) == agrees
    assert (f"{PROPOSALS}{proposal.pk}/withdraw/" in page) == (name == "admin")


def test_the_overview_says_that_a_change_waits(four: DeskWorld) -> None:
    approver = four.client("approver")
    assert "동의를 기다리는 변경" not in approver.get("/").content.decode()
    wider()
    page = approver.get("/").content.decode()
    assert "동의를 기다리는 변경 1건" in page and PROPOSALS in page


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
    for path in (PROPOSALS, "/admin/trading/proposal/"):
        assert "Secret" not in four.client("approver").get(path).content.decode()
    AccountMember.objects.create(account=other, user=four.people["approver"])
    for path in (PROPOSALS, "/admin/trading/proposal/"):
        assert "Secret" in four.client("approver").get(path).content.decode()


def test_an_open_page_learns_of_what_somebody_decides(four: DeskWorld) -> None:
    approver = four.client("approver")
    made = wider()
    page = approver.get(PROPOSALS).content.decode()
    seen = page.split('name="seen"')[-1].split('value="')[1].split('"')[0]
    part = f"{PROPOSALS}part/?seen={seen}"
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
    assert PROPOSALS not in admin.get("/admin/").content.decode()
    wider()
    assert "동의를 기다리는 변경 1건" in admin.get("/admin/").content.decode()
