"""Addresses of the rebalancing API."""

from django.urls import path

from rebalancing.api import views
from trading.models import Approval

app_name = "rebalancing-api"
urlpatterns = [
    path("rebalancing/config", views.ConfigView.as_view(), name="config"),
    path("rebalancing/status", views.StatusView.as_view(), name="status"),
    path("rebalancing-status", views.StatusAgainView.as_view(), name="status-old"),
    path("rebalancing/drift", views.DriftView.as_view(), name="drift"),
    path("rebalancing/runs", views.RunsView.as_view(), name="runs"),
    path("rebalancing/runs/<int:pk>", views.RunView.as_view(), name="run"),
    path("rebalancing/runs/<int:pk>/evidence", views.EvidenceView.as_view(), name="evidence"),
    path(
        "rebalancing/runs/<int:pk>/approve",
        views.DecideView.as_view(verdict=Approval.Verdict.APPROVE),
        name="approve",
    ),
    path(
        "rebalancing/runs/<int:pk>/reject",
        views.DecideView.as_view(verdict=Approval.Verdict.DENY),
        name="reject",
    ),
    path("rebalancing/runs/<int:pk>/cancel", views.CancelView.as_view(), name="cancel"),
    path("model-portfolios", views.ModelPortfoliosView.as_view(), name="model-portfolios"),
    path("sub-portfolios", views.SubPortfoliosView.as_view(), name="sub-portfolios"),
    path("targets", views.TargetsView.as_view(), name="targets"),
]
