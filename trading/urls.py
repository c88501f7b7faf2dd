"""Addresses of the ground floor's pages."""

from django.urls import path

from trading.views.accounts import choose_account
from trading.views.switches import release_trading, stop_trading

app_name = "trading"
urlpatterns = [
    path("account/", choose_account, name="choose-account"),
    path("switch/stop/", stop_trading, name="stop"),
    path("switch/release/", release_trading, name="release"),
]
