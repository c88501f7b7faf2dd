"""Errors as people and programs see them: a page that says what is safe, an RFC 9457 document."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from rebalancing.selectors.words import WORDS
from trading.domain.errors import (
    BrokerError,
    ConfigurationError,
    InputError,
    Reason,
    RuleViolation,
    StateConflict,
)
from trading.views.proof import CODE_HEADER

__all__ = [
    "api_exception_handler",
    "bad_request",
    "csrf_failure",
    "document",
    "problem",
    "server_error",
    "unknown",
]

log = structlog.get_logger(__name__)


def problem(
    status: int, code: str, detail: str, *, reasons: tuple[Reason, ...] = (), **extra: Any
) -> Response:
    """An RFC 9457 problem document with a stable `code`."""
    found = _described(status, code, detail) | extra
    if reasons:
        found["violations"] = [
            {"code": r.code, "detail": _say(r.code, r.facts), **_plain(r.facts)} for r in reasons
        ]
    return Response(found, status=status, content_type="application/problem+json")


def document(status: int, code: str, detail: str) -> JsonResponse:
    """The same document outside the API's views."""
    found = _described(status, code, detail)
    return JsonResponse(found, status=status, content_type="application/problem+json")


def _described(status: int, code: str, detail: str) -> dict[str, Any]:
    return {
        "type": f"https://jeoul.invalid/problems/{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }


def _said(reasons: tuple[Reason, ...]) -> str:
    return " ".join(_say(reason.code, reason.facts) for reason in reasons)


def _say(code: str, facts: dict[str, object]) -> str:
    """The sentence of a code as a program can act on it: a page has a field where this one has a header."""
    return (
        _BY_HEADER % {"header": CODE_HEADER} if code == "code_required" else WORDS.say(code, facts)
    )


def _plain(facts: dict[str, object]) -> dict[str, Any]:
    return {
        k: v if isinstance(v, (int, str, bool, list, type(None))) else str(v)
        for k, v in facts.items()
    }


_BY_HEADER = gettext_lazy(
    "인증 앱의 코드가 필요합니다. %(header)s 헤더에 넣어 다시 보내세요. 코드 하나는 한 번만 쓸 수 있습니다."
)
_OWN_CODES = ("code_required", "second_factor_required", "token_reads_only")
_CODES = {
    400: "bad_input",
    401: "not_authenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    415: "unsupported_media_type",
    429: "too_many_requests",
}


def api_exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every error of the API as a problem document; an unknown one becomes a 500 without details."""
    match error:
        case InputError():
            return problem(400, error.code, _said(error.reasons), reasons=error.reasons)
        case RuleViolation():
            return problem(422, error.code, _said(error.reasons), reasons=error.reasons)
        case StateConflict():
            return problem(
                409, error.code, WORDS.say(error.code, error.facts), **_plain(error.facts)
            )
        case BrokerError():
            return problem(
                503, error.code, _("증권사에서 답을 받지 못했습니다. 잠시 뒤 다시 시도하세요.")
            )
        case ConfigurationError():
            return problem(503, error.code, WORDS.say(error.code))
        case RequestDataTooBig():
            return problem(413, "too_large", _("본문이 너무 큽니다. 나누어 보내세요."))
    answer = exception_handler(error, context)
    if answer is None:
        return None
    code = _CODES.get(answer.status_code, "error")
    if isinstance(error, exceptions.PermissionDenied) and error.get_codes() in _OWN_CODES:
        code = str(error.get_codes())
    detail = (
        str(error.detail)
        if isinstance(error, exceptions.APIException) and isinstance(error.detail, str)
        else str(_("요청을 처리할 수 없습니다."))
    )
    if code == "code_required":
        detail = _say(code, {})
    fields = {"errors": answer.data} if isinstance(error, exceptions.ValidationError) else {}
    result = problem(answer.status_code, code, detail, **fields)
    for name in ("WWW-Authenticate", "Retry-After", "Allow"):
        if name in answer.headers:
            result.headers[name] = answer.headers[name]
    return result


@csrf_exempt
def unknown(request: HttpRequest, rest: str) -> JsonResponse:
    """An address under `/api/` that nothing serves, as a program expects to hear it."""
    return document(404, "not_found", _("이 주소에는 아무것도 없습니다. /api/docs/ 를 보세요."))


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    return render(request, "config/error.html", {"title": title, "text": text}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(
        request, 400, _("잘못된 요청"), _("요청을 이해하지 못했습니다. 바뀐 것은 없습니다.")
    )


def forbidden(request: HttpRequest, exception: PermissionDenied) -> HttpResponse:
    return _page(
        request,
        403,
        _("권한이 없습니다"),
        _("이 작업에 필요한 역할이 없습니다. 바뀐 것은 없습니다."),
    )


def not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    return _page(
        request, 404, _("찾을 수 없습니다"), _("주소가 바뀌었거나 볼 수 있는 계좌가 아닙니다.")
    )


def server_error(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        500,
        _("문제가 생겼습니다"),
        _("기록은 안전합니다. 아래 요청 번호를 알려 주시면 원인을 찾을 수 있습니다."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    log.warning("csrf_refused", path=request.path)
    return _page(
        request,
        403,
        _("다시 확인이 필요합니다"),
        _("페이지가 오래되었습니다. 새로 고친 뒤 다시 눌러 주세요. 바뀐 것은 없습니다."),
    )
