"""Under four eyes an approver is made by two."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client

from tests.desk.conftest import DeskWorld
from tests.desk.two_people import LOOSE, STRICT, codes
from tests.support.forms import form_of
from trading.domain.errors import InputError, RuleViolation, StateConflict
from trading.models import Proposal
from trading.services.keepers import approver_change, making_approver_takes_two
from trading.services.proposals import agree, propose
from trading.services.roles import ensure_roles

pytestmark = [pytest.mark.money]


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


@pytest.mark.parametrize("superuser", [True, False])
def test_who_set_the_installation_up_may_propose_one_and_a_trader_may_not(
    four: DeskWorld, superuser: bool
) -> None:
    get_user_model().objects.filter(username="trader").update(is_superuser=superuser)
    viewer = four.people["viewer"]
    proposal = propose(approver_change(viewer), by="trader")
    if superuser:
        agree(proposal.pk, four.people["approver"])
        assert "approver" in _roles(viewer)
        return
    with pytest.raises(RuleViolation) as error:
        agree(proposal.pk, four.people["approver"])
    assert codes(error) == ["proposer_may_no_longer"]


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


@pytest.mark.parametrize("active", [True, False])
def test_who_may_not_come_in_is_not_proposed(four: DeskWorld, active: bool) -> None:
    person = four.people["viewer"]
    person.is_active = active
    person.save()
    if active:
        assert propose(approver_change(person), by="admin").pk
        return
    with pytest.raises(InputError) as error:
        propose(approver_change(person), by="admin")
    assert codes(error) == ["person_not_active"]


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
