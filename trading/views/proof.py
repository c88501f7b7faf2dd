"""What a session remembers of the last code, and the place where codes are asked for again."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from trading.domain.errors import InputError, StateConflict
from trading.domain.proof import FRESH, Proof
from trading.selectors.second_factor import act_grounds
from trading.selectors.words import WORDS
from trading.services.second_factor import check_code

__all__ = [
    "CODE_HEADER",
    "ask_for_code",
    "asked_first",
    "needs_code",
    "proof_of",
    "remember",
    "show_code",
    "step_up",
    "take_code",
]

_SECRET = re.compile(r"password|secret|app_key|account_no", re.IGNORECASE)
KEY = "proof"
CARRIED_CODE = "one_time_code"
"""Not `code`: portfolios have a field of that name."""
CODE_HEADER = "X-One-Time-Code"
"""How a program shows a code with one request."""
View = Callable[..., HttpResponse]


def proof_of(request: HttpRequest) -> Proof | None:
    """The code that this session, or this very request, has shown last."""
    given: Proof | None = getattr(request, "_jeoul_proof", None)
    if given is not None:
        return given
    kept = request.session.get(KEY) if hasattr(request, "session") else None
    return Proof(datetime.fromisoformat(kept[0]), kept[1]) if kept else None


def remember(request: HttpRequest, proof: Proof) -> None:
    """Keep the proof in the session, under a new key: an old one may have been seen."""
    request.session.cycle_key()
    request.session[KEY] = [proof.at.isoformat(), proof.level]


def take_code(request: HttpRequest) -> None:
    """Check the code a form carries, if it carries one. Raises InputError when it is wrong or locked."""
    code = request.POST.get("code", "").strip()
    if code:
        remember(request, check_code(request.user, code))


def show_code(request: Any) -> Proof | None:
    """The proof for one call of the API: its header's code, else what the session has shown.

    A token brings no session: a cookie sent beside it may be somebody else's.
    Raises InputError for a wrong code.
    """
    code = request.headers.get(CODE_HEADER, "").strip()
    if code:
        return check_code(request.user, code)
    by_token = getattr(request, "auth", None) is not None
    return None if by_token else proof_of(getattr(request, "_request", request))


def needs_code(request: HttpRequest, account: Any = None, within: timedelta = FRESH) -> bool:
    """True when a form has to ask for a code before its act, the last one being older than `within`."""
    grounds = act_grounds(request.user, account, proof_of(request), timezone.now(), within)
    return any(ground.code == "code_required" for ground in grounds)


def step_up(view: View) -> View:
    """For acts that a stolen session must not do: without a fresh code the person is asked for one, and
    presses again. People without a second factor pass where no real account is theirs."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            take_code(request)
        except InputError as error:  # a wrong code stops the act, however fresh the one before it
            for reason in error.reasons:
                messages.error(request, WORDS.say(reason.code, reason.facts))
            return ask_for_code(request)
        except StateConflict as conflict:
            messages.error(request, WORDS.say(conflict.code, conflict.facts))
        if not act_grounds(request.user, None, proof_of(request), timezone.now()):
            return view(request, *args, **kwargs)
        return ask_for_code(request)

    return guarded


def ask_for_code(request: HttpRequest) -> HttpResponse:
    """To the page that asks, and back to where the person was."""
    back = request.get_full_path() if request.method == "GET" else _came_from(request)
    url = f"{reverse('confirm-code')}?{urlencode({'next': back})}"
    if getattr(request, "htmx", None):
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url)


def asked_first(request: HttpRequest) -> HttpResponse | None:
    """Before a settings form acts: None when it may, else the page that asks for a code.

    What was typed travels with the question and is sent on with the code, so that nobody types it twice. A form
    with a file, a password or a key in it is never echoed: it has to be filled in again.
    """
    problem = ""
    if code := request.POST.get(CARRIED_CODE, "").strip():
        try:
            remember(request, check_code(request.user, code))
        except InputError as error:
            problem = " ".join(str(WORDS.say(why.code, why.facts)) for why in error.reasons)
        except StateConflict as conflict:
            problem = str(WORDS.say(conflict.code, conflict.facts))
    grounds = act_grounds(request.user, None, proof_of(request), timezone.now())
    if not grounds and not problem:
        return None
    only_a_code = all(ground.code == "code_required" for ground in grounds)
    secret = any(_SECRET.search(name) for name in request.POST)
    if request.method != "POST" or request.FILES or secret or not only_a_code:
        return ask_for_code(request)
    left_out = ("csrfmiddlewaretoken", CARRIED_CODE)
    carried = [
        (name, value)
        for name, values in request.POST.lists()
        if name not in left_out
        for value in values
    ]
    context = {"problem": problem, "carried": carried, "next": request.path, "in_place": True}
    answer = render(request, "config/code.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def _came_from(request: HttpRequest) -> str:
    for target in (request.POST.get("next", ""), request.headers.get("Referer", "")):
        if target and url_has_allowed_host_and_scheme(target, {request.get_host()}):
            parts = urlsplit(target)
            return parts.path + (f"?{parts.query}" if parts.query else "")
    return "/"
