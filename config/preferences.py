"""How the desk looks to this browser: theme, and which colour means up; kept in cookies."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from trading.views.back import back_to

__all__ = ["looks_of", "set_looks"]

THEMES = ("auto", "light", "dark")
UPS = ("red", "blue")
_YEAR = 365 * 86_400
_COOKIES = {"theme": ("jeoul_theme", THEMES), "up": ("jeoul_up", UPS)}


def looks_of(request: HttpRequest) -> dict[str, str]:
    """The chosen values; anything else in a cookie counts as the default."""
    return {
        name: value if (value := request.COOKIES.get(cookie, "")) in allowed else allowed[0]
        for name, (cookie, allowed) in _COOKIES.items()
    }


@require_POST
def set_looks(request: HttpRequest) -> HttpResponse:
    """Keep whichever of `theme` and `up` was posted, then go back. Open to everybody: it is their
    own browser."""
    response = back_to(request)
    for name, (cookie, allowed) in _COOKIES.items():
        value = request.POST.get(name)
        if value in allowed:
            response.set_cookie(
                cookie,
                value,
                max_age=_YEAR,
                httponly=True,
                samesite="Lax",
                secure=request.is_secure(),
            )
    return response
