"""Who a session belongs to, with roles and second factor that every request asks about, in one query."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef

from trading.selectors.people import Role, keep_roles

__all__ = ["PeopleBackend"]


_MEMBERS = Group.user_set.through.objects.filter(user=OuterRef("pk"))
_ROLES = {f"is_{role}": Exists(_MEMBERS.filter(group__name=str(role))) for role in Role}


class PeopleBackend(ModelBackend):
    def get_user(self, user_id: Any) -> Any:
        people = get_user_model()._default_manager.select_related("second_factor")
        user = people.annotate(**_ROLES).filter(pk=user_id).first()
        if user is None or not self.user_can_authenticate(user):
            return None
        keep_roles(user, [role for role in Role if getattr(user, f"is_{role}")])
        return user
