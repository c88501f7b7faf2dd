"""A fresh look at the account when a person asks for one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from rebalancing.selectors.gaps import newest_target
from rebalancing.selectors.words import WORDS
from rebalancing.services.runs import active_run
from trading.domain.errors import BrokerError, ConfigurationError, InputError
from trading.models import Account, BrokerOrder
from trading.selectors.people import Role
from trading.selectors.unknown import unknown_attempts
from trading.services.snapshots import take_snapshot
from trading.views.access import desk_view, require_account
from trading.views.back import back_to

__all__ = ["look_now"]


@desk_view(Role.TRADER, Role.APPROVER, Role.ADMIN, methods=("POST",))
def look_now(request: HttpRequest) -> HttpResponse:
    """Read balance, cash and prices from the broker and keep them as a snapshot."""
    account = require_account(request, request.POST.get("account"))
    answer = back_to(request, reverse("overview"))
    if _orders_working(account):
        messages.info(request, WORDS.say("orders_working"))
        return answer
    target = newest_target(account)
    tickers = [t for inside in target.snapshot["sub"].values() for t in inside] if target else []
    try:
        take_snapshot(account, tickers)
    except InputError as error:
        for reason in error.reasons:
            messages.error(request, WORDS.say(reason.code, reason.facts))
    except (BrokerError, ConfigurationError) as error:
        messages.error(request, WORDS.say(error.code) + " " + _("바뀐 것은 없습니다."))
    else:
        messages.success(request, _("조회했습니다."))
    return answer


def _orders_working(account: Account) -> bool:
    """While orders work, the balance may show a fill before the order list does; that would look like
    somebody else's trade."""
    if active_run(account) is not None or unknown_attempts(account).exists():
        return True
    return BrokerOrder.objects.filter(account=account, is_final=False).exists()
