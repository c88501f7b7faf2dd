"""What every request gets: an id in the logs, no caching of private pages, and the admin's own policy."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import structlog
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from config.errors import bad_request, document

__all__ = [
    "AdminContentPolicyMiddleware",
    "PlainQueriesMiddleware",
    "PrivatePagesMiddleware",
    "RequestIdMiddleware",
]

Handler = Callable[[HttpRequest], HttpResponse]
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_ADMIN_POLICY = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_EVAL, UNSAFE_INLINE],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "object-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}


class RequestIdMiddleware:
    """Binds a request id to the logs and returns it, so that a person can quote it."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.handler(request)
        response.headers["X-Request-Id"] = request_id
        return response


class PlainQueriesMiddleware:
    """A query with a NUL in it is nobody's question; PostgreSQL would answer it with an error."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if any("\x00" in text for pair in request.GET.lists() for text in (pair[0], *pair[1])):
            if request.path.startswith("/api/"):
                return document(400, "bad_input", _("주소에 쓸 수 없는 문자가 있습니다."))
            return bad_request(request, ValueError("NUL in a query"))
        return self.handler(request)


class PrivatePagesMiddleware:
    """What a signed-in person sees is never kept by a cache, so a shared machine shows nothing later."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.handler(request)
        if request.user.is_authenticated:
            response.headers["Cache-Control"] = "no-store"
        return response


class AdminContentPolicyMiddleware:
    """The admin theme evaluates expressions in the page; only its paths get the looser policy."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.handler(request)
        if request.path.startswith("/admin/") or request.path.startswith("/api/docs/"):
            response._csp_replace = _ADMIN_POLICY  # type: ignore[attr-defined]
        return response
