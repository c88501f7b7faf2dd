"""Writes what Jeoul claims as JSON lines, for checkers with code of their own."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rebalancing.models import Run
from rebalancing.selectors.evidence import evidence
from trading.models import Account
from trading.services.clock import SEOUL


class Command(BaseCommand):
    help = "Runs, cash, intents, attempts, orders, ledger, approvals, checks, audit … as JSON lines on stdout."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--run", type=int)
        parser.add_argument("--account", type=int)
        parser.add_argument("--since", help="ISO time: runs opened and orders sent from then on")
        parser.add_argument("--format", choices=("jsonl",), default="jsonl")

    def _since(self, text: str | None) -> datetime | None:
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError as error:
            raise CommandError(f"--since {text} is not an ISO time", returncode=2) from error
        return found if found.tzinfo else found.replace(tzinfo=SEOUL)

    def handle(self, *args: Any, **options: Any) -> None:
        run = account = None
        if options["run"] is not None:
            run = Run.objects.filter(pk=options["run"]).first()
            if run is None:
                raise CommandError(f"no run {options['run']}", returncode=2)
        if options["account"] is not None:
            account = Account.objects.filter(pk=options["account"]).first()
            if account is None:
                raise CommandError(f"no account {options['account']}", returncode=2)
        since = self._since(options["since"])
        for row in evidence(run=run, account=account):
            if since is not None and not _is_after(row, since):
                continue
            self.stdout.write(json.dumps(row, ensure_ascii=False))


_TIMES = (
    "created_at",
    "committed_at",
    "posted_at",
    "first_seen",
    "started",
    "created",
    "opened_at",
    "at",
)


def _is_after(row: dict[str, Any], since: datetime) -> bool:
    """Rows without a time of their own always belong; the chain is only whole from its first row."""
    if row["view"] == "audit":
        return True
    text = next((row[name] for name in _TIMES if row.get(name)), None)
    return text is None or datetime.fromisoformat(text) >= since
