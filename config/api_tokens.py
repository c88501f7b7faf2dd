"""The page of a person's API tokens: made, shown once, ended."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from trading.domain.errors import InputError, StateConflict
from trading.models import ApiToken
from trading.selectors.words import WORDS
from trading.services.api_tokens import DAYS, issue_token, revoke_token
from trading.views.access import desk_view
from trading.views.back import see_other
from trading.views.proof import step_up

__all__ = ["api_tokens"]

SHOWN = 50
FORMS = "token_forms"
OPEN_FORMS = 5
"""So many pages may lie open beside each other and still make a token each."""


@desk_view(methods=("GET", "POST"))
def api_tokens(request: HttpRequest) -> HttpResponse:
    """Their own tokens only; a POST makes one or ends one."""
    if request.method == "POST":
        return _change(request)
    return _page(request)


@step_up
def _change(request: HttpRequest) -> HttpResponse:
    if "end" in request.POST:
        return _end(request)
    if not _take_form(request):
        messages.warning(
            request,
            _(
                "이 양식은 이미 쓰였거나 오래되어 토큰을 만들지 않았습니다. "
                "앞서 만든 것을 적어 두지 못했으면 목록에서 끝내고 다시 만드세요."
            ),
        )
        return see_other(reverse("api-tokens"))
    days = request.POST.get("days", "")
    try:
        row, text = issue_token(
            request.user,
            request.POST.get("name", "")[:200],
            request.POST.get("reach", ""),
            int(days) if days.isascii() and days.isdigit() and len(days) < 5 else 0,
        )
    except InputError as error:
        problems = [str(WORDS.say(why.code, why.facts)) for why in error.reasons]
        return _page(request, problems=problems, status=422)
    except StateConflict as conflict:
        problems = [str(WORDS.say(conflict.code, conflict.facts))]
        return _page(request, problems=problems, status=409)
    answer = _page(request, made=row, text=text)
    answer["Cache-Control"] = "no-store"
    return answer


def _new_form(request: HttpRequest) -> str:
    """The mark of a form that makes one token at most."""
    mark = secrets.token_urlsafe(16)
    kept = request.session.get(FORMS, [])
    request.session[FORMS] = [*kept[1 - OPEN_FORMS :], mark]
    return mark


def _take_form(request: HttpRequest) -> bool:
    """True for the first that sends a form this session was given; two presses may arrive at once, so
    the claim is one step in the cache and not a look at the session."""
    mark, kept = request.POST.get("form", ""), request.session.get(FORMS, [])
    if mark not in kept:
        return False
    request.session[FORMS] = [one for one in kept if one != mark]
    return bool(cache.add(f"token-form:{mark}", 1, settings.SESSION_COOKIE_AGE))


def _end(request: HttpRequest) -> HttpResponse:
    pk = request.POST["end"]
    rows = ApiToken.objects.filter(user_id=request.user.pk or 0)
    plain = pk.isascii() and pk.isdigit() and len(pk) < 16
    row = rows.filter(pk=int(pk)).first() if plain else None
    if row is None:
        raise Http404
    if revoke_token(row, request.user.get_username()):
        messages.success(request, _("토큰 …%(tail)s을 끝냈습니다.") % {"tail": row.tail})
    return see_other(reverse("api-tokens"))


def _page(request: HttpRequest, status: int = 200, **more: object) -> HttpResponse:
    now = timezone.now()
    rows = ApiToken.objects.filter(user_id=request.user.pk or 0)[:SHOWN]
    tokens = [(row, row.revoked_at is None and row.expires_at > now) for row in rows]
    context = {
        "tokens": tokens,
        "days": DAYS,
        "reaches": ApiToken.Reach.choices,
        "form_mark": _new_form(request),
        "typed": request.POST if status != 200 else {},
        **more,
    }
    return render(request, "config/api_tokens.html", context, status=status)
