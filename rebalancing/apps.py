"""The rebalancing app."""

from django.apps import AppConfig


class RebalancingAppConfig(AppConfig):
    name = "rebalancing"
    verbose_name = "리밸런싱 관리"
