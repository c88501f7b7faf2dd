"""How often one person may change something through the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.throttling import UserRateThrottle

if TYPE_CHECKING:  # the framework reads this class while its views are being imported
    from rest_framework.request import Request
    from rest_framework.views import APIView

__all__ = ["WriteThrottle"]


class WriteThrottle(UserRateThrottle):
    """`DEFAULT_THROTTLE_RATES["writes"]` for each person; reading is free. Answers 429 with Retry-After."""

    scope = "writes"

    def allow_request(self, request: Request, view: APIView) -> bool:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return True
        return bool(super().allow_request(request, view))
