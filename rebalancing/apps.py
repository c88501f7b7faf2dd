"""The rebalancing app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RebalancingAppConfig(AppConfig):
    name = "rebalancing"
    verbose_name = _("리밸런싱 관리")

    def ready(self) -> None:
        from rebalancing.models import Run, RunSchedule
        from rebalancing.services.keepers import register_keepers
        from trading.selectors.audit_scope import audit_about

        register_keepers()
        audit_about("run", Run, "account")
        audit_about("schedule", RunSchedule, "account")
