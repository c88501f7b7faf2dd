"""Rebalancing in the admin: settings and targets to add, schedules to edit, runs to read."""

from rebalancing.admin import alerts, runs, schedules, settings, targets

__all__ = ["alerts", "runs", "schedules", "settings", "targets"]
