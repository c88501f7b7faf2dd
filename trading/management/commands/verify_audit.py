"""Checks the audit chain from its first row to its head, and against what was anchored outside the database."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from trading.models import AuditEntry
from trading.services.anchors import anchors, missed_anchors
from trading.services.audit import verify


class Command(BaseCommand):
    help = "Exit 0 when the chain is whole and holds every anchor; else say where not and exit 1."

    def handle(self, *args: Any, **options: Any) -> None:
        faults = []
        if (broken := verify()) is not None:
            faults.append(f"the chain breaks at {broken}")
        count = 0
        try:
            count = sum(1 for _ in anchors())
            faults += [
                f"row {one.seq} is not the one anchored at {one.at}" for one in missed_anchors()
            ]
        except (OSError, ValueError) as error:
            faults.append(f"the anchors cannot be read: {error}")
        for fault in faults:
            self.stderr.write(fault)
        if faults:
            sys.exit(1)
        rows = AuditEntry.objects.count()
        self.stdout.write(f"{rows} rows, the chain is whole; {count} anchors hold")
