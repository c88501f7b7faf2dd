"""The record: the audit chain for those who check the others, and what schedules and jobs of the day did."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from trading.api.filters import Filter, by_account, choice, day_span, plain_id, words
from trading.api.lists import ListDoor
from trading.api.permissions import EvidenceReaders
from trading.api.shapes import Shape, market_moment, maybe_number, real_moment
from trading.models import AuditEntry, ScheduleFire
from trading.selectors.audit_scope import audit_seen_by
from trading.selectors.moments import told_at

__all__ = ["AuditView", "ScheduleFiresView"]


class AuditShape(Shape):
    """One link of the chain. `docs/verify_audit.py` checks an export of it."""

    seq = serializers.IntegerField()
    at = real_moment()
    actor = serializers.CharField()
    action = serializers.CharField()
    object = serializers.CharField()
    payload = serializers.DictField()
    payload_hash = serializers.CharField()
    prev_hash = serializers.CharField(allow_blank=True)
    hash = serializers.CharField()


class FireShape(Shape):
    """`schedule` is the schedule whose slot it was, null for a job of the day."""

    id = serializers.IntegerField()
    job = serializers.CharField()
    schedule = maybe_number()
    slot = serializers.CharField()
    account = maybe_number()
    outcome = serializers.ChoiceField(ScheduleFire.Outcome.choices)
    facts = serializers.DictField()
    fired_at = market_moment()


def _auditentry(row: AuditEntry) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "at": told_at(datetime.fromisoformat(row.at)),
        "actor": row.actor,
        "action": row.action,
        "object": row.object,
        "payload": json.loads(row.payload),
        "payload_hash": row.payload_hash,
        "prev_hash": row.prev_hash,
        "hash": row.hash,
    }


class AuditView(ListDoor):
    """Who did what, on one's own accounts and in what is about none. Approvers and admins only, as in the
    admin."""

    permission_classes = [EvidenceReaders]
    queryset = AuditEntry.objects.order_by("-seq")
    account_path = ""
    serializer_class = AuditShape
    narrowing = (
        words("actor"),
        words("action"),
        words("object", text="as `run:1` or `account:1`"),
        # the chain keeps its moments as text in UTC
        *day_span("at", lambda moment: moment.astimezone(UTC).isoformat()),
    )
    told = staticmethod(_auditentry)

    def get_queryset(self) -> QuerySet[AuditEntry]:
        return audit_seen_by(self.request.user, super().get_queryset())


_SCHEDULE = "rebalance:"


def _schedulefire(row: ScheduleFire) -> dict[str, Any]:
    kind, number = row.job[: len(_SCHEDULE)], row.job[len(_SCHEDULE) :]
    return {
        "id": row.pk,
        "job": row.job,
        "schedule": int(number) if kind == _SCHEDULE and number.isdigit() else None,
        "slot": row.slot,
        "account": row.account_id,
        "outcome": row.outcome,
        "facts": row.facts,
        "fired_at": told_at(row.fired_at),
    }


class ScheduleFiresView(ListDoor):
    """Slot by slot, newest first."""

    queryset = ScheduleFire.objects.order_by("-pk")
    serializer_class = FireShape
    narrowing = (
        by_account(),
        choice("outcome", ScheduleFire.Outcome.values),
        words("job"),
        Filter(
            "schedule",
            plain_id,
            lambda rows, number: rows.filter(job=f"{_SCHEDULE}{number}"),
            {"type": "integer"},
            "the schedule's id",
        ),
        *day_span("fired_at"),
    )
    told = staticmethod(_schedulefire)
