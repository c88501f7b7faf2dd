"""Addresses of the rebalancing API."""

from django.urls import path

from rebalancing.api import (
    alerts,
    approvals,
    limits,
    portfolios,
    proposals,
    runs,
    schedules,
    settings,
    status,
    targets,
)
from trading.models import Approval

app_name = "rebalancing-api"
urlpatterns = [
    path("rebalancing/config", settings.ConfigView.as_view(), name="config"),
    path("rebalancing/configs", settings.ConfigsView.as_view(), name="configs"),
    path("rebalancing/status", status.StatusView.as_view(), name="status"),
    path("rebalancing-status", status.StatusAgainView.as_view(), name="status-old"),
    path("rebalancing/drift", status.DriftView.as_view(), name="drift"),
    path("rebalancing/runs", runs.RunsView.as_view(), name="runs"),
    path("rebalancing/runs/<int:pk>", runs.RunView.as_view(), name="run"),
    path("rebalancing/runs/<int:pk>/evidence", runs.EvidenceView.as_view(), name="evidence"),
    path(
        "rebalancing/runs/<int:pk>/approve",
        runs.DecideView.as_view(verdict=Approval.Verdict.APPROVE),
        name="approve",
    ),
    path(
        "rebalancing/runs/<int:pk>/reject",
        runs.DecideView.as_view(verdict=Approval.Verdict.DENY),
        name="reject",
    ),
    path("rebalancing/runs/<int:pk>/cancel", runs.CancelView.as_view(), name="cancel"),
    path("rebalancing/approvals", approvals.ApprovalsView.as_view(), name="approvals"),
    path("rebalancing/schedules", schedules.SchedulesView.as_view(), name="schedules"),
    path("rebalancing/schedules/<int:pk>", schedules.ScheduleView.as_view(), name="schedule"),
    path("model-portfolios", portfolios.ModelPortfoliosView.as_view(), name="model-portfolios"),
    path(
        "model-portfolios/<slug:code>/versions",
        portfolios.ModelVersionsView.as_view(),
        name="model-versions",
    ),
    path("sub-portfolios", portfolios.SubPortfoliosView.as_view(), name="sub-portfolios"),
    path(
        "sub-portfolios/<slug:code>/versions",
        portfolios.SubVersionsView.as_view(),
        name="sub-versions",
    ),
    path("targets", targets.TargetsView.as_view(), name="targets"),
    path("targets/history", targets.TargetsHistoryView.as_view(), name="targets-history"),
    path("trading-limits", limits.TradingLimitsView.as_view(), name="trading-limits"),
    path("proposals", proposals.ProposalsView.as_view(), name="proposals"),
    path("proposals/<int:pk>", proposals.ProposalView.as_view(), name="proposal"),
    path("proposals/<int:pk>/agree", proposals.AgreeView.as_view(), name="agree-proposal"),
    path("proposals/<int:pk>/refuse", proposals.RefuseView.as_view(), name="refuse-proposal"),
    path("proposals/<int:pk>/withdraw", proposals.WithdrawView.as_view(), name="withdraw-proposal"),
    path("alerts", alerts.AlertsView.as_view(), name="alerts"),
    path("alerts/<int:pk>", alerts.AlertView.as_view(), name="alert"),
    path("alerts/<int:pk>/acknowledge", alerts.AcknowledgeView.as_view(), name="acknowledge"),
]
