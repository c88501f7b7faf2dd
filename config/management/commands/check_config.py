"""Is this installation fit to trade: one line a thing, with what to do where something is wrong."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.self_check import FAIL, findings

MARKS = {"ok": "+", "warn": "!", "fail": "x", "off": "-"}


class Command(BaseCommand):
    help = "Look at keys, hosts, clock, calendar, database, Redis, accounts, Gemini and alerts."
    requires_system_checks: tuple[str, ...] = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--offline", action="store_true", help="do not ask the broker anything")

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(findings(ask_broker=not options["offline"]))
        failed = any(one.state == FAIL for one in found)
        if options["json"]:
            document = {"ok": not failed, "findings": [one.as_json() for one in found]}
            self.stdout.write(json.dumps(document, ensure_ascii=False, indent=1))
        else:
            for one in found:
                self.stdout.write(f"{MARKS[one.state]} {one.name:<12} {one.found}")
                if one.todo:
                    self.stdout.write(f"  {'':<12} → {one.todo}")
        if failed:
            sys.exit(1)
