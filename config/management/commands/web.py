"""Serves pages, API and WebSockets."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.env import env
from config.runtime.embedded import serve_web
from trading.services.epochs import current_epoch, end_epoch


class Command(BaseCommand):
    help = "The web process alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=env.int("PORT", default=8000))
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *args: Any, **options: Any) -> None:
        current_epoch("web")
        try:
            serve_web(options["host"], options["port"])
        finally:
            end_epoch()
