"""People and their roles: a role is a group, and nobody gives roles to themselves.

A superuser, made by `createsuperuser`, gives others their roles and may do nothing else.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm

from config import beat_admin, token_admin
from config.people_forms import NewPersonForm, PersonForm
from trading.admin.past import WithPast
from trading.admin.search import BoundedSearch
from trading.admin.seen import lock_row
from trading.models import CredentialChange
from trading.selectors.people import Role, gives_roles
from trading.services.api_tokens import revoke_tokens_of
from trading.services.audit import audit
from trading.services.credentials import note_credentials
from trading.services.keepers import approver_change, making_approver_takes_two
from trading.services.proposals import propose
from trading.services.second_factor import remove_factor
from trading.views.proof import asked_first

__all__ = ["PeopleAdmin", "beat_admin", "token_admin"]

User = get_user_model()
for _model in (User, Group):
    # Roles are set on the person.
    admin.site.unregister(_model)


@admin.register(User)
class PeopleAdmin(BoundedSearch, WithPast, UserAdmin, ModelAdmin):
    past_as = "user"
    form = PersonForm
    add_form = NewPersonForm
    change_password_form = AdminPasswordChangeForm
    actions = None
    actions_detail = ("reset_second_factor",)
    list_select_related = ("second_factor",)
    list_display = ("username", "roles", "has_factor", "is_active", "is_staff", "last_login")
    list_filter = ("groups", "is_active")
    search_fields = ("username", "first_name", "last_name")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("이름과 연락처"), {"fields": ("first_name", "last_name", "email")}),
        (
            _("역할"),
            {
                "fields": ("is_active", "is_staff", "groups"),
                "description": _(
                    "viewer는 보기, trader는 시작·취소, approver는 승인, admin은 설정입니다."
                    " 관리 화면에 들어오려면 ‘스태프’가 필요합니다."
                ),
            },
        ),
    )
    filter_horizontal = ()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return gives_roles(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return gives_roles(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return gives_roles(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return gives_roles(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nobody changes their own roles or locks themselves out, and a name stays: the record names people
        by it, and whoever took another one would be a second person to their own request."""
        if obj is None:
            return ()
        own = ("groups", "is_active", "is_staff") if obj == request.user else ()
        return ("username", *own)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if asked := asked_first(request):
            return asked
        return super().changeform_view(request, object_id, *args, **kwargs)

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,
        form_url: str = "",
    ) -> HttpResponse:
        """A new password opens all that the old one did: a change like any other, and on record."""
        if asked := asked_first(request):
            return asked
        by = request.user.get_username()
        with transaction.atomic():
            answer: HttpResponse = super().user_change_password(request, id, form_url)
            if request.method == "POST" and answer.status_code == 302:
                audit(by, "password_set", f"user:{id}")
                person = User.objects.get(pk=id)
                if note_credentials(person, by, CredentialChange.Kind.PASSWORD) is not None:
                    text = _("24시간 동안 나와 %(who)s님은 서로 요청한 것을 승인하지 못합니다.")
                    messages.warning(request, text % {"who": person.get_username()})
        return answer

    @action(description=_("2차 인증 초기화"), url_path="reset-second-factor", permissions=["reset"])
    def reset_second_factor(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """For somebody who lost phone and recovery codes. Asks once more; never for oneself."""
        person = User.objects.filter(pk=object_id).exclude(pk=request.user.pk or 0).first()
        if person is None:
            raise Http404
        if asked := asked_first(request):
            return asked
        if request.method == "POST":
            remove_factor(person, request.user.get_username())
            messages.success(request, _("2차 인증을 초기화했습니다."))
            return redirect(reverse("admin:auth_user_change", args=[object_id]))
        context = self.admin_site.each_context(request) | {
            "person": person,
            "title": _("2차 인증 초기화"),
        }
        return TemplateResponse(request, "admin/auth/user/reset.html", context)

    def has_reset_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return gives_roles(request.user) and str(object_id) != str(request.user.pk)

    @admin.display(description=_("2차 인증"), boolean=True)
    def has_factor(self, user: Any) -> bool:
        factor = getattr(user, "second_factor", None)
        return factor is not None and factor.confirmed_at is not None

    @admin.display(description=_("역할"))
    def roles(self, user: Any) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or "–"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Locked while a form is taken, as other settings are."""
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST" or not connection.in_atomic_block:
            return found
        lock_row(found)
        return super().get_object(request, object_id, from_field)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        with transaction.atomic():
            before = sorted(form.instance.groups.values_list("name", flat=True))
            super().save_related(request, form, formsets, change)
            self._hold_back_approver(request, form, before)
            if not change and form.instance.has_usable_password():
                # whoever made a person knows how to sign in as them
                note_credentials(
                    form.instance, request.user.get_username(), CredentialChange.Kind.PASSWORD
                )
            if not form.instance.is_active:
                revoke_tokens_of(form.instance, request.user.get_username())
            audit(
                request.user.get_username(),
                "user_changed" if change else "user_added",
                f"user:{form.instance.pk}",
                {
                    "before": before,
                    "roles": sorted(form.instance.groups.values_list("name", flat=True)),
                    "active": form.instance.is_active,
                },
            )

    def _hold_back_approver(self, request: HttpRequest, form: Any, before: list[str]) -> None:
        """Where it takes two to make an approver, the role waits for another approver's word. Somebody who
        comes back counts as made anew."""
        person, by = form.instance, request.user.get_username()
        name = str(Role.APPROVER)
        came_back = "is_active" in form.changed_data and person.is_active
        if (name in before and not came_back) or not person.groups.filter(name=name).exists():
            return
        if not making_approver_takes_two(person, by):
            return
        person.groups.remove(*Group.objects.filter(name=name))
        if not person.is_active:
            messages.warning(request, _("들어올 수 없는 사람에게는 승인자 역할을 주지 않습니다."))
            return
        propose(approver_change(person), by=by)
        messages.warning(
            request,
            _("승인자 역할은 제안했습니다. 다른 승인자가 동의하면 주어집니다."),
        )
