"""Addresses of the ground floor's pages."""

from django.urls import path

from trading.views.accounts import choose_account
from trading.views.stops import stop_badge
from trading.views.switches import (
    agree_to_policy,
    agree_to_release,
    release_trading,
    stop_trading,
)

app_name = "trading"
urlpatterns = [
    path("account/", choose_account, name="choose-account"),
    path("switch/badge/", stop_badge, name="stop-badge"),
    path("switch/stop/", stop_trading, name="stop"),
    path("switch/release/", release_trading, name="release"),
    path("policy/agree/", agree_to_policy, name="agree-policy"),
    path("switch/agree/", agree_to_release, name="agree-release"),
]
