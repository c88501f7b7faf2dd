"""The trading app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TradingConfig(AppConfig):
    name = "trading"
    verbose_name = _("시장과 주문")

    def ready(self) -> None:
        from trading.services.keepers import register_keepers

        register_keepers()
