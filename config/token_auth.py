"""`Authorization: Token …` (or Bearer): a program in the name of a person."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from trading.models import ApiToken
from trading.selectors.people import accounts_of
from trading.selectors.second_factor import must_enrol
from trading.services.api_tokens import known_token

__all__ = ["TokenAuthentication"]

KEYWORDS = (b"token", b"bearer")


def _owed() -> str:
    page = {"page": reverse("second-factor")}
    return _("실전 계좌를 다루려면 먼저 2차 인증을 설정하세요: %(page)s") % page


class TokenAuthentication(BaseAuthentication):
    """401 for a token that is unknown, ended or of somebody who left: which of these is not told.

    Whoever owes a second factor is held up as their session is; only stopping waits for nothing.
    """

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() not in KEYWORDS:
            return None
        try:
            text = parts[1].decode("ascii") if len(parts) == 2 else ""
        except UnicodeDecodeError:
            text = ""
        token = known_token(text) if text else None
        if token is None:
            raise AuthenticationFailed(_("토큰이 없거나 끝났습니다."), code="token_unknown")
        if token.reach == ApiToken.Reach.READ and request.method not in SAFE_METHODS:
            raise PermissionDenied(_("이 토큰은 읽기만 할 수 있습니다."), code="token_reads_only")
        stops = request.method == "POST" and request.path.endswith(("/cancel", "/switches"))
        if not stops and must_enrol(token.user, accounts_of(token.user)):
            raise PermissionDenied(_owed(), code="second_factor_required")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Token"
