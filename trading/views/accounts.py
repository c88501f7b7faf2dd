"""Choosing the account that the desk looks at."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from trading.views.access import ACCOUNT_KEY, desk_view, require_account
from trading.views.back import back_to

__all__ = ["choose_account"]


@desk_view(methods=("POST",))
def choose_account(request: HttpRequest) -> HttpResponse:
    """Remember the account in the session; 404 for an account of somebody else."""
    request.session[ACCOUNT_KEY] = require_account(request, request.POST.get("account")).pk
    return back_to(request)
