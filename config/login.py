"""Signing in: polite errors, and no more than five wrong passwords in a quarter of an hour."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlencode

import structlog
from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

__all__ = ["DeskLogin", "LoginForm", "to_login"]

FAILURES = 5
WINDOW_SECONDS = 15 * 60
log = structlog.get_logger(__name__)


def _key(request: HttpRequest, username: str) -> str:
    """One counter per name and address; a digest, because names are typed by strangers."""
    who = f"{username.strip().lower()[:150]}|{request.META.get('REMOTE_ADDR', '')}"
    return "login:" + hashlib.sha256(who.encode()).hexdigest()


class LoginForm(AuthenticationForm):
    """The same answer whether the name, the password or both are wrong."""

    error_messages = {
        "invalid_login": _("이름이나 비밀번호가 맞지 않습니다. 다시 입력하세요."),
        "inactive": _("이름이나 비밀번호가 맞지 않습니다. 다시 입력하세요."),
        "too_many": _("여러 번 틀렸습니다. 15분 뒤에 다시 시도하세요."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("이름")
        self.fields["password"].label = _("비밀번호")
        self.fields["password"].validators.append(_short_enough)

    def clean(self) -> dict[str, Any]:
        assert self.request is not None
        key = _key(self.request, self.cleaned_data.get("username") or "")
        if cache.get(key, 0) >= FAILURES:
            log.warning("login_throttled")
            raise forms.ValidationError(self.error_messages["too_many"], code="too_many")
        try:
            cleaned = super().clean()
        except forms.ValidationError:
            if not cache.add(key, 1, WINDOW_SECONDS):
                cache.incr(key)
            log.warning("login_failed")
            raise
        cache.delete(key)
        return cleaned


def _short_enough(value: str) -> None:
    """Hashing a very long password takes long; nobody has one."""
    if len(value) > 256:
        raise forms.ValidationError(LoginForm.error_messages["invalid_login"], code="too_long")


class DeskLogin(LoginView):
    template_name = "config/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        codes = {error.code for error in form.errors.as_data().get("__all__", [])}
        if "too_many" in codes:
            response.status_code = 429
            response.headers["Retry-After"] = str(WINDOW_SECONDS)
        return response


def to_login(request: HttpRequest) -> HttpResponse:
    """One door for both surfaces: the admin's own login leads to the desk's."""
    target = request.GET.get("next") or reverse("admin:index")
    if request.user.is_authenticated and not request.user.is_staff:
        raise PermissionDenied
    return redirect(f"{reverse('login')}?{urlencode({'next': target})}")
