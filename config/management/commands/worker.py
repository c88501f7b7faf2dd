"""Runs a Celery worker for every queue, or for those named."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.celery import app
from config.runtime.embedded import QUEUES
from trading.services.chain_watch import stop_when_the_chain_breaks
from trading.services.epochs import close_dead_epochs, end_epoch


class Command(BaseCommand):
    help = "A worker process; start as many as wanted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queues", default=",".join(QUEUES))
        parser.add_argument("--concurrency", type=int, default=2)
        parser.add_argument("--pool", default="threads")

    def handle(self, *args: Any, **options: Any) -> None:
        close_dead_epochs()
        stop_when_the_chain_breaks()  # before anything is sent: an older database may have been put back
        try:
            app.worker_main(
                [
                    "worker",
                    "--pool",
                    options["pool"],
                    "--concurrency",
                    str(options["concurrency"]),
                    "--queues",
                    options["queues"],
                    "--loglevel",
                    "WARNING",
                    "--without-gossip",
                    "--without-mingle",
                ]
            )
        finally:
            end_epoch()
