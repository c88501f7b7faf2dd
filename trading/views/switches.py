"""The emergency stop: one click for whoever trades or decides, a reason for whoever releases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from trading.domain.errors import InputError, Reason, RuleViolation, StateConflict
from trading.models import Account, AccountMember, ReleaseRequest, Switch
from trading.selectors.people import Role, has_role
from trading.selectors.words import WORDS
from trading.services.policies import agree_policy
from trading.services.releases import agree_release, ask_release, withdraw_release
from trading.services.switches import GLOBAL, account_scope, engage
from trading.views.access import desk_view, require_account
from trading.views.back import back_to
from trading.views.proof import proof_of, step_up

__all__ = [
    "API_STOP",
    "DESK_STOP",
    "agree_to_policy",
    "agree_to_release",
    "kept_reason",
    "release_trading",
    "stop_trading",
]

DESK_STOP = gettext_noop("긴급 정지 (데스크)")
API_STOP = gettext_noop("긴급 정지 (API)")
"""Kept as they are and shown in the reader's language."""
TYPED = "release_reason"
View = Callable[..., HttpResponse]


@desk_view(Role.TRADER, Role.APPROVER, Role.ADMIN, methods=("POST",))
def stop_trading(request: HttpRequest) -> HttpResponse:
    """Halt one account, or everything (`scope=global`)."""
    reason = request.POST.get("reason", "").strip() or DESK_STOP
    by = request.user.get_username()
    engage(_scope(request), "HALTED", by, reason)
    messages.warning(request, _("거래를 멈췄습니다. 새 주문은 나가지 않습니다."))
    return back_to(request, "/health/")


def _keeps_reason(view: View) -> View:
    """What was typed is in the form again after a refusal or after a code was asked for."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        reason = request.POST.get("reason", "").strip()[:300]
        request.session[TYPED] = [_newest_switch(), reason]
        return view(request, *args, **kwargs)

    return guarded


def kept_reason(request: HttpRequest) -> str:
    """The reason that was typed for a release that did not come about; gone with the next change of any
    switch."""
    newest, reason = request.session.get(TYPED, (0, ""))
    return str(reason) if reason and newest == _newest_switch() else ""


def _newest_switch() -> int:
    return Switch.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


@desk_view(Role.ADMIN, methods=("POST",))
@_keeps_reason
@step_up
def release_trading(request: HttpRequest) -> HttpResponse:
    """Back to trading, or a request for a second person's agreement where the policy wants two."""
    by = request.user.get_username()
    with _refusals_shown(request):
        scope = _scope(request)
        if scope == GLOBAL:
            _require_all(request)
        seen = request.POST.get("switch_all" if scope == GLOBAL else "switch_alone", "")
        done = ask_release(
            scope,
            by,
            request.POST.get("reason", ""),
            proof_of(request),
            seen=int(seen) if _is_id(seen) else None,
        )
        request.session.pop(TYPED, None)
        if isinstance(done, ReleaseRequest):
            messages.success(
                request, _("해제를 요청했습니다. 다른 사람이 30분 안에 동의하면 풀립니다.")
            )
        else:
            messages.success(request, _("다시 거래할 수 있습니다."))
    return back_to(request, "/health/")


@desk_view(Role.APPROVER, Role.ADMIN, methods=("POST",))
@step_up
def agree_to_release(request: HttpRequest) -> HttpResponse:
    """The second person, an approver, agrees to an open request; or anybody who may stop takes it back.

    Not an admin: one of them could have made the other.
    """
    by = request.user.get_username()
    with _refusals_shown(request):
        asked = _request_seen(request)
        if "withdraw" in request.POST:
            withdraw_release(asked.pk, by)
            messages.success(request, _("해제 요청을 거두었습니다."))
        else:
            if not has_role(request.user, Role.APPROVER):
                raise RuleViolation([Reason("approver_role_required")])
            agree_release(asked.pk, by)
            messages.success(request, _("다시 거래할 수 있습니다."))
    return back_to(request, "/health/")


@desk_view(Role.APPROVER, methods=("POST",))
@step_up
def agree_to_policy(request: HttpRequest) -> HttpResponse:
    """The second person agrees to the policy that waits on an account of theirs."""
    account = require_account(request, request.POST.get("account"))
    wanted = request.POST.get("policy", "")
    if not _is_id(wanted) or not account.approval_policies.filter(pk=int(wanted)).exists():
        raise Http404
    with _refusals_shown(request):
        agree_policy(int(wanted), request.user.get_username())
        messages.success(request, _("동의했습니다. 이제 이 승인 정책이 적용됩니다."))
    return back_to(request, "/health/")


@contextmanager
def _refusals_shown(request: HttpRequest) -> Iterator[None]:
    """Refusals become messages in the reader's words."""
    try:
        yield
    except (InputError, RuleViolation) as error:
        for reason in error.reasons:
            messages.error(request, WORDS.say(reason.code, reason.facts))
    except StateConflict as conflict:
        messages.error(request, WORDS.say(conflict.code, conflict.facts))


def _request_seen(request: HttpRequest) -> ReleaseRequest:
    """The posted request; one about an account the person is not a member of does not exist, and one
    about all accounts only for a member of all."""
    wanted = request.POST.get("request", "")
    asked = ReleaseRequest.objects.filter(pk=int(wanted)).first() if _is_id(wanted) else None
    if asked is None:
        raise Http404
    if asked.scope == GLOBAL:
        _require_all(request)
    else:
        require_account(request, asked.scope.partition(":")[2])
    return asked


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12


def _require_all(request: HttpRequest) -> None:
    """Letting everything trade again concerns every account: only for who is a member of all."""
    own = AccountMember.objects.filter(user=request.user.pk).values("account")
    unseen = Account.objects.exclude(pk__in=own)
    if unseen.exists():
        raise InputError(Reason("release_needs_every_account"))


def _scope(request: HttpRequest) -> str:
    """The posted scope; the person must be a member of the account it names."""
    if request.POST.get("scope") == GLOBAL:
        return GLOBAL
    return account_scope(require_account(request, request.POST.get("account")))
