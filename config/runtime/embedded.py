"""Everything in one process: web in the main thread, Celery's worker and beat beside it."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import structlog
import uvicorn
from celery import Celery
from celery.beat import EmbeddedService
from celery.worker import WorkController, state
from django.conf import settings
from kombu import Queue

__all__ = ["Embedded", "serve_web"]

log = structlog.get_logger(__name__)
STOP_SECONDS = 15.0
QUEUES = ("orders", "recon", "runs", "md", "alerts", "default")


def serve_web(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; returns afterwards."""
    server = uvicorn.Server(
        uvicorn.Config(
            "config.asgi:application",
            host=host,
            port=port,
            log_config=None,
            # without a proxy of ours nobody says for somebody else where they come from
            proxy_headers=bool(settings.TRUSTED_PROXIES),
            forwarded_allow_ips=settings.TRUSTED_PROXIES,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=3,
        )
    )
    # uvicorn raises the signal again once it has stopped; SIGTERM must unwind as Ctrl-C does, or
    # nothing after this call would be cleaned up
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.run()
    except KeyboardInterrupt:
        return  # uvicorn raises the signal again once it has stopped


class Embedded:
    """The worker and beat threads of the embedded default."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._worker: WorkController | None = None
        self._beat: Any = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        queues = [Queue(name) for name in QUEUES]
        self._app.conf.task_queues = queues
        self._app.finalize()
        self._worker = self._app.WorkController(
            app=self._app,
            hostname=f"embedded@{os.getpid()}",
            pool_cls="threads",
            concurrency=4,
            loglevel="WARNING",
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )
        self._thread = threading.Thread(target=self._worker.start, name="worker", daemon=True)
        self._thread.start()
        self._beat = EmbeddedService(
            self._app,
            max_interval=1,
            thread=True,
            scheduler_cls="django_celery_beat.schedulers:DatabaseScheduler",
        )
        self._beat.daemon = True
        self._beat.start()

    def stop(self) -> bool:
        """A warm stop: what runs may finish, nothing new begins. False when something would not end."""
        if self._beat is not None:
            self._beat.stop()
        state.should_stop = 0
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        state.should_stop = None
        return self._thread is None or not self._thread.is_alive()
