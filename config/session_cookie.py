"""The session's cookie, kept by a browser whose part of a page was late.

A shown code changes the session's key. A part of the page that was under way with the old one finds no session
any more; the stock middleware would then have the browser throw its cookie away, which is the new one by now:
whoever had just approved a plan stood at the login.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse

__all__ = ["PatientSessionMiddleware"]


class PatientSessionMiddleware(SessionMiddleware):
    """As the stock one, but a part of a page never ends a session."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        answer = super().process_response(request, response)
        name = settings.SESSION_COOKIE_NAME
        is_part = request.method == "GET" and request.headers.get("HX-Request") == "true"
        thrown_away = name in answer.cookies and not answer.cookies[name].value
        if is_part and thrown_away:
            del answer.cookies[name]
        return answer
