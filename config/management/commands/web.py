"""Serves pages, API and WebSockets."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.env import whole
from config.runtime.embedded import serve_web
from config.runtime.ports import port_number
from trading.services.epochs import current_epoch, end_epoch


class Command(BaseCommand):
    help = "The web process alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=port_number, default=whole("PORT", 8000, 0, 65535))
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *args: Any, **options: Any) -> None:
        current_epoch("web")
        try:
            serve_web(options["host"], options["port"])
        finally:
            end_epoch()
