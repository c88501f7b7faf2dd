"""Checks the audit chain from its first row to its head."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from trading.models import AuditEntry
from trading.services.audit import verify


class Command(BaseCommand):
    help = "Exit 0 when the chain is whole; else print the first broken row and exit 1."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = verify()
        if broken is not None:
            self.stderr.write(f"the chain breaks at {broken}")
            sys.exit(1)
        self.stdout.write(f"{AuditEntry.objects.count()} rows, the chain is whole")
