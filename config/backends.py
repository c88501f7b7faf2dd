"""Who a session belongs to, with the second factor that every request asks about, in one query."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend

__all__ = ["PeopleBackend"]


class PeopleBackend(ModelBackend):
    def get_user(self, user_id: Any) -> Any:
        people = get_user_model()._default_manager.select_related("second_factor")
        user = people.filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
