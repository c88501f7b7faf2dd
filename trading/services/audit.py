"""Writes the audit chain inside the transaction of what it records."""

from __future__ import annotations

import json

from django.conf import settings
from django.db import connection
from django.utils import timezone

from trading.domain import audit as chain
from trading.models import AuditEntry, AuditHead

__all__ = ["audit", "verify"]


def audit(actor: str, action: str, about: str, payload: dict[str, object] | None = None) -> None:
    """Append one row. Must run inside a transaction: the chain and the act commit together."""
    if not connection.in_atomic_block:
        raise RuntimeError("an audit row belongs to the transaction of what it records")
    head = AuditHead.objects.select_for_update().filter(pk=1).first()
    if head is None:
        AuditHead.objects.get_or_create(pk=1)
        head = AuditHead.objects.select_for_update().get(pk=1)
    head.seq += 1
    text = json.dumps(payload or {}, sort_keys=True, ensure_ascii=False, default=str)
    fields = {
        "seq": head.seq,
        "at": timezone.now().isoformat(),
        "actor": actor,
        "action": action,
        "object": about,
        "payload_hash": chain.payload_hash(text),
        "key_id": chain.key_id(settings.AUDIT_KEY),
    }
    link = chain.chain_hash(settings.AUDIT_KEY, head.hash, fields)
    AuditEntry.objects.create(**fields, payload=text, prev_hash=head.hash, hash=link)
    AuditHead.objects.filter(pk=1).update(seq=head.seq, hash=link)


def verify() -> int | None:
    """The first broken sequence number, or None. Also breaks where the head and the last row differ."""
    rows = AuditEntry.objects.order_by("seq").values_list(
        "seq", "at", "actor", "action", "object", "payload_hash", "key_id", "prev_hash", "hash"
    )
    broken = chain.first_break(
        settings.AUDIT_KEY, (chain.AuditRow(*row) for row in rows.iterator())
    )
    if broken is not None:
        return broken
    for entry in (
        AuditEntry.objects.order_by("seq").only("seq", "payload", "payload_hash").iterator()
    ):
        if chain.payload_hash(entry.payload) != entry.payload_hash:
            return entry.seq
    head = AuditHead.objects.filter(pk=1).first()
    count = AuditEntry.objects.count()
    if head is None:
        return None if count == 0 else 1
    return None if head.seq == count else min(head.seq, count) + 1
