"""The pages of the second factor: its code at the door, again before a dangerous act, setting it up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from config.devices import know_device
from config.guesses import WINDOW_SECONDS, Guesses
from config.sessions import renew_stamp
from trading.domain.errors import InputError, Reason, StateConflict
from trading.domain.proof import Proof
from trading.domain.totp import provisioning_uri
from trading.models import SecondFactor
from trading.selectors.second_factor import factor_of, must_enrol
from trading.selectors.words import WORDS
from trading.services.second_factor import (
    begin_factor,
    check_code,
    confirm_factor,
    new_recovery_codes,
    remove_factor,
)
from trading.views.access import accounts_seen, desk_view
from trading.views.back import see_other
from trading.views.proof import remember

__all__ = ["ask_at_the_door", "confirm_code", "enter_code", "second_factor"]

PENDING = "login_pending"
PENDING_LIFE = timedelta(minutes=5)
ISSUER = "Jeoul"


def ask_at_the_door(request: HttpRequest, user: Any, target: str) -> HttpResponse:
    """The password was right; nobody is signed in before the code is, too."""
    request.session.cycle_key()
    request.session[PENDING] = {
        "user": user.pk,
        "backend": user.backend,
        "at": timezone.now().isoformat(),
        "next": target,
    }
    return redirect("enter-code")


@require_http_methods(["GET", "POST"])
def enter_code(request: HttpRequest) -> HttpResponse:
    """The second half of a log-in."""
    pending: dict[str, Any] = request.session.get(PENDING) or {}
    user = _pending_user(pending)
    if user is None:
        request.session.pop(PENDING, None)
        return redirect("login")
    problem = ""
    if request.method == "POST":
        try:
            proof = check_code(user, request.POST.get("code", ""))
        except (InputError, StateConflict) as error:
            problem = _said(error)
        else:
            login(request, user, backend=pending["backend"])
            request.session.pop(PENDING, None)
            remember(request, proof)
            return know_device(HttpResponseRedirect(_safe(request, pending["next"])), user)
    return render(
        request,
        "config/code.html",
        {"problem": problem, "door": True},
        status=429 if problem and _is_locked(user) else 200,
    )


def _pending_user(pending: dict[str, Any]) -> Any:
    if not pending:
        return None
    if timezone.now() - datetime.fromisoformat(pending["at"]) > PENDING_LIFE:
        return None
    return get_user_model().objects.filter(pk=pending["user"], is_active=True).first()


def _is_locked(user: Any) -> bool:
    return SecondFactor.objects.filter(user=user, locked_until__gt=timezone.now()).exists()


@desk_view(methods=("GET", "POST"))
def confirm_code(request: HttpRequest) -> HttpResponse:
    """A code once more, before something that a stolen session must not do; then back."""
    target = _safe(request, request.POST.get("next") or request.GET.get("next", ""))
    if factor_of(request.user) is None:
        return HttpResponseRedirect(reverse("second-factor"))
    problem = ""
    if request.method == "POST":
        try:
            remember(request, check_code(request.user, request.POST.get("code", "")))
        except (InputError, StateConflict) as error:
            problem = _said(error)
        else:
            messages.success(request, _("확인했습니다. 이어서 하세요."))
            return see_other(target)
    return render(request, "config/code.html", {"problem": problem, "next": target})


@desk_view(methods=("GET", "POST"))
def second_factor(request: HttpRequest) -> HttpResponse:
    """Set it up, renew the recovery codes, or take it away; each with the password or a code."""
    problem, codes = "", []
    if request.method == "POST":
        try:
            codes = _change(request, request.POST.get("act", ""))
        except (InputError, StateConflict) as error:
            problem = _said(error)
        else:
            if not codes:
                return see_other(reverse("second-factor"))
    factor = factor_of(request.user)
    waiting = None if factor else SecondFactor.objects.filter(user_id=request.user.pk or 0).first()
    context = {
        "factor": factor,
        "waiting": waiting,
        "codes": codes,
        "problem": problem,
        "left": factor.recovery_codes.filter(used_at=None).count() if factor else 0,
        "must": must_enrol(request.user, accounts_seen(request)),
        "picture": _picture(request, waiting) if waiting else "",
    }
    return render(request, "config/second_factor.html", context, status=422 if problem else 200)


def _change(request: HttpRequest, act: str) -> list[str]:
    """One act of the page; returns the recovery codes that it made."""
    user, code = request.user, request.POST.get("code", "")
    if act == "begin":
        _require_password(request)
        begin_factor(user)
    elif act == "confirm":
        codes = confirm_factor(user, code)
        renew_stamp(request)
        # the code that set it up is a code shown: the person need not wait for another one
        remember(request, Proof(timezone.now(), "totp"))
        return codes
    elif act == "codes":
        remember(request, check_code(user, code))
        return new_recovery_codes(user)
    elif act == "remove":
        check_code(user, code)
        remove_factor(user, user.get_username())
        renew_stamp(request)
        messages.success(request, _("2차 인증을 껐습니다."))
    return []


def _require_password(request: HttpRequest) -> None:
    guesses = Guesses(request.user.get_username(), "signed in")
    if guesses.wait(known=True):
        raise InputError(Reason("code_locked", {"minutes": WINDOW_SECONDS // 60}))
    if not request.user.check_password(request.POST.get("password", "")[:256]):
        guesses.wrong()
        raise InputError(Reason("password_wrong"))


def _picture(request: HttpRequest, waiting: SecondFactor) -> str:
    """The QR code as an address that an <img> takes; nothing leaves this machine."""
    uri = provisioning_uri(waiting.seed, request.user.get_username(), ISSUER)
    return str(segno.make(uri, error="m").svg_data_uri(scale=5, border=4, light="white"))


def _said(error: InputError | StateConflict) -> str:
    if isinstance(error, StateConflict):
        return str(WORDS.say(error.code, error.facts))
    return " ".join(str(WORDS.say(reason.code, reason.facts)) for reason in error.reasons)


def _safe(request: HttpRequest, target: str) -> str:
    safe = url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    )
    return target if safe and target.startswith("/") else reverse("overview")
