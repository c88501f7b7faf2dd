"""Who may open a page: signed in, with a role, and only for accounts they are a member of.

Every view of the desk is wrapped by `desk_view`; a view without it is found by a test.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from trading.models import Account
from trading.selectors.people import Role, accounts_of, has_role

__all__ = ["ACCOUNT_KEY", "accounts_seen", "chosen_account", "desk_view", "require_account"]

ACCOUNT_KEY = "account"
View = Callable[..., HttpResponse]


def desk_view(*roles: Role, methods: tuple[str, ...] = ("GET", "HEAD")) -> Callable[[View], View]:
    """Let in people who hold one of `roles` (any role when none is named), for `methods` only."""
    wanted = roles or tuple(Role)

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return _to_login(request)
            if not has_role(request.user, *wanted):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.desk_roles = wanted  # type: ignore[attr-defined]
        return cast(View, require_http_methods(list(methods))(guarded))

    return decorate


def _to_login(request: HttpRequest) -> HttpResponse:
    """A part of a page asked for by script sends the whole page to the login, not the login into it."""
    url = resolve_url(settings.LOGIN_URL)
    if getattr(request, "htmx", None):
        came_from = urlsplit(request.htmx.current_url or "/").path  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(f"{url}?{urlencode({'next': came_from})}")
    back = request.get_full_path() if request.method == "GET" else "/"
    return redirect(f"{url}?{urlencode({'next': back})}")


def accounts_seen(request: HttpRequest) -> list[Account]:
    """The person's accounts, read once per request."""
    found: list[Account] | None = getattr(request, "_jeoul_accounts", None)
    if found is None:
        found = list(accounts_of(request.user))
        request._jeoul_accounts = found  # type: ignore[attr-defined]
    return found


def chosen_account(request: HttpRequest) -> Account | None:
    """`?account=` when given, else the one chosen last, else the first; None without any account.

    Raises Http404 for an account the person is not a member of: for them it does not exist.
    """
    accounts = accounts_seen(request)
    asked = request.GET.get("account", "")
    if asked:
        found = next((a for a in accounts if str(a.pk) == asked), None)
        if found is None:
            raise Http404
        return found
    kept = request.session.get(ACCOUNT_KEY)
    return next((a for a in accounts if a.pk == kept), accounts[0] if accounts else None)


def require_account(request: HttpRequest, account_id: object) -> Account:
    found = next((a for a in accounts_seen(request) if str(a.pk) == str(account_id)), None)
    if found is None:
        raise Http404
    return found
