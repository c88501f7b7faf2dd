"""The emergency stop: one click for whoever trades or decides, a reason for whoever releases."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from trading.domain.errors import InputError, StateConflict
from trading.models import Account, ApprovalPolicy
from trading.selectors.people import Role, has_role
from trading.selectors.words import WORDS
from trading.services.switches import GLOBAL, account_scope, engage, release
from trading.views.access import desk_view, require_account
from trading.views.back import back_to

__all__ = ["DESK_STOP", "stop_trading", "release_trading"]

DESK_STOP = gettext_noop("긴급 정지 (데스크)")
"""Kept as it is and shown in the reader's language."""


@desk_view(Role.TRADER, Role.APPROVER, Role.ADMIN, methods=("POST",))
def stop_trading(request: HttpRequest) -> HttpResponse:
    """Halt one account, or everything (`scope=global`)."""
    reason = request.POST.get("reason", "").strip() or DESK_STOP
    by = request.user.get_username()
    engage(_scope(request), "HALTED", by, reason)
    messages.warning(request, _("거래를 멈췄습니다. 새 주문은 나가지 않습니다."))
    return back_to(request, "/health/")


@desk_view(Role.ADMIN, methods=("POST",))
def release_trading(request: HttpRequest) -> HttpResponse:
    """Back to trading, as the strictest policy among the accounts concerned allows."""
    by = request.user.get_username()
    try:
        release(_scope(request), by, "", request.POST.get("reason", ""), _policy(request))
    except InputError as error:
        for reason in error.reasons:
            messages.error(request, WORDS.say(reason.code, reason.facts))
    except StateConflict as conflict:
        messages.error(request, WORDS.say(conflict.code, conflict.facts))
    else:
        messages.success(request, _("다시 거래할 수 있습니다."))
    return back_to(request, "/health/")


def _scope(request: HttpRequest) -> str:
    """The posted scope; the person must be a member of the account it names."""
    if request.POST.get("scope") == GLOBAL:
        return GLOBAL
    return account_scope(require_account(request, request.POST.get("account")))


def _policy(request: HttpRequest) -> str:
    """`four_eyes` when any account under the scope asks for it: a real account without a policy does."""
    if not has_role(request.user, Role.ADMIN):
        raise PermissionDenied
    if request.POST.get("scope") == GLOBAL:
        accounts = list(Account.objects.filter(is_active=True))
    else:
        accounts = [require_account(request, request.POST.get("account"))]
    kinds = {_kind(account) for account in accounts}
    return next((k for k in ("four_eyes", "owner") if k in kinds), "owner_practice")


def _kind(account: Account) -> str:
    found = ApprovalPolicy.objects.filter(account=account).first()
    if found is not None:
        return found.kind
    return "four_eyes" if account.environment == Account.Environment.REAL else "owner_practice"
