"""The platform app: configures logging when the apps are loaded, gives every log-in its rules, looks at
open orders before a migration and makes the roles after it."""

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class PlatformConfig(AppConfig):
    name = "config"
    label = "platform"
    verbose_name = _("플랫폼")

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from config.beat_words import name_beat
        from config.field_names import name_fields
        from config.logs import configure
        from config.one_names import name_ones
        from config.open_orders import refuse_over_open_orders
        from config.sessions import begin_session

        configure(settings.LOGGING)
        name_fields()
        name_beat()
        name_ones()
        user_logged_in.connect(begin_session, dispatch_uid="session-rules")
        pre_migrate.connect(
            refuse_over_open_orders,
            sender=apps.get_app_config("trading"),
            dispatch_uid="open-orders",
        )
        # the last app with tables: by then every permission is there
        post_migrate.connect(_make_roles, sender=apps.get_app_config("rebalancing"))


def _make_roles(using: str, **_given: Any) -> None:
    """An installation without the demo has people too, and a person without a role may do nothing.

    A migration of single apps may come before there are any groups: a later one then makes them.
    """
    from trading.services.roles import ensure_roles

    if "auth_group" in connections[using].introspection.table_names():
        ensure_roles()
