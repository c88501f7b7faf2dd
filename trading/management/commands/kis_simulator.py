"""Runs the KIS simulator: REST on one port, its control on another."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from trading.simulator import main as simulator


class Command(BaseCommand):
    help = "A KIS one can trade against without an account; see docs/simulator.md."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        simulator.build_parser(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if code := simulator.run(argparse.Namespace(**options)):
            sys.exit(code)
