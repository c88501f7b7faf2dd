"""How an account stands."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from rebalancing.api.answers import AccountStatus, DriftOnly
from rebalancing.api.asked import ACCOUNT, asked_account
from rebalancing.selectors.status import account_status
from trading.api.permissions import TraderWrites
from trading.services.clock import market_clock

__all__ = ["DriftView", "StatusAgainView", "StatusView"]


def _status(request: Request) -> dict[str, Any]:
    account = asked_account(request)
    return account_status(account, market_clock(account).now())


class StatusView(APIView):
    """What the account is worth, how far it is from its targets, and what is going on."""

    permission_classes = [TraderWrites]

    @extend_schema(parameters=[ACCOUNT], responses=AccountStatus)
    def get(self, request: Request) -> Response:
        return Response(_status(request))


class StatusAgainView(StatusView):
    """The same under the address that the first specification gave it."""

    @extend_schema(
        parameters=[ACCOUNT], responses=AccountStatus, operation_id="macro_trading_status_again"
    )
    def get(self, request: Request) -> Response:
        return super().get(request)


class DriftView(APIView):
    """Only the drift of the newest snapshot."""

    permission_classes = [TraderWrites]

    @extend_schema(parameters=[ACCOUNT], responses=DriftOnly)
    def get(self, request: Request) -> Response:
        status = _status(request)
        wanted = ("account", "drift", "snapshot_at", "age_seconds", "thresholds", "needed")
        return Response({name: status[name] for name in wanted})
