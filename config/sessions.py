"""How long a session lives and what ends it: rest, age, and any change of who its person is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseClientRedirect

from config.errors import document
from trading.selectors.second_factor import factor_of, must_enrol, stamp_of
from trading.views.access import accounts_seen
from trading.views.proof import proof_of

__all__ = ["ENDED", "SessionRulesMiddleware", "begin_session", "reason_to_end", "renew_stamp"]

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
NOTED_EVERY = timedelta(seconds=60)
"""Being active is written down this often; a write per request would be for nothing."""
ENDED = "session_ended"
STAMP, BEGAN, SEEN = "stamp", "began", "seen"
_ALWAYS = ("/accounts/", "/i18n/", "/looks/", "/trading/switch/stop/", "/trading/switch/badge/")
"""Where people go who still have to show or to set up a second factor; and stopping waits for nothing.
The badge stands in the header of those pages, and must not send away who is typing a code there."""
_API_WORDS = {
    "confirm-code": gettext_lazy(
        "이 세션은 아직 2차 인증 코드를 보여 주지 않았습니다. %(page)s 에서 코드를 입력하세요."
    ),
    "second-factor": gettext_lazy("실전 계좌를 다루려면 먼저 2차 인증을 설정하세요: %(page)s"),
}
Handler = Callable[[HttpRequest], HttpResponse]


def begin_session(sender: object, request: HttpRequest, user: Any, **_given: Any) -> None:
    """On every log-in, by whatever door."""
    now = timezone.now().isoformat()
    request.session[BEGAN], request.session[SEEN] = now, now
    request.session[STAMP] = stamp_of(user)


def renew_stamp(request: HttpRequest) -> None:
    """This session outlives the change its own person has just made; their others end."""
    person: Any = request.user
    person._state.fields_cache.pop("second_factor", None)
    request.session.cycle_key()
    request.session[STAMP] = stamp_of(request.user)


def reason_to_end(session: Mapping[str, Any], stamp: str, now: datetime) -> str:
    """Why a session is over: `changed`, `too_old` or `idle`; empty while it may go on."""
    if session.get(STAMP) != stamp:
        return "changed"
    if now - datetime.fromisoformat(session[BEGAN]) > ABSOLUTE:
        return "too_old"
    if now - datetime.fromisoformat(session[SEEN]) > IDLE:
        return "idle"
    return ""


class SessionRulesMiddleware:
    """Ends what is over, and lets nobody past who owes a second factor."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            return self.handler(request)
        now = timezone.now()
        why = reason_to_end(request.session, stamp_of(user), now)
        if why:
            logout(request)
            request.session[ENDED] = why
            return self.handler(request)
        if not request.path.startswith(_ALWAYS):
            owed = _owed(request)
            if owed:
                return _refused(request, owed)
        if _is_activity(request) and now - _seen(request) > NOTED_EVERY:
            request.session[SEEN] = now.isoformat()
        return self.handler(request)


def _seen(request: HttpRequest) -> datetime:
    return datetime.fromisoformat(request.session[SEEN])


def _is_activity(request: HttpRequest) -> bool:
    """A page that refreshes itself is not a person at work."""
    return request.method != "GET" or not getattr(request, "htmx", False)


def _owed(request: HttpRequest) -> str:
    """The address where this person has to go first, empty when nowhere."""
    if factor_of(request.user) is not None:
        return "" if proof_of(request) else "confirm-code"
    part = request.method == "GET" and getattr(request, "htmx", False)
    if part or request.path.rstrip("/").endswith("/cancel"):
        return ""  # a part's page has been asked already, and stopping waits for nothing
    return "second-factor" if must_enrol(request.user, accounts_seen(request)) else ""


def _refused(request: HttpRequest, name: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return document(403, "second_factor_required", _API_WORDS[name] % {"page": reverse(name)})
    back = request.get_full_path() if request.method == "GET" else "/"
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(f"{reverse(name)}?{urlencode({'next': '/'})}")
    return HttpResponseRedirect(f"{reverse(name)}?{urlencode({'next': back})}")
