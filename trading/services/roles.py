"""The four roles as rows: groups with what each may see and change in the admin."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission

from trading.selectors.people import Role

__all__ = ["ensure_roles"]

_SET_BY_ADMINS = ("trading", "portfolio", "rebalancing", "auth", "django_celery_beat")


def ensure_roles() -> dict[Role, Group]:
    """The group of each role, made when missing, with the permissions that belong to it."""
    groups = {role: Group.objects.get_or_create(name=str(role))[0] for role in Role}
    viewing = Permission.objects.filter(codename__startswith="view_")
    for role in (Role.VIEWER, Role.TRADER, Role.APPROVER):
        groups[role].permissions.set(viewing)
    groups[Role.ADMIN].permissions.set(
        Permission.objects.filter(content_type__app_label__in=_SET_BY_ADMINS)
    )
    return groups
