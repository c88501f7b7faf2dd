"""Loads the demo world; safe to repeat."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from rebalancing.services.demo import load_demo


class Command(BaseCommand):
    help = "Demo people, instruments, presets and an account whose portfolio has drifted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--wire", choices=("real", "mock"), default="real")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        made = load_demo(wire=options["wire"])
        if options["json"]:
            self.stdout.write(json.dumps(made))
        else:
            self.stdout.write(f"login: {made['user']} / {made['password']}")
