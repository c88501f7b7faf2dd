"""`manage.py rebalance`: who may, for which account, and what a wrong word answers."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from rebalancing.models import Run
from tests.support.world import World, make_user
from trading.models import AccountMember

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("roles", "member", "may"),
    [(("trader",), True, True), (("viewer",), True, False), (("trader",), False, False)],
)
def test_only_a_trader_of_the_account_opens_a_run(
    world: World, roles: tuple[str, ...], member: bool, may: bool
) -> None:
    user = make_user("kim", *roles)
    if member:
        AccountMember.objects.create(account=world.account, user=user)
    if may:
        call_command(
            "rebalance", str(world.account.pk), "--as", "kim", "--dry-run", stdout=StringIO()
        )
        assert Run.objects.get().end_reason == "dry_run"
        return
    with pytest.raises(CommandError, match="may not trade"):
        call_command("rebalance", str(world.account.pk), "--as", "kim", "--dry-run")
    assert not Run.objects.exists()


@pytest.mark.parametrize("wanted", ["²", "nobody's", "999999", ""])
def test_an_account_that_is_not_there(world: World, wanted: str) -> None:
    with pytest.raises(CommandError, match="no account") as refused:
        call_command("rebalance", wanted, "--as", "owner")
    assert refused.value.returncode == 2
