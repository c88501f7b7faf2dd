"""Signing in: polite errors, and no more than five wrong passwords in a quarter of an hour."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import structlog
from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.devices import know_device, known_device
from config.guesses import WINDOW_SECONDS, Guesses
from config.second_factor import ask_at_the_door
from config.sessions import ENDED
from trading.selectors.second_factor import factor_of

__all__ = ["DeskLogin", "LoginForm", "to_login"]

log = structlog.get_logger(__name__)


class LoginForm(AuthenticationForm):
    """The same answer whether the name, the password or both are wrong."""

    error_messages = {
        "invalid_login": _("이름이나 비밀번호가 맞지 않습니다. 다시 입력하세요."),
        "inactive": _("이름이나 비밀번호가 맞지 않습니다. 다시 입력하세요."),
        "too_many": _("여러 번 틀렸습니다. 15분 뒤에 다시 시도하세요."),
        "slow_down": _("여러 번 틀렸습니다. 1분 뒤에 다시 시도하세요."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("이름")
        self.fields["password"].label = _("비밀번호")
        self.fields["password"].validators.append(_short_enough)
        self.wait = 0

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
        name = self.cleaned_data.get("username") or ""
        device = known_device(self.request, name)
        guesses = Guesses(name, device or self.request.META.get("REMOTE_ADDR", ""))
        self.wait = guesses.wait(known=bool(device))
        if self.wait:
            log.warning("login_throttled")
            code = "too_many" if self.wait == WINDOW_SECONDS else "slow_down"
            raise forms.ValidationError(self.error_messages[code], code="too_many")
        try:
            cleaned = super().clean()
        except forms.ValidationError:
            guesses.wrong()
            log.warning("login_failed")
            raise
        guesses.right()
        return cleaned


def _short_enough(value: str) -> None:
    """Hashing a very long password takes long; nobody has one."""
    if len(value) > 256:
        raise forms.ValidationError(LoginForm.error_messages["invalid_login"], code="too_long")


class DeskLogin(LoginView):
    template_name = "config/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        if factor_of(user) is not None:
            return ask_at_the_door(self.request, user, self.get_success_url())
        return know_device(super().form_valid(form), user)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        wait = getattr(form, "wait", 0)
        if wait:
            response.status_code = 429
            response.headers["Retry-After"] = str(wait)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Why the person has to sign in again, said once."""
        return super().get_context_data(**kwargs) | {"ended": self.request.session.pop(ENDED, "")}


def to_login(request: HttpRequest) -> HttpResponse:
    """One door for both surfaces: the admin's own login leads to the desk's."""
    target = request.GET.get("next") or reverse("admin:index")
    if request.user.is_authenticated and not request.user.is_staff:
        raise PermissionDenied
    return redirect(f"{reverse('login')}?{urlencode({'next': target})}")
