"""Starts Jeoul: one process when nothing is configured, separate processes with PostgreSQL and Redis."""

from __future__ import annotations

import os
import signal
import sys
import time
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.celery import app
from config.env import chosen, decimal, whole, yes
from config.running import forget_running, only_one_here, read_running, write_running
from config.runtime.embedded import Embedded, serve_web
from config.runtime.ports import free_port, port_number, wait_until_listening
from config.runtime.servers import Servers
from config.runtime.simulator import DemoSimulator
from rebalancing.selectors.open_work import has_open_work
from rebalancing.services.demo import demo_files, load_demo
from rebalancing.services.wakeups import make_wakeups
from trading.models import Account
from trading.services.brokers import token_store_for
from trading.services.chain_watch import stop_when_the_chain_breaks
from trading.services.epochs import close_dead_epochs, current_epoch, end_epoch

PROFILES = ("real", "mock")


class Command(BaseCommand):
    lingering = False
    help = "Migrate, load the demo and serve until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=port_number, default=whole("PORT", 8000, 0, 65535))
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--no-demo", action="store_true")
        parser.add_argument("--speed", type=float, default=decimal("SIM_SPEED", 1.0, 0.01, 1000))
        parser.add_argument("--profile", default=chosen("SIM_PROFILE", "real", PROFILES))

    def handle(self, *args: Any, **options: Any) -> None:
        if options["profile"] not in PROFILES:
            raise CommandError(f"SIM_PROFILE is real or mock, not {options['profile']!r}")
        demo = not options["no_demo"] and yes("DEMO", default=True)
        started = time.monotonic()
        alone = only_one_here(settings.VAR)
        if alone is None:
            first = read_running(settings.VAR).get("web", "")
            raise CommandError(f"Jeoul already runs here: {first}", returncode=1)
        with alone:
            self._serve(started, options, demo)

    def _serve(self, started: float, options: dict[str, Any], demo: bool) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        make_wakeups()
        simulator = self._simulator(options) if demo else None
        try:
            port = free_port(options["port"])
            address = f"http://{options['host']}:{port}/"
            facts = {"web": address} | (_addresses(simulator) if simulator else {})
            write_running(settings.VAR, facts)
            Thread(
                target=self._greet,
                args=(options["host"], port, address, demo, started),
                daemon=True,
            ).start()
            if settings.SERVER:
                self._separate(options["host"], port)
            else:
                self._together(options["host"], port)
        finally:
            forget_running(settings.VAR)
            if simulator is not None:
                simulator.stop()
        if self.lingering:
            # A task waits for the broker. Ending it is what a crash does, which every step survives.
            os._exit(0)

    def _simulator(self, options: dict[str, Any]) -> DemoSimulator:
        self.login = load_demo(wire=options["profile"])
        account = Account.objects.get(pk=self.login["account"])
        if account.wire != options["profile"]:
            raise CommandError(
                f"the demo in {settings.VAR} speaks the {account.wire} profile; start it with "
                f"SIM_PROFILE={account.wire}, or another one with another VAR_DIR"
            )
        simulator = DemoSimulator(
            demo_files().folder,
            profile=options["profile"],
            speed=options["speed"],
            resume=has_open_work(account),
        )
        simulator.start()
        settings.KIS_HOSTS = settings.KIS_HOSTS | {options["profile"]: simulator.rest_url}
        settings.KIS_STREAMS = settings.KIS_STREAMS | {options["profile"]: simulator.ws_url}
        settings.SIM_CLOCK_URL = f"{simulator.control_url}/health"
        if not simulator.resumed:
            # a new day knows no token of an earlier one
            token_store_for(account).drop()
        return simulator

    def _greet(self, host: str, port: int, address: str, demo: bool, started: float) -> None:
        """Say where to go as soon as somebody answers there, not before."""
        wait_until_listening(host, port)
        seconds = time.monotonic() - started
        write = self.stdout.write
        write("")
        write(f"  저울 Jeoul  →  {address}")
        if demo:
            write(f"  login       →  {self.login['user']} / {self.login['password']}")
            write("  이 데모는 시뮬레이터에 연결되어 있습니다. 실제 주문은 나가지 않습니다.")
        write(f"  {seconds:.1f} s · Ctrl-C 로 모두 종료")
        write("")
        sys.stdout.flush()

    def _together(self, host: str, port: int) -> None:
        close_dead_epochs()
        stop_when_the_chain_breaks()  # before anything is sent: an older database may have been put back
        current_epoch("embedded")
        jobs = Embedded(app)
        jobs.start()
        try:
            serve_web(host, port)
        finally:
            self.lingering = not jobs.stop()
            end_epoch()

    def _separate(self, host: str, port: int) -> None:
        servers = Servers(
            {
                "web": ["web", "--host", host, "--port", str(port)],
                "worker": ["worker"],
                "beat": ["beat"],
            }
        )
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        servers.start()
        try:
            ended = servers.wait()
            self.stderr.write(f"{ended} ended; stopping the others")
            sys.exit(1)
        except KeyboardInterrupt:
            self.stdout.write("stopping")
        finally:
            servers.stop()


def _addresses(simulator: DemoSimulator) -> dict[str, str]:
    return {
        f"kis_{simulator.profile}": simulator.rest_url,
        f"kis_{simulator.profile}_ws": simulator.ws_url,
        "sim_clock": f"{simulator.control_url}/health",
        "sim_control": simulator.control_url,
        "pid_of": str(os.getpid()),
    }
