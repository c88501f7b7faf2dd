"""Ways around the second person that were tried once and must not work again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from rebalancing.models import RebalancingConfig
from rebalancing.services.keepers import config_change
from rebalancing.services.watchdog import page_what_hangs
from tests.desk.conftest import DeskWorld
from tests.support.authenticator import with_code
from tests.support.forms import form_of
from trading.domain.errors import InputError, RuleViolation, StateConflict
from trading.models import Account, AccountMember, Proposal, Switch, TradingLimits
from trading.selectors.second_factor import act_grounds
from trading.services.keepers import limits_change
from trading.services.limits import add_limits
from trading.services.proposals import (
    Keeper,
    agree,
    keeper_of,
    propose,
    refuse,
    register,
    takes_two,
)
from trading.services.releases import agree_release, ask_release, release_policy
from trading.services.roles import ensure_roles
from trading.services.switches import GLOBAL, account_scope, engage, switch_state

STRICT = "four_eyes"


@pytest.fixture
def four(staff: Client, targeted: DeskWorld) -> DeskWorld:
    ensure_roles()
    targeted.policy(STRICT)
    return targeted


def codes(error: Any) -> list[str]:
    return [reason.code for reason in error.value.reasons]


@pytest.mark.parametrize("active", [True, False])
def test_switching_an_account_off_makes_nobody_two_people(four: DeskWorld, active: bool) -> None:
    Account.objects.update(is_active=active)
    assert takes_two(None) and takes_two(Account.objects.get())
    assert release_policy(GLOBAL) == release_policy(account_scope(four.account)) == STRICT
    Account.objects.get().approval_policies.create(kind="owner_practice", created_by="test")
    assert not takes_two(None) and release_policy(GLOBAL) == "owner_practice"


@pytest.mark.parametrize(("name", "agrees"), [("admin2", False), ("approver", True)])
def test_an_admin_is_no_second_person_to_an_admin(four: DeskWorld, name: str, agrees: bool) -> None:
    person = four.people["viewer" if name == "admin2" else name]
    if name == "admin2":
        person.groups.set([Group.objects.get(name="admin")])
    engage(account_scope(four.account), "HALTED", "trader", "drill")
    asked = ask_release(account_scope(four.account), "admin", "checked")
    client = four.client(person.username)
    client.post("/trading/switch/agree/", {"request": asked.pk})
    assert (switch_state(four.account) == "ACTIVE") == agrees


@pytest.mark.parametrize("again", [True, False])
def test_a_stop_since_is_not_released_with_the_one_that_was_asked_about(
    four: DeskWorld, again: bool
) -> None:
    scope = account_scope(four.account)
    engage(scope, "HALTED", "trader", "drill")
    asked = ask_release(scope, "admin", "drill is over")
    if again:
        engage(scope, "HALTED", "trader", "real fire")
        with pytest.raises(StateConflict, match="stopped_again"):
            agree_release(asked.pk, "approver")
    else:
        agree_release(asked.pk, "approver")
    assert (switch_state(four.account) == "ACTIVE") == (not again)


@pytest.mark.parametrize("again", [True, False])
def test_a_page_of_before_the_last_stop_releases_nothing(
    staff: Client, targeted: DeskWorld, again: bool
) -> None:
    scope = account_scope(targeted.account)
    engage(scope, "HALTED", "trader", "drill")
    seen = Switch.objects.order_by("-pk")[0].pk
    if again:
        engage(scope, "HALTED", "trader", "real fire")
    data = {"account": targeted.account.pk, "reason": "checked", "switch_alone": seen}
    staff.post("/trading/switch/release/", data)
    assert (switch_state(targeted.account) == "ACTIVE") == (not again)


@pytest.mark.parametrize(("fired", "counts"), [(True, False), (False, True)])
def test_whoever_may_propose_no_longer_has_proposed_nothing(
    four: DeskWorld, fired: bool, counts: bool
) -> None:
    proposal = propose(config_change({"mp_threshold_percent": "9.0"}), by="admin")
    if fired:
        four.people["admin"].groups.clear()
    if counts:
        agree(proposal.pk, four.people["approver"])
        assert RebalancingConfig.objects.order_by("-pk")[0].agreed_by == "approver"
        return
    with pytest.raises(RuleViolation) as error:
        agree(proposal.pk, four.people["approver"])
    assert codes(error) == ["proposer_may_no_longer"]


@pytest.mark.parametrize("left", [True, False])
def test_whoever_left_the_account_has_proposed_nothing_for_it(four: DeskWorld, left: bool) -> None:
    made = propose(limits_change(four.account, {"per_day": 50}, ""), by="admin")
    if not left:
        assert agree(made.pk, four.people["approver"]).outcome == "agreed"
        return
    AccountMember.objects.filter(user=four.people["admin"]).delete()
    with pytest.raises(RuleViolation) as error:
        agree(made.pk, four.people["approver"])
    assert codes(error) == ["proposer_may_no_longer"]


def test_whoever_is_no_person_has_proposed_nothing(four: DeskWorld) -> None:
    made = propose(config_change({"mp_threshold_percent": "9.0"}), by="ghost")
    with pytest.raises(RuleViolation) as error:
        agree(made.pk, four.people["approver"])
    assert codes(error) == ["proposer_may_no_longer"]


@pytest.mark.parametrize(("environment", "asked"), [("real", True), ("mock", False)])
def test_what_reaches_a_real_account_takes_a_second_factor(
    four: DeskWorld, environment: str, asked: bool
) -> None:
    """Although the approver is no member of it: thresholds are everybody's."""
    Account.objects.create(
        name="Other", environment=environment, wire=environment, app_key="k", app_secret="s",
        account_no="11112222-01",
    )  # fmt: skip
    grounds = act_grounds(four.people["approver"], None, None, timezone.now())
    assert [one.code for one in grounds] == (["second_factor_required"] if asked else [])
    proof = with_code(four.people["approver"])
    assert act_grounds(four.people["approver"], None, proof, timezone.now()) == []


def test_what_is_being_done_is_not_refused_meanwhile(
    four: DeskWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def slow(proposal: Proposal, second: str) -> None:
        try:
            refuse(proposal.pk, four.people["owner"], "no")
        except StateConflict as conflict:
            tried.append(conflict.code)

    before = keeper_of("config")
    register("config", Keeper(before.standing, slow, asks_broker=True))
    try:
        made = propose(config_change({"mp_threshold_percent": "9.0"}), by="admin")
        agree(made.pk, four.people["approver"])
    finally:
        register("config", before)
    made.refresh_from_db()
    assert tried == ["proposal_not_open"] and (made.outcome, made.second) == ("agreed", "approver")


def test_what_could_not_be_done_waits_again(four: DeskWorld) -> None:
    def broken(proposal: Proposal, second: str) -> None:
        raise StateConflict("too_early")

    before = keeper_of("config")
    register("config", Keeper(before.standing, broken, asks_broker=True))
    try:
        made = propose(config_change({"mp_threshold_percent": "9.0"}), by="admin")
        with pytest.raises(StateConflict, match="too_early"):
            agree(made.pk, four.people["approver"])
    finally:
        register("config", before)
    made.refresh_from_db()
    assert (made.outcome, made.second) == ("", "")


@contextmanager
def asking_the_broker(carry_out: Callable[[Proposal, str], object]) -> Iterator[None]:
    """Thresholds as if only the broker could tell whether they may change."""
    before = keeper_of("config")
    register("config", Keeper(before.standing, carry_out, asks_broker=True))
    try:
        yield
    finally:
        register("config", before)


@pytest.mark.parametrize("works", [True, False])
def test_nothing_else_is_proposed_while_the_broker_is_asked(four: DeskWorld, works: bool) -> None:
    told: list[str] = []

    def slow(proposal: Proposal, second: str) -> None:
        try:
            propose(config_change({"mp_threshold_percent": "8.0"}), by="owner")
        except StateConflict as conflict:
            told.append(conflict.code)
        if not works:
            raise StateConflict("too_early")

    with asking_the_broker(slow):
        made = propose(config_change({"mp_threshold_percent": "9.0"}), by="admin")
        with nullcontext() if works else pytest.raises(StateConflict, match="too_early"):
            agree(made.pk, four.people["approver"])
        made.refresh_from_db()
        assert told == ["proposed_meanwhile"]
        assert made.outcome == ("agreed" if works else "")
        propose(config_change({"mp_threshold_percent": "7.0"}), by="owner")  # and now again


class Died(BaseException):
    """The program is gone."""


@pytest.mark.parametrize(("minutes", "open_"), [(9, False), (11, True)])
def test_one_whose_program_died_over_the_broker_waits_again_after_a_while(
    four: DeskWorld, minutes: int, open_: bool
) -> None:
    def dies(proposal: Proposal, second: str) -> None:
        raise Died

    with asking_the_broker(dies):
        made = propose(config_change({"mp_threshold_percent": "9.0"}), by="admin")
        with pytest.raises(Died):
            agree(made.pk, four.people["approver"])
    made.refresh_from_db()
    assert made.outcome == "deciding"
    Proposal.objects.update(closed_at=timezone.now() - timedelta(minutes=minutes))
    page_what_hangs()
    made.refresh_from_db()
    assert (made.outcome, made.second) == (("", "") if open_ else ("deciding", "approver"))
    assert (agree(made.pk, four.people["approver"]).outcome == "agreed") if open_ else True


# --- limits


def _other(desk: DeskWorld) -> Account:
    other = Account.objects.create(
        name="Other", environment="mock", wire="mock", app_key="k", app_secret="s",
        account_no="11112222-01",
    )  # fmt: skip
    AccountMember.objects.create(account=other, user=desk.people["admin"])
    return other


FORM = "/admin/trading/tradinglimits/add/"


def test_limits_of_one_account_are_not_written_over_with_those_of_another(
    staff: Client, targeted: DeskWorld
) -> None:
    other = _other(targeted)
    add_limits(other, {"max_order_won": 1_000_000}, by="admin")
    page = form_of(staff.get(f"{FORM}?account={targeted.account.pk}"), "tradinglimits_form")
    typed = page | {"account": str(other.pk), "per_minute": "30"}
    assert staff.post(f"{FORM}?account={targeted.account.pk}", typed).status_code == 200
    assert TradingLimits.objects.filter(account=other).count() == 1
    page = form_of(staff.get(f"{FORM}?account={other.pk}"), "tradinglimits_form")
    assert page["max_order_won"] == "1000000"
    answer = staff.post(f"{FORM}?account={other.pk}", page | {"per_minute": "30"})
    assert answer.status_code == 302, answer.content.decode()
    newest = TradingLimits.objects.filter(account=other)[0]
    assert (newest.max_order_won, newest.per_minute) == (1_000_000, 30)


@pytest.mark.parametrize(
    ("typed", "status"), [({"per_day": "50"}, 302), ({"max_order_won": "2000000"}, 200)]
)
def test_limits_changed_by_another_admin_meanwhile(
    staff: Client, targeted: DeskWorld, typed: dict[str, str], status: int
) -> None:
    page = form_of(staff.get(FORM), "tradinglimits_form")
    add_limits(targeted.account, {"max_order_won": 1_000_000}, by="other")
    assert staff.post(FORM, page | typed).status_code == status
    assert TradingLimits.objects.first().max_order_won == 1_000_000  # type: ignore[union-attr]


def test_a_proposal_that_changes_nothing_is_none(four: DeskWorld) -> None:
    with pytest.raises(InputError):
        propose(limits_change(four.account, {}, ""), by="admin")
    with pytest.raises(InputError):
        propose(limits_change(four.account, {"per_day": 200}, ""), by="admin")
    propose(limits_change(four.account, {"per_day": 199}, ""), by="admin")


def test_a_decided_proposal_says_what_it_changed(four: DeskWorld) -> None:
    from rebalancing.selectors.proposals import lines_of

    made = propose(config_change({"mp_threshold_percent": "9.0"}), by="admin")
    agree(made.pk, four.people["approver"])
    made.refresh_from_db()
    (line,) = lines_of(made)
    assert (line.now, line.then) == ("3.0", "9.0")


def test_the_history_of_a_strangers_account_is_not_read_from_its_page(
    four: DeskWorld,
) -> None:
    add_limits(four.account, {"per_day": 77}, by="admin", reason="unlikely words")
    path = f"/admin/trading/account/{four.account.pk}/history/"
    stranger = four.people["stranger"]
    stranger.is_staff = True
    stranger.save()
    assert "unlikely words" not in four.client("stranger").get(path).content.decode()
    assert "unlikely words" in four.client("admin").get(path).content.decode()


def test_an_approver_who_was_switched_off_is_not_made_by_a_form(four: DeskWorld) -> None:
    viewer = four.people["viewer"]
    viewer.is_active = False
    viewer.save()
    staff = four.client("admin")
    path = f"/admin/auth/user/{viewer.pk}/change/"
    page = form_of(staff.get(path), "user_form")
    groups = [str(Group.objects.get(name=name).pk) for name in ("viewer", "approver")]
    assert staff.post(path, page | {"groups": groups}).status_code == 302
    assert not viewer.groups.filter(name="approver").exists()
    assert not Proposal.objects.exists()


def test_a_request_lapses_all_the_same(four: DeskWorld) -> None:
    made = propose(config_change({"mp_threshold_percent": "9.0"}), by="admin")
    Proposal.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(StateConflict, match="proposal_not_open"):
        agree(made.pk, four.people["approver"])
