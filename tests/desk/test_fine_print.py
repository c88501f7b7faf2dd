"""Small promises that nothing else would notice broken."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from portfolio.services import create_model_version
from rebalancing.selectors.proposals import lines_of
from rebalancing.services.keepers import targets_change
from rebalancing.services.second_persons import behind_run
from tests.desk.conftest import DeskWorld
from tests.desk.two_people import codes, wider
from trading.domain.errors import RuleViolation, StateConflict
from trading.models import Account, AccountMember, IdempotencyKey, MarketDay, Switch
from trading.selectors.gate_words import rule_numbers
from trading.selectors.stops import stop_before
from trading.services import hints
from trading.services.day_overrides import correct_day
from trading.services.idempotency import Asked, answered_before, once
from trading.services.keepers import day_change
from trading.services.proposals import agree, propose, refuse
from trading.services.switches import GLOBAL, account_scope

API = "/api/macro-trading/proposals"


def test_a_past_stop_is_told_by_the_clock_that_it_was_written_by(desk: DeskWorld) -> None:
    """Switches of everything are written by the wall's clock, those of an account by its market's."""
    noon, wall = timezone.now(), timezone.now() + timedelta(days=30)
    Switch.objects.create(scope=GLOBAL, state="HALTED", by="a", reason="", at=wall)
    assert stop_before(desk.account, noon, wall) is not None
    assert stop_before(desk.account, noon, noon) is None, "everything stopped a month later"
    scope = account_scope(desk.account)
    Switch.objects.create(scope=scope, state="REDUCING", by="a", reason="", at=wall)
    assert stop_before(desk.account, noon, noon) is None
    found = stop_before(desk.account, wall, noon)
    assert found is not None and found.scope == scope


@pytest.mark.parametrize(
    ("rule", "numbers", "told"),
    [
        ("day_amount", {"won": 5_000, "max": 4_000}, "5,000원 · 한도 4,000원"),
        ("quantity", {"quantity": 5, "max": 4}, "5주 · 한도 4주"),
        ("volume_share", {"max": "10"}, "한도 10 %"),
        ("order_count", {"today": 200, "max": 200}, "200건 · 한도 200건"),
        ("pace", {"last_minute": 60, "max": 60}, "60건 · 한도 60건"),
    ],
)
def test_a_limit_is_told_in_the_unit_of_its_rule(
    rule: str, numbers: dict[str, Any], told: str
) -> None:
    assert rule_numbers(rule, numbers).endswith(told)


def test_pages_are_told_after_the_commit_and_never_of_what_was_undone(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[list[int], int]] = []
    monkeypatch.setattr(hints, "_send", lambda accounts, run: told.append((accounts, run)))
    with transaction.atomic():
        hints.hint([1], 7)
        assert told == []
    assert told == [([1], 7)]
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        hints.hint([2])
        _ = 1 / 0
    assert told == [([1], 7)] and not connection.in_atomic_block


@pytest.mark.parametrize("left", ["none", "one", "all"])
def test_an_answer_is_given_again_while_every_account_of_that_time_is_the_persons(
    desk: DeskWorld, left: str
) -> None:
    person = desk.people["trader"]
    other = Account.objects.create(name="Other", environment="sim", wire="real", account_no="1-01")
    AccountMember.objects.create(account=other, user=person)
    asked = Asked(person, "fine-0001", "POST", "/somewhere", {})
    once(asked, lambda: (200, "{}"), ())
    assert len(IdempotencyKey.objects.get().accounts) == 2
    gone = AccountMember.objects.filter(user=person)
    if left == "none":
        assert answered_before(asked) is not None
        return
    (gone.filter(account=other) if left == "one" else gone).delete()
    with pytest.raises(StateConflict, match="key_of_an_account_left"):
        answered_before(asked)


@pytest.mark.parametrize(
    ("who", "act", "status"),
    [
        ("trader", "agree", 403),
        ("admin", "agree", 403),
        ("admin", "refuse", 403),
        ("trader", "refuse", 403),
        ("approver", "refuse", 200),
        ("admin", "withdraw", 200),
        ("viewer", "withdraw", 403),
    ],
)
def test_only_an_approver_decides_a_proposal_over_the_api(
    four: DeskWorld, who: str, act: str, status: int
) -> None:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(four.people[who])
    made = wider()
    assert client.post(f"{API}/{made.pk}/{act}", format="json").status_code == status
    made.refresh_from_db()
    assert (made.outcome == "") == (status == 403)


@pytest.mark.parametrize("who", ["admin", "trader", "viewer"])
def test_only_an_approver_decides_a_proposal_in_the_service(four: DeskWorld, who: str) -> None:
    made = wider("owner")
    for decide in (agree, refuse):
        with pytest.raises(RuleViolation) as error:
            decide(made.pk, four.people[who])
        assert "approver_role_required" in codes(error)


def test_a_day_that_was_corrected_meanwhile_is_another_day(four: DeskWorld) -> None:
    """Even when it was corrected back to what it was: somebody looked at it again."""
    day = date(2026, 12, 24)
    MarketDay.objects.update_or_create(day=day, defaults={"is_open": True})
    made = propose(day_change(day, "closed", "snow"), by="admin")
    for override in ("closed", ""):
        correct_day(day, override, by="owner", reason="looked", second="approver")
    with pytest.raises(StateConflict, match="overtaken"):
        agree(made.pk, four.people["approver"])


@pytest.mark.parametrize(("decider", "counts"), [("admin", True), ("setup", False)])
def test_who_bound_the_targets_alone_stands_behind_a_run_where_they_are_a_person(
    four: DeskWorld, decider: str, counts: bool
) -> None:
    decision = four.extras["decision"]
    type(decision).objects.filter(pk=decision.pk)
    decision.decided_by = decider
    run = four.run()
    run.target = decision
    assert get_user_model().objects.filter(username=decider).exists() == counts
    behind = [name for _code, name in behind_run(run)]
    assert (decider in behind) == counts


def test_names_of_a_class_that_goes_are_told_and_names_that_never_were_are_not(
    four: DeskWorld,
) -> None:
    decision = four.extras["decision"]
    weights = {"STOCK": Decimal("90.00"), "CASH": Decimal("10.00")}
    version = create_model_version(decision.model_version.portfolio, weights, by="test")
    stocks = decision.sub_versions.filter(portfolio__asset_class="STOCK")
    made = propose(targets_change(four.account, version, list(stocks), ""), by="admin")
    told = {line.name: (line.now, line.then) for line in lines_of(made)}
    bonds = [name for name in told if name.startswith("채권 ›")]
    assert len(bonds) == 2 and all(told[name][1] in ("–", "0.00 %", "") for name in bonds), told
    assert told["주식"][1].startswith("90")
