"""What several addresses ask alike: which account, which run."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from rebalancing.models import Run
from trading.api.filters import plain_id, refuse_unknown
from trading.domain.errors import InputError, Reason
from trading.models import Account
from trading.selectors.people import accounts_of

__all__ = ["ACCOUNT", "asked_account", "seen_run"]

ACCOUNT = OpenApiParameter("account", int, description="the account's id; default: the first")


def asked_account(request: Request) -> Account:
    """The account named in the query, or the person's first; 404 for anybody else's. No other name is asked."""
    refuse_unknown(request.query_params, "account")
    wanted = request.query_params.get("account")
    mine = accounts_of(request.user)
    if wanted is None:
        return get_object_or_404(mine[:1])
    try:
        return get_object_or_404(mine, pk=plain_id(wanted))
    except ValueError as error:
        raise InputError(Reason("account", {"value": wanted[:20]})) from error


def seen_run(request: Request, pk: int) -> Run:
    rows = Run.objects.select_related("account", "snapshot", "target")
    return get_object_or_404(rows, pk=pk, account__in=accounts_of(request.user))
