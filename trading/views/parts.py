"""Parts of a page that keep themselves fresh, and are swapped only when what they show has changed.

One template renders in the page, in the answer to a refresh and after a hint over the WebSocket.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

__all__ = ["Part", "answer_part", "embed"]

EVERY = "every 10s"
STOP_POLLING = 286
HINT = "jeoul:run from:body"
_IGNORED = re.compile(r"<time.*?</time>|<input[^>]*csrfmiddlewaretoken[^>]*>", re.DOTALL)
"""Ages grow by themselves in the page, and form tokens differ on each rendering."""


@dataclass(frozen=True, slots=True)
class Part:
    """`name` is its id in the page, `url` where it is asked for again; no `trigger`, no refresh."""

    name: str
    url: str
    template: str
    context: dict[str, Any]
    trigger: str = f"{HINT}, {EVERY}"


def _render(request: HttpRequest, part: Part) -> tuple[SafeString, str]:
    body = render_to_string(part.template, part.context, request)
    facts = _IGNORED.sub("", body) + part.trigger
    return body, hashlib.sha256(facts.encode()).hexdigest()[:16]


def _inside(body: SafeString, seen: str) -> SafeString:
    """The part with the digest of what it shows, which the next request sends back."""
    return format_html('<input type="hidden" class="seen" name="seen" value="{}">{}', seen, body)


def embed(request: HttpRequest, part: Part) -> SafeString:
    """The part as it stands in a whole page."""
    return render_to_string(
        "desk/_part.html", {"part": part, "inside": _inside(*_render(request, part))}
    )


def answer_part(request: HttpRequest, part: Part) -> HttpResponse:
    """The part's content, or 204 when the page that sent `?seen=` shows the same already.

    Without a change nothing is swapped, so focus, an open table and a half-typed reason stay. A part
    that has stopped changing answers 286, which ends the polling.
    """
    body, seen = _render(request, part)
    if request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    return HttpResponse(_inside(body, seen), status=200 if part.trigger else STOP_POLLING)
