"""`Idempotency-Key` on whatever changes something: the same request again gets the same answer, and no more."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from trading.domain.errors import InputError, JeoulError, Reason
from trading.services.idempotency import Answer, Asked, answered_before, once, once_apart

__all__ = ["KEY_HEADER", "REPLAYED", "answers_again", "asked_key", "done_once"]

KEY_HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(r"[A-Za-z0-9._:-]{8,64}", re.ASCII)
_LONGEST = 200
_BEFORE = "_jeoul_answered_before"
_REFUSALS = (JeoulError, APIException, Http404, PermissionDenied)
Handler = Callable[..., Response]


def asked_key(request: Request, *, needed: bool = False) -> str:
    """The key that the request carries; an empty text without one. Raises InputError for one that is no key."""
    key = str(request.headers.get(KEY_HEADER, ""))
    if (needed or KEY_HEADER in request.headers) and not _KEY.fullmatch(key):
        raise InputError(Reason("idempotency_key", {"expected": "8 to 64 of A-Z a-z 0-9 . _ : -"}))
    return key


def done_once(handler: Handler) -> Handler:
    """A method of a view that does its act once for a key; without a key as often as it is asked for.

    A view whose act may have to wait for the broker says when in `waits(**kwargs)` of its address.
    """

    @wraps(handler)
    def guarded(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        before: Answer | None = getattr(request, _BEFORE, None)
        if (
            before is not None
        ):  # no code was asked for: this request does nothing, whatever became of its key
            return _response(before)
        asked = _asked(request)
        if asked is None:
            return handler(view, request, *args, **kwargs)

        def act() -> tuple[int, str]:
            answer = handler(view, request, *args, **kwargs)
            return answer.status_code, JSONRenderer().render(answer.data).decode()

        if getattr(view, "waits", _never)(*args, **kwargs):
            return _response(once_apart(asked, act))
        return _response(once(asked, act, _REFUSALS))

    guarded.done_once = True  # type: ignore[attr-defined]
    return guarded


def _never(*_args: Any, **_kwargs: Any) -> bool:
    return False


def answers_again(view: Any, request: Request) -> bool:
    """True when the request will only be given an answer that it had before: nothing is done, so that no code
    need be shown a second time, which it could not be: a code works once."""
    handler = getattr(view, (request.method or "").lower(), None)
    asked = _asked(request) if getattr(handler, "done_once", False) else None
    before = answered_before(asked) if asked is not None else None
    setattr(request, _BEFORE, before)
    return before is not None


def _asked(request: Request) -> Asked | None:
    key = asked_key(request)
    if not key:
        return None
    path = request.path
    if len(path) > _LONGEST:  # a number of hundreds of digits names nothing, and fits no column
        path = hashlib.sha256(path.encode()).hexdigest()
    return Asked(request.user, key, str(request.method), path, request.data)


def _response(answer: Answer) -> Response:
    headers = {REPLAYED: "true"} if answer.again else None
    return Response(json.loads(answer.body), status=answer.status, headers=headers)
