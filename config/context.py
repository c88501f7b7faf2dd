"""What every desk page shows around its own content: looks, account, market time, emergency stop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import structlog
from django.http import Http404, HttpRequest

from config.preferences import looks_of
from rebalancing.models import Run
from trading.models import Account
from trading.selectors.people import Role, has_role
from trading.services.calendar import market_phase
from trading.services.switches import switch_state
from trading.views.access import accounts_seen, chosen_account
from trading.views.moments import market_now
from trading.views.parts import embed
from trading.views.stops import admin_stop_part, stop_part

__all__ = ["Desk", "desk"]

_SERIOUS = ("real", "mock", "sim")


@dataclass(eq=False)
class Desk:
    """Read only where a template asks, so that a fragment pays for nothing it does not show."""

    request: HttpRequest

    @property
    def signed_in(self) -> bool:
        user = getattr(self.request, "user", None)
        return bool(user and user.is_authenticated)

    @cached_property
    def looks(self) -> dict[str, str]:
        return looks_of(self.request)

    @cached_property
    def accounts(self) -> list[Account]:
        return accounts_seen(self.request) if self.signed_in else []

    @cached_property
    def account(self) -> Account | None:
        if not self.signed_in:
            return None
        try:
            return chosen_account(self.request)
        except Http404:
            return self.accounts[0] if self.accounts else None

    @cached_property
    def now(self) -> datetime | None:
        return market_now(self.account) if self.account else None

    @cached_property
    def phase(self) -> str:
        return str(market_phase(self.now)) if self.now else ""

    @property
    def simulated(self) -> bool:
        return bool(self.account and self.account.environment == Account.Environment.SIM)

    @cached_property
    def switch(self) -> str:
        return switch_state(self.account) if self.account else "ACTIVE"

    @property
    def environment(self) -> str:
        """The most serious environment of the person's accounts: real before mock before simulated."""
        have = {account.environment for account in self.accounts}
        return next((name for name in _SERIOUS if name in have), "none")

    @property
    def stop_badge(self) -> str:
        """That this page's account is stopped, fresh on every open page."""
        return embed(self.request, stop_part(self.account)) if self.account else ""

    @property
    def admin_stop_badge(self) -> str:
        """The same over all of the person's accounts."""
        return embed(self.request, admin_stop_part(self.accounts))

    @cached_property
    def waiting(self) -> bool:
        """A plan of this account waits for a decision."""
        if self.account is None:
            return False
        return Run.objects.filter(
            account=self.account, terminal_at=None, state="AWAITING_APPROVAL"
        ).exists()

    @cached_property
    def may_trade(self) -> bool:
        return has_role(self.request.user, Role.TRADER)

    @cached_property
    def may_look(self) -> bool:
        return has_role(self.request.user, Role.TRADER, Role.APPROVER, Role.ADMIN)

    @property
    def request_id(self) -> str:
        """What a person quotes when something went wrong; the logs carry the same."""
        return str(structlog.contextvars.get_contextvars().get("request_id", ""))

    @property
    def section(self) -> str:
        """Which entry of the navigation is the current one."""
        first = self.request.path.strip("/").split("/")[0]
        return first or "overview"


def desk(request: HttpRequest) -> dict[str, Any]:
    return {"desk": Desk(request)}
