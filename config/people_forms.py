"""The forms of a person: of a password they say only whether there is one, and where to set another."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext as _
from unfold.forms import UnfoldReadOnlyPasswordHashWidget, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from trading.admin.seen import SeenForm

__all__ = ["NewPersonForm", "PersonForm"]


class PasswordState(UnfoldReadOnlyPasswordHashWidget):
    """Neither the algorithm nor a part of what is stored helps anybody who reads the page."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        usable = bool(value) and not value.startswith("!")
        told = _("정해져 있습니다.") if usable else _("없습니다. 이 사람은 들어올 수 없습니다.")
        return context | {"summary": [{"label": told}]}


class PersonForm(SeenForm, UserChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "groups" in self.fields:  # nobody's own roles are theirs to set
            _as_boxes(self.fields["groups"])
        password = self.fields["password"]
        password.widget = PasswordState()
        password.help_text = format_html(
            '{} <a href="../password/" class="text-primary-600 dark:text-primary-500 underline">{}</a>',
            _("비밀번호 자체는 저장하지 않아 아무도 볼 수 없습니다."),
            _("새 비밀번호 정하기"),
        )


def _as_boxes(roles: Any) -> None:
    """Four roles are ticked; a list that wants a key held down is for hundreds."""
    roles.widget = UnfoldAdminCheckboxSelectMultipleWidget()
    roles.widget.choices = roles.choices
    roles.help_text = ""


class NewPersonForm(UserCreationForm):
    """There is no other way in than a password here, whatever else Django knows of."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "usable_password" in self.fields:
            self.fields["usable_password"].help_text = _(
                "비밀번호가 없으면 이 사람은 들어올 수 없습니다. 나중에 정할 수도 있습니다."
            )
