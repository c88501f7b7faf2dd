"""Puts Jeoul through a scenario from outside: twelve verbs over HTTP and the command line.

    with Driver() as jeoul:
        jeoul.up()
        demo = jeoul.login("demo")
        run = jeoul.start_run(demo)
        jeoul.wait_for(run, "AWAITING_APPROVAL")
        jeoul.decide(demo, run, "yes")

Nothing of the product is imported and no row is read: what this file can do, any script can do. A
verb whose product part does not exist yet asks the documented address and returns its answer as it
is.
"""

from __future__ import annotations

import base64
import csv
import hmac
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx2

__all__ = ["Driver", "DriverError", "Session", "free_port", "wait_until"]

ROOT = Path(__file__).resolve().parents[1]
API = "/api/macro-trading"
LOGIN, CODE = "/accounts/login/", "/accounts/code/"
Row = dict[str, Any]
Found = TypeVar("Found")


class DriverError(AssertionError):
    """A verb could not do what it promises; the message carries the product's own answer."""


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(look: Callable[[], Found | None], what: str, *, seconds: float = 100) -> Found:
    """The first true answer of `look`; raises DriverError naming `what` when it does not come."""
    give_up = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        if time.monotonic() > give_up:
            raise DriverError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.1)


@dataclass
class Session:
    """One signed-in person: a client with the session's cookies that sends the CSRF token."""

    role: str
    client: httpx2.Client

    def get(self, path: str) -> httpx2.Response:
        return self.client.get(path)

    def send(
        self, method: str, path: str, body: object = None, *, key: str = "", form: bool = False
    ) -> httpx2.Response:
        """A write with the CSRF token and, when `key` is given, an Idempotency-Key."""
        headers = {
            "X-CSRFToken": self.client.cookies.get("csrftoken") or "",
            "Referer": str(self.client.base_url),
        }
        if key:
            headers["Idempotency-Key"] = key
        content: dict[str, Any] = {"data": body} if form else {"json": body}
        return self.client.request(method, path, headers=headers, **content)


@dataclass
class Driver:
    """One installation in a folder of its own, started, driven and ended from outside."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="jeoul-driver-")))
    base_url: str = ""
    processes: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)
    seeds: dict[str, str] = field(default_factory=dict)
    """The authenticator keys of people who have set one up."""
    _steps: dict[str, int] = field(default_factory=dict)
    _env: dict[str, str] = field(default_factory=dict)
    _sessions: dict[str, Session] = field(default_factory=dict)

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        self._forget_sessions()
        self.down()

    def _forget_sessions(self) -> None:
        """Another start may listen elsewhere."""
        for session in self._sessions.values():
            session.client.close()
        self._sessions.clear()

    # --- 1 · 2 processes ------------------------------------------------------------------------
    def up(self, processes: Iterable[str] = ("up",), env: Mapping[str, str] | None = None) -> str:
        """Start `processes` and return the address once it answers.

        `up` is everything in one command. Otherwise name `simulator`, `web`, `worker`, `beat`, each
        as often as wanted; the database is migrated and the demo world loaded first. `env` is added
        to this process's environment, without its DATABASE_URL and REDIS_URL.
        """
        kinds = list(processes)
        self._env = self._environment(env or {})
        self._forget_sessions()
        if "up" not in kinds:
            self._prepare()
        if "simulator" in kinds:
            kinds.remove("simulator")
            self._start_simulator()
        for kind in kinds:
            self._start(kind, kind)
        if {"up", "web"} & set(kinds):
            wait_until(self._answers, "the web process answers", seconds=120)
        return self.base_url

    def down(self, kind: str = "all", signal_number: int = signal.SIGTERM) -> list[int]:
        """Signal every process of `kind` and wait for its end; returns the exit codes."""
        codes = []
        chosen = [row for row in self.processes if kind in ("all", row[0])]
        for _name, process in reversed(chosen):
            if process.poll() is None:
                process.send_signal(signal_number)
        for row in reversed(chosen):
            try:
                codes.append(row[1].wait(40))
            except subprocess.TimeoutExpired:
                row[1].kill()
                codes.append(row[1].wait(10))
            self.processes.remove(row)
        return codes

    def _environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        own = {
            name: value
            for name, value in os.environ.items()
            if name not in ("DATABASE_URL", "REDIS_URL", "KIS_REAL_REST_URL", "SIM_CLOCK_URL")
        }
        fixed = {
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "JEOUL_IGNORE_DOTENV": "1",
            "LOG_LEVEL": "WARNING",
            "PORT": str(free_port()),
            "VAR_DIR": str(self.folder),
        }
        return own | fixed | dict(extra)

    def _prepare(self) -> None:
        for command in (["migrate", "-v0", "--no-input"], ["collectstatic", "-v0", "--no-input"]):
            self.manage(*command)
        self.manage("load_demo")

    def _start(self, kind: str, *arguments: str) -> None:
        with (self.folder / f"{kind}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), *arguments],
                cwd=ROOT,
                env=self._env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append((kind, process))

    def _start_simulator(self) -> None:
        """The broker's stand-in beside separate processes, on the demo's keys and account."""
        port, control, stream = free_port(), free_port(), free_port()
        self._start(
            "simulator",
            "kis_simulator",
            *("--port", str(port), "--control-port", str(control), "--ws-port", str(stream)),
            *("--accounts", str(self.folder / "demo" / "accounts.json")),
            *("--speed", self._env.get("SIM_SPEED", "1")),
        )
        health = f"http://127.0.0.1:{control}/__sim/health"
        self._env |= {
            "KIS_REAL_REST_URL": f"http://127.0.0.1:{port}",
            "KIS_REAL_WS_URL": f"ws://127.0.0.1:{stream}",
            "SIM_CLOCK_URL": health,
        }
        wait_until(lambda: _status_of(health) == 200, "the simulator answers")

    def _answers(self) -> bool:
        for kind, process in self.processes:
            if process.poll() is not None:
                raise DriverError(f"{kind} ended with {process.returncode}:\n{self.log(kind)}")
        self.base_url = self._address()
        return bool(self.base_url) and _status_of(self.base_url + LOGIN) == 200

    def _address(self) -> str:
        """What `up` says it listens on: its port may differ from the one that was asked for."""
        if self.processes[0][0] != "up":
            return f"http://127.0.0.1:{self._env['PORT']}"
        facts = self.facts()
        ours = facts.get("pid") == self.processes[0][1].pid
        return str(facts["web"]).rstrip("/") if ours else ""

    def facts(self) -> dict[str, Any]:
        """Where `up` says that its parts listen; empty while it does not run."""
        try:
            found: dict[str, Any] = json.loads((self.folder / "running.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def log(self, kind: str, characters: int = 3000) -> str:
        """The end of what the processes of `kind` printed."""
        path = self.folder / f"{kind}.log"
        return path.read_text(encoding="utf-8", errors="replace")[-characters:]

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One command of `manage.py` in this installation's environment."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            cwd=ROOT,
            env=self._env or self._environment({}),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        if check and done.returncode:
            raise DriverError(f"{arguments[0]} exits {done.returncode}: {done.stderr[-2000:]}")
        return done

    # --- 3 people -------------------------------------------------------------------------------
    def login(self, role: str = "demo") -> Session:
        """A new session of a demo user; with a code where `seeds` knows the person's authenticator."""
        text = (self.folder / "demo" / "login.json").read_text(encoding="utf-8")
        password = json.loads(text)["password"]
        session = Session(role, httpx2.Client(base_url=self.base_url, timeout=30, trust_env=False))
        session.get(LOGIN)
        form = {
            "username": role,
            "password": password,
            "csrfmiddlewaretoken": session.client.cookies.get("csrftoken") or "",
        }
        answer = session.send("POST", LOGIN, form, form=True)
        if answer.headers.get("location") == CODE:
            session.get(CODE)
            form = {
                "code": self._code(role),
                "csrfmiddlewaretoken": session.client.cookies.get("csrftoken") or "",
            }
            answer = session.send("POST", CODE, form, form=True)
        if answer.status_code != 302:
            raise DriverError(f"{role} could not sign in: {answer.status_code}")
        return session

    def _code(self, role: str) -> str:
        """The next code of the person's app (RFC 6238) that was not used before."""
        step = max(int(time.time()) // 30 - 1, self._steps.get(role, 0) + 1)
        self._steps[role] = step
        digest = hmac.digest(base64.b32decode(self.seeds[role]), step.to_bytes(8, "big"), "sha1")
        at = digest[-1] & 15
        return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"

    def _kept(self, role: str) -> Session:
        if role not in self._sessions:
            self._sessions[role] = self.login(role)
        return self._sessions[role]

    # --- 4 targets ------------------------------------------------------------------------------
    def set_targets(self, text: str) -> Row:
        """Bind the first account to the weights of a CSV `asset_class,ticker,percent`.

        A row without a ticker is the class's share of the account, one with a ticker the name's
        share of its class. New versions of MP-3 and of one Sub-MP a class are made for it.
        """
        model: dict[str, str] = {}
        subs: dict[str, dict[str, str]] = {}
        for row in csv.DictReader(io.StringIO(text.strip())):
            name, ticker = row["asset_class"].strip(), (row["ticker"] or "").strip()
            if ticker:
                subs.setdefault(name, {})[ticker] = row["percent"].strip()
            else:
                model[name] = row["percent"].strip()
        admin = self._kept("admin")
        known = _good(admin.get(f"{API}/sub-portfolios")).json()
        codes = {row["asset_class"]: row["code"] for row in reversed(known)}
        body: Row = {"code": "MP-3", "weights": model}
        _good(admin.send("PUT", f"{API}/model-portfolios", body))
        for name, tickers in subs.items():
            body = {"code": codes[name], "weights": tickers}
            _good(admin.send("PUT", f"{API}/sub-portfolios", body))
        body = {
            "account": self._account(admin),
            "model_portfolio": "MP-3",
            "sub_portfolios": [codes[name] for name in subs],
        }
        return dict(_good(admin.send("PUT", f"{API}/targets", body)).json())

    def _account(self, session: Session) -> int:
        return int(_good(session.get(f"{API}/rebalancing/status")).json()["account"])

    # --- 5 · 6 runs -----------------------------------------------------------------------------
    def start_run(self, session: Session, *, dry_run: bool = False, key: str = "") -> int:
        """Ask for a run on the session's first account; returns its id."""
        body = {"account": self._account(session), "dry_run": dry_run}
        answer = session.send("POST", f"{API}/rebalancing/runs", body, key=key or uuid.uuid4().hex)
        return int(_good(answer).json()["run"])

    def decide(
        self, session: Session, run_id: int, verdict: Literal["yes", "no"]
    ) -> httpx2.Response:
        """Approve or reject the plan that the run shows now; the answer as it is."""
        shown = _good(session.get(f"{API}/rebalancing/runs/{run_id}")).json()
        verb = {"yes": "approve", "no": "reject"}[verdict]
        body = {"plan_hash": shown["plan_hash"]}
        return session.send("POST", f"{API}/rebalancing/runs/{run_id}/{verb}", body)

    # --- 7 · 8 orders by hand, bots -------------------------------------------------------------
    def manual(
        self,
        session: Session,
        ticker: str,
        side: Literal["BUY", "SELL"],
        qty: int,
        price: int | Literal["MKT"],
        idempotency_key: str,
    ) -> httpx2.Response:
        """An order by hand; the answer as it is."""
        body: Row = {"code": ticker, "quantity": qty, "order_type": "MARKET"}
        if price != "MKT":
            body |= {"order_type": "LIMIT", "price": price}
        return session.send("POST", f"/api/trading/{side.lower()}", body, key=idempotency_key)

    def bot(self, session: Session, verb: Literal["start", "stop"], params: Row) -> httpx2.Response:
        """Start or stop a bot; the answer as it is."""
        return session.send("POST", f"/api/trading/bot/{verb}", params, key=uuid.uuid4().hex)

    # --- 9 · 10 stopping, deciding the unknown --------------------------------------------------
    def kill(
        self,
        how: Session | Literal["cli"],
        verb: Literal["halt", "release"],
        reason: str = "outside driver",
    ) -> Row:
        """Stop or release everything; {"done", "answer"} from the command or the endpoint."""
        if isinstance(how, Session):
            body = {"action": verb, "scope": "global", "reason": reason}
            answer = how.send("POST", "/api/trading/kill", body)
            return {"done": answer.is_success, "answer": answer.status_code}
        done = self.manage("kill", verb, "--reason", reason, "--json", check=False)
        said = json.loads(done.stdout) if done.returncode == 0 else done.stderr.strip()
        return {"done": done.returncode == 0, "answer": said}

    def resolve(
        self,
        session: Session,
        intent_id: int,
        verdict: Literal["adopt", "absent", "leave"],
        order_no: str = "",
    ) -> httpx2.Response:
        """A person's word on an order nobody can find, as the run's page posts it."""
        attempts = [
            row
            for row in self.evidence()
            if row["view"] == "attempt" and row["intent_id"] == intent_id
        ]
        if not attempts:
            raise DriverError(f"intent {intent_id} was never sent")
        form = {
            "verdict": verdict,
            "order_no": order_no,
            "csrfmiddlewaretoken": session.client.cookies.get("csrftoken") or "",
        }
        path = f"/rebalancing/attempts/{attempts[-1]['id']}/decide/"
        return session.send("POST", path, form, form=True)

    # --- 11 · 12 looking ------------------------------------------------------------------------
    def status(self, *, run_id: int | None = None, intent_id: int | None = None) -> str:
        """The public state of one run (from the API) or of one intent (from the evidence)."""
        if run_id is not None:
            shown = _good(self._kept("viewer").get(f"{API}/rebalancing/runs/{run_id}"))
            return str(shown.json()["state"])
        for row in self.evidence():
            if row["view"] == "intent" and row["id"] == intent_id:
                return str(row["state"])
        raise DriverError(f"no intent {intent_id}")

    def evidence(self) -> list[Row]:
        """Everything the product claims, one row a line of `export_evidence`."""
        return [json.loads(line) for line in self.manage("export_evidence").stdout.splitlines()]

    def wait_for(self, run_id: int, *states: str, seconds: float = 100) -> str:
        """Wait until the run is in one of `states`; the state it is in then."""

        def there() -> str | None:
            state = self.status(run_id=run_id)
            return state if state in states else None

        return wait_until(there, f"run {run_id} becomes {' or '.join(states)}", seconds=seconds)


def _status_of(url: str) -> int:
    try:
        return int(httpx2.get(url, timeout=5, trust_env=False).status_code)
    except httpx2.HTTPError:
        return 0


def _good(answer: httpx2.Response) -> httpx2.Response:
    if not answer.is_success:
        raise DriverError(f"{answer.request.url}: {answer.status_code} {answer.text[:500]}")
    return answer
