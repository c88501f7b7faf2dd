"""Under a header of simulated time, what was written by the wall's clock says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.desk.conftest import DeskWorld
from trading.models import Account, ApiToken, Proposal

MARK = "실제 시각"


@pytest.mark.parametrize(("environment", "marked"), [("sim", True), ("mock", False)])
def test_times_of_tokens_and_past_proposals_are_marked_where_the_account_is_simulated(
    targeted: DeskWorld, environment: str, marked: bool
) -> None:
    Account.objects.filter(pk=targeted.account.pk).update(
        environment=environment, wire="real" if environment == "sim" else environment
    )
    now = timezone.now()
    user = targeted.people["trader"]
    ApiToken.objects.create(
        user=user,
        name="bot",
        digest="d",
        tail="abcd",
        reach="read",
        created_at=now,
        expires_at=now + timedelta(days=1) + timedelta(days=1),
    )
    Proposal.objects.create(
        kind="limits", account=targeted.account, subject=f"limits:{targeted.account.pk}",
        value={}, by="admin", reason="", at=now, expires_at=now, closed_at=now, outcome="refused",
        second="approver",
    )  # fmt: skip
    client = targeted.client("trader")
    for address in ("/accounts/tokens/", "/rebalancing/proposals/"):
        text = client.get(address).content.decode()
        assert (MARK in text) == marked, address
    assert 'href="/api/docs/"' in client.get("/accounts/tokens/").content.decode()
