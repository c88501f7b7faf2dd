"""Addresses of the ground floor's API."""

from django.urls import path

from trading.api import accounts, holdings, orders, policies, record, switches

app_name = "trading-api"
urlpatterns = [
    path("accounts", accounts.AccountsView.as_view(), name="accounts"),
    path("accounts/<int:pk>", accounts.AccountView.as_view(), name="account"),
    path("approval-policies", policies.PoliciesView.as_view(), name="approval-policies"),
    path("orders", orders.OrdersView.as_view(), name="orders"),
    path("orders/<int:pk>", orders.OrderView.as_view(), name="order"),
    path("fills", orders.FillsView.as_view(), name="fills"),
    path("positions", holdings.PositionsView.as_view(), name="positions"),
    path("snapshots", holdings.SnapshotsView.as_view(), name="snapshots"),
    path("switches", switches.SwitchesView.as_view(), name="switches"),
    path("audit", record.AuditView.as_view(), name="audit"),
    path("schedule-fires", record.ScheduleFiresView.as_view(), name="schedule-fires"),
]
