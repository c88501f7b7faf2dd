"""What an admin types about an account: keys that are never shown, a pause as it was seen, members."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from trading.admin.seen import SeenForm
from trading.models import Account
from trading.selectors.members import had_other_members

__all__ = ["SECRETS", "AccountForm", "MemberFormSet"]

SECRETS = ("app_key", "app_secret")


class AccountForm(SeenForm, forms.ModelForm):
    """Keys are written, never shown; left blank they stay as they are."""

    unseen = frozenset({*SECRETS, "paused_reason"})

    app_key = forms.CharField(
        label=_("앱 키"),
        required=False,
        max_length=200,
        widget=UnfoldAdminPasswordWidget(render_value=False, attrs={"autocomplete": "off"}),
        help_text=_("쓰기 전용입니다. 비워 두면 지금 값을 유지합니다."),
    )
    app_secret = forms.CharField(
        label=_("앱 시크릿"),
        required=False,
        max_length=400,
        widget=UnfoldAdminPasswordWidget(render_value=False, attrs={"autocomplete": "off"}),
        help_text=_("쓰기 전용입니다. 비워 두면 지금 값을 유지합니다."),
    )
    account_no = forms.CharField(
        label=_("계좌번호"),
        max_length=11,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text=_("12345678-01 형식. 저장한 뒤에는 끝 두 자리만 보입니다."),
    )

    class Meta:
        model = Account
        fields = (
            "name",
            "environment",
            "wire",
            "wrapper",
            "commission_stock",
            "commission_fund",
            "is_active",
            "paused_reason",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields.pop("account_no", None)
        else:  # a new account is on the mock wire unless the installation says otherwise
            wire = "mock" if settings.KIS_MOCK else "real"
            for name in ("environment", "wire"):
                self.initial.setdefault(name, wire)
        self.kept = {name: getattr(self.instance, name) for name in SECRETS}
        self.paused = self.instance.paused_reason if self.instance.pk else ""
        if "paused_reason" in self.fields:
            self.fields["paused_reason"].show_hidden_initial = True

    @property
    def changed_data(self) -> list[str]:
        """A key that was left blank stays as it is, and no record says otherwise."""
        found = set(super().changed_data) - {"paused_reason"}
        typed = {
            name for name in SECRETS if str(self.data.get(self.add_prefix(name)) or "").strip()
        }
        paused = {"paused_reason"} if self._wanted() not in (None, self._seen()) else set()
        return [name for name in self.fields if name in (found - set(SECRETS) | typed | paused)]

    def _wanted(self) -> str | None:
        """The pause as it was posted; None in a form that has been posted without it."""
        wanted = self.data.get(self.add_prefix("paused_reason"))
        return None if wanted is None else str(wanted).strip()

    def _seen(self) -> str:
        """The pause that the page showed: what came meanwhile was not seen, and is not lifted by a page
        that was opened before it."""
        return str(self.data.get(self.add_initial_prefix("paused_reason"), self.paused)).strip()

    def _clean_pause(self, cleaned: dict[str, Any]) -> None:
        if "paused_reason" not in self.changed_data:
            cleaned["paused_reason"] = self.paused
        elif self._seen() != self.paused:
            self.add_error(
                "paused_reason",
                _("그 사이 중지 사유가 바뀌었습니다. 이 화면을 다시 열어 확인하세요."),
            )
        elif self.paused == Account.EXTERNAL_ORDER:
            self.add_error("paused_reason", _("밖에서 낸 주문은 대사 화면에서 확인한 뒤 풀립니다."))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._clean_pause(cleaned)
        for name in SECRETS:
            given = (cleaned.get(name) or "").strip()
            if not given and not self.kept[name]:
                self.add_error(name, _("새 계좌에는 필요합니다."))
            cleaned[name] = given or self.kept[name]
        wire, environment = cleaned.get("wire"), cleaned.get("environment")
        if environment and wire and environment not in ("sim", wire):
            self.add_error("wire", _("모의·실전 계좌의 규격은 환경과 같아야 합니다."))
        return cleaned

    def _post_clean(self) -> None:
        """Set what the model form does not list, so that the model's own checks see it."""
        for name in (*SECRETS, "account_no"):
            if self.cleaned_data.get(name):
                setattr(self.instance, name, self.cleaned_data[name])
        super()._post_clean()  # type: ignore[misc]
        try:
            self.instance.clean()
        except ValidationError as error:
            if "account_no" in self.fields:
                self.add_error("account_no", error.message_dict.get("account_no", error.messages))
            return
        if "account_no" in self.fields and self.instance.is_known():
            self.add_error("account_no", _("이 환경에 이미 등록된 계좌번호입니다."))


class MemberFormSet(forms.BaseInlineFormSet):
    """Who may see an account is decided by somebody else, once it has or ever had a member."""

    by: Any = None

    def clean(self) -> None:
        super().clean()
        own = [
            form
            for form in self.forms  # a row that is given to oneself is as good as a new one
            if "user" in form.changed_data
            and form.cleaned_data.get("user") == self.by
            and not form.cleaned_data.get("DELETE")
        ]
        if own and self.instance.pk and had_other_members(self.instance, self.by.get_username()):
            own[0].add_error("user", _("자기 자신은 다른 관리자가 넣어야 합니다."))
