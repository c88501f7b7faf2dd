"""Errors as people and programs see them: a page that says what is safe, an RFC 9457 document."""

from __future__ import annotations

import math
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
    return JsonResponse(
        found,
        status=status,
        content_type="application/problem+json",
        json_dumps_params={"ensure_ascii": False},  # as the API's own renderer writes it
    )


def _described(status: int, code: str, detail: str) -> dict[str, Any]:
    return {
        "type": f"https://jeoul.invalid/problems/{code}",
        "title": str(_TITLES.get(status) or HTTPStatus(status).phrase),
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
_TITLES = {
    400: gettext_lazy("요청을 읽을 수 없음"),
    401: gettext_lazy("로그인 필요"),
    403: gettext_lazy("허용되지 않음"),
    404: gettext_lazy("찾을 수 없음"),
    405: gettext_lazy("이 방법은 쓸 수 없음"),
    406: gettext_lazy("답할 수 없는 형식"),
    409: gettext_lazy("상태가 바뀜"),
    413: gettext_lazy("본문이 너무 큼"),
    415: gettext_lazy("읽을 수 없는 형식"),
    422: gettext_lazy("규칙에 어긋남"),
    429: gettext_lazy("너무 잦음"),
    503: gettext_lazy("지금은 쓸 수 없음"),
}
"""In English the words of the standard."""
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
    detail = _of_the_framework(error, str(getattr(context.get("request"), "method", "")))
    if code == "code_required":
        detail = _say(code, {})
    fields = {"errors": answer.data} if isinstance(error, exceptions.ValidationError) else {}
    result = problem(answer.status_code, code, detail, **fields)
    for name in ("WWW-Authenticate", "Retry-After", "Allow"):
        if name in answer.headers:
            result.headers[name] = answer.headers[name]
    return result


def _of_the_framework(error: Exception, method: str) -> str:
    """What the framework refuses, in the house's words: its own are English alone for Korean readers."""
    match error:
        case exceptions.MethodNotAllowed():
            return _("이 주소는 %(method)s 요청을 받지 않습니다.") % {"method": method[:20]}
        case exceptions.NotAcceptable():
            return _("그 형식으로는 답할 수 없습니다. JSON을 요청하세요.")
        case exceptions.UnsupportedMediaType():
            return _("본문은 application/json으로 보내세요.")
        case exceptions.NotAuthenticated():
            return _("로그인하거나 토큰을 보내세요.")
        case exceptions.Throttled() if (wait := getattr(error, "wait", None)) is not None:
            again = {"seconds": math.ceil(wait)}
            return _("너무 잦습니다. %(seconds)s초 뒤에 다시 보내세요.") % again
        case Http404():
            return _("그런 것이 없거나 볼 수 있는 계좌의 것이 아닙니다.")
        case PermissionDenied():
            return _("권한이 없습니다.")
        case exceptions.PermissionDenied() if str(error.detail).startswith("CSRF Failed"):
            return _("CSRF 토큰이 없거나 맞지 않습니다. 바뀐 것은 없습니다.")
        case exceptions.ValidationError():
            return _("본문의 항목을 읽을 수 없습니다. errors를 보세요.")
        case exceptions.APIException() if isinstance(error.detail, str):
            return str(error.detail)
    return _("요청을 처리할 수 없습니다.")


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
