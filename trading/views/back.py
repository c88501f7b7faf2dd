"""Where a form returns to: the page it came from, and never another site."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

__all__ = ["back_to", "see_other"]


def see_other(url: str) -> HttpResponseRedirect:
    """303: what was asked for is done, look here."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def back_to(request: HttpRequest, default: str = "/") -> HttpResponseRedirect:
    """303 to the posted `next` when it is on this site, else to `default`."""
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return see_other(target if safe and target.startswith("/") else default)
