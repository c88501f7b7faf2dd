"""Runs the simulator from the command line: options to a world, a world to sockets."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from trading.domain.sessions import SEOUL
from trading.simulator.accounts import AccountPlan
from trading.simulator.limits import UNTHROTTLED
from trading.simulator.prices import BarSource, FileSource, demo_source
from trading.simulator.server import Server
from trading.simulator.tls import tls_context
from trading.simulator.us.money import cents_of
from trading.simulator.world import Options, World
from trading.simulator.ws.streams import Layout

__all__ = ["build_parser", "main", "options_of", "plans_of"]


def build_parser(parser: argparse.ArgumentParser | None = None) -> argparse.ArgumentParser:
    """The options of the simulator, added to `parser` when one is given."""
    parser = parser or argparse.ArgumentParser(prog="kis_simulator", description=__doc__)
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address of the broker's port")
    add("--port", type=_port, default=9443, help="the broker's REST port, 0 for a free one")
    add("--ws-port", type=_port, default=21000, help="the broker's WebSocket, 0 for a free one")
    add("--control-port", type=_port, default=9444, help="loopback only, 0 for a free one")
    add("--profile", choices=("real", "mock"), default="real")
    add("--seed", type=int, default=1)
    add("--speed", type=_speed, default=1.0, help="virtual seconds a second, 0: stepped")
    add("--start", type=datetime.fromisoformat, default=None, help="ISO time, Seoul if no zone")
    add("--prices", default="demo", help="demo or a Parquet file of daily bars")
    add(
        "--accounts",
        type=Path,
        default=None,
        help="JSON list of keys, accounts, cash, holdings, dollars",
    )
    add("--strict-time", action="store_true", help="start at the real time of day, open or closed")
    add("--journal", type=Path, default=None, help="JSONL file for everything that happens")
    add("--resume", action="store_true", help="go on where the journal of an earlier life ends")
    add("--tls", type=Path, default=None, help="serve https; the certificate is written there")
    add("--tame", action="store_true", help="no lag, deep books, no halts, no gaps")
    add("--exit-with-parent", action="store_true", help="end when the starting process has ended")
    add("--old-notices", action="store_true", help="own-order notices of 23 fields, as before 2025")
    add("--new-fields", action="store_true", help="WebSocket records with the fields of 2026-09-14")
    add("--unthrottled", action="store_true", help="no rate limits, tokenP's minute included")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"a port is a whole number from 0 to 65535, not {text!r}")
    return int(text)


def _speed(text: str) -> float:
    """Time only moves forward, and a day has to fit into a reading of it."""
    speed = float(text)
    if not 0 <= speed <= 1_000_000:
        raise argparse.ArgumentTypeError(f"a speed is a number from 0 to 1000000, not {text!r}")
    return speed


def plans_of(
    entries: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, str], dict[str, AccountPlan], dict[str, str]]:
    """(secret by key, plan by account, key by account). Raises ValueError for a malformed entry."""
    secrets: dict[str, str] = {}
    plans: dict[str, AccountPlan] = {}
    owners: dict[str, str] = {}
    for entry in entries:
        missing = {"appkey", "appsecret", "account"} - entry.keys()
        if missing:
            raise ValueError(f"an account entry lacks {', '.join(sorted(missing))}")
        account, appkey = str(entry["account"]), str(entry["appkey"])
        secrets[appkey] = str(entry["appsecret"])
        owners[account] = appkey
        holdings = {c: _holding(h) for c, h in dict(entry.get("holdings", {})).items()}
        overseas = {c: _us_holding(h) for c, h in dict(entry.get("overseas", {})).items()}
        plans[account] = AccountPlan(
            int(entry.get("cash", 100_000_000)), holdings, _cents(entry.get("usd", 0)), overseas
        )
    return secrets, plans, owners


def _holding(value: Any) -> tuple[int, int | None]:
    if isinstance(value, Mapping):
        average = value.get("avg")
        return int(value["qty"]), None if average is None else int(average)
    return int(value), None


def _us_holding(value: Any) -> tuple[int, int | None]:
    if isinstance(value, Mapping):
        average = value.get("avg")
        return int(value["qty"]), None if average is None else _cents(average)
    return int(value), None


def _cents(value: Any) -> int:
    cents = cents_of(value)
    if cents is None or cents < 0:
        raise ValueError(f"{value!r} is no amount of dollars and cents")
    return cents


def _file_source(path: str, seed: int, tame: bool) -> BarSource:
    return FileSource.read(path, seed, tame)


def options_of(args: argparse.Namespace) -> Options:
    """Parsed arguments as a world's options."""
    start = args.start
    if start is not None and start.tzinfo is None:
        start = start.replace(tzinfo=SEOUL)
    extra: dict[str, Any] = {}
    if args.accounts:
        entries = json.loads(args.accounts.read_text(encoding="utf-8"))
        extra["secrets"], extra["plans"], extra["owners"] = plans_of(entries)
    if args.unthrottled:
        extra |= {"rates": UNTHROTTLED, "minute_rule": False}
    return Options(
        profile=args.profile,
        seed=args.seed,
        speed=args.speed,
        start=start,
        tame=args.tame,
        strict_time=args.strict_time,
        journal=args.journal,
        resume=args.resume,
        layout=Layout(appended=args.new_fields, old_notices=args.old_notices),
        source=demo_source if args.prices == "demo" else partial(_file_source, args.prices),
        **extra,
    )


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted. Returns the exit code."""
    try:
        world = World(options_of(args))
        tls = tls_context(args.tls) if args.tls else None
        server = Server(world, args.host, args.port, args.control_port, args.ws_port, tls)
        server.start()
    except (OSError, ValueError) as error:
        print(f"kis_simulator: {error}", file=sys.stderr)
        return 2
    print(
        f"KIS simulator ({args.profile}, seed {args.seed}) "
        f"{'https' if tls else 'http'}://{args.host}:{server.port} · "
        f"ws://{args.host}:{server.stream.port} · "
        f"control http://127.0.0.1:{server.control_port}/__sim/health · "
        f"time {world.clock.peek():%Y-%m-%d %H:%M:%S} × {args.speed:g}",
        file=sys.stderr,
        flush=True,
    )
    if args.exit_with_parent:
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        server.wait()
    except KeyboardInterrupt:
        server.stop()
    return 0


def _end_with(parent: int) -> None:
    """A killed parent must not leave a simulator behind that nobody can find."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGTERM)


def main(argv: Sequence[str] | None = None) -> int:
    return run(build_parser().parse_args(argv))
