"""A stop by a person is told on every account it concerns, once, and ends with its release."""

from __future__ import annotations

from typing import Any

import pytest

from trading.models import Account, Alert
from trading.services import stop_alerts
from trading.services.alerts import acknowledge
from trading.services.releases import ask_release
from trading.services.switches import GLOBAL, account_scope, engage, switch_state

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def accounts(settings: Any, tmp_path: Any) -> list[Account]:
    settings.KILL_FILE = tmp_path / "KILL"
    return [
        Account.objects.create(name=number, environment="mock", wire="mock", account_no=number)
        for number in ("11112222-01", "33334444-01")
    ]


def told(account: Account) -> list[tuple[str, str, str]]:
    rows = Alert.objects.filter(account=account, acknowledged_at=None).order_by("pk")
    return [(row.code, row.severity, str(row.facts["who"])) for row in rows]


def test_a_stop_of_one_account_is_told_there_and_nowhere_else(accounts: list[Account]) -> None:
    first, second = accounts
    engage(account_scope(first), "HALTED", "shell:kim", "looks wrong")
    assert told(first) == [("account_halted_by", "page", "kim")] and told(second) == []
    assert Alert.objects.get().facts["reason"] == "looks wrong"


def test_a_stop_of_everything_is_told_on_every_account(accounts: list[Account]) -> None:
    engage(GLOBAL, "HALTED", "kim", "looks wrong")
    assert [told(each) for each in accounts] == [[("all_halted_by", "page", "kim")]] * 2


def test_a_stop_of_what_is_stopped_is_not_told_again_even_where_it_was_read(
    accounts: list[Account],
) -> None:
    scope = account_scope(accounts[0])
    engage(scope, "HALTED", "kim", "looks wrong")
    engage(scope, "HALTED", "lee", "looks wrong to me too")
    assert told(accounts[0]) == [("account_halted_by", "page", "kim")]
    acknowledge(Alert.objects.get(), "park")
    engage(scope, "HALTED", "lee", "still")
    assert told(accounts[0]) == []


def test_a_release_ends_the_telling_of_what_it_releases_and_no_more(
    accounts: list[Account],
) -> None:
    scope = account_scope(accounts[0])
    engage(scope, "HALTED", "kim", "looks wrong")
    engage(GLOBAL, "HALTED", "kim", "looks wrong")
    ask_release(GLOBAL, "lee", "checked")
    assert told(accounts[0]) == [("account_halted_by", "page", "kim")] and told(accounts[1]) == []
    ask_release(scope, "lee", "checked")
    assert told(accounts[0]) == []
    assert {row.acknowledged_by for row in Alert.objects.all()} == {"lee"}
    engage(scope, "HALTED", "kim", "again")
    assert told(accounts[0]) == [("account_halted_by", "page", "kim")], "a new stop is new"


def test_stopping_only_the_buys_is_a_warning_and_a_full_stop_after_it_is_told(
    accounts: list[Account],
) -> None:
    scope = account_scope(accounts[0])
    engage(scope, "REDUCING", "kim", "careful")
    assert told(accounts[0]) == [("account_reduced_by", "warning", "kim")]
    engage(scope, "HALTED", "kim", "worse")
    assert [code for code, *_rest in told(accounts[0])] == [
        "account_reduced_by",
        "account_halted_by",
    ]


def test_what_the_system_stops_is_told_by_whoever_found_the_reason(
    accounts: list[Account],
) -> None:
    engage(account_scope(accounts[0]), "HALTED", "system", "clock off by 3 s")
    assert told(accounts[0]) == []


def test_a_telling_that_fails_stops_no_stop(
    accounts: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: Any, **_more: Any) -> None:
        raise RuntimeError("no room for an alert")

    monkeypatch.setattr(stop_alerts, "alert", broken)
    engage(account_scope(accounts[0]), "HALTED", "kim", "looks wrong")
    assert switch_state(accounts[0]) == "HALTED" and not Alert.objects.exists()
