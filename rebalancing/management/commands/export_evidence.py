"""Writes what Jeoul claims as JSON lines, for checkers with code of their own."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rebalancing.models import Run
from rebalancing.selectors.evidence import evidence
from trading.models import Account


class Command(BaseCommand):
    help = "Intents, attempts, orders, ledger, approvals, checks, audit … as JSON lines on stdout."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--run", type=int)
        parser.add_argument("--account", type=int)
        parser.add_argument("--format", choices=("jsonl",), default="jsonl")

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
        for row in evidence(run=run, account=account):
            self.stdout.write(json.dumps(row, ensure_ascii=False))
