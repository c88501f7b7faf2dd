"""The platform app: configures logging when the apps are loaded."""

from django.apps import AppConfig
from django.conf import settings


class PlatformConfig(AppConfig):
    name = "config"
    label = "platform"
    verbose_name = "플랫폼"

    def ready(self) -> None:
        from config.logs import configure

        configure(settings.LOGGING)
