"""The page of a person's API tokens: made, shown once, ended."""

from __future__ import annotations

from django.contrib import messages
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
        "typed": request.POST if status != 200 else {},
        **more,
    }
    return render(request, "config/api_tokens.html", context, status=status)
