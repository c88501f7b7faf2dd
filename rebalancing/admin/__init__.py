"""Rebalancing in the admin: settings and targets to add, schedules to edit, runs to read."""

from rebalancing.admin import alerts, plans, runs, schedules, settings, targets, transitions

__all__ = ["alerts", "plans", "runs", "schedules", "settings", "targets", "transitions"]
