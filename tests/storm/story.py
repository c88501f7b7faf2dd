"""Plays one seed on a bed: three days of runs, faults as they are drawn, a person who decides, a quiet end."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from portfolio.models import ModelPortfolio, SubPortfolio
from portfolio.services import create_model_version
from rebalancing.domain.laws import Case
from rebalancing.models import Leg, Run, RunSchedule
from rebalancing.selectors.evidence import evidence
from rebalancing.services.advance import due_runs, run_advance
from rebalancing.services.approvals import decide_run
from rebalancing.services.day_jobs import run_day_jobs
from rebalancing.services.runs import run_open, run_resume
from rebalancing.services.schedule import fire_due_schedules
from rebalancing.services.targets import decide_targets
from rebalancing.services.watchdog import page_what_hangs
from tests.storm.bed import Bed, bed_of
from tests.storm.seeds import TICKERS, UNMATCHED, Act, Plan
from tests.support.world import ACCOUNT_NO, APP_KEY, APP_SECRET, HOLDINGS, MP, SUB, _account, _owner
from trading.domain.errors import JeoulError
from trading.domain.sessions import KRX, SEOUL
from trading.models import Account, Attempt
from trading.services import rate
from trading.services.deciding import decide_unknown
from trading.services.releases import ask_release
from trading.services.switches import GLOBAL, engage, is_engaged
from trading.tasks import reconcile_idle

__all__ = ["Told", "play"]

FIRST = date(2026, 11, 18)
LOOK, WATCH, IDLE, PERSON = 5, 30, 20, 600
"""Seconds between two looks of the sweep, of the watch, of the reconciliation and of a person."""
PARKED = 20
"""Seconds between two looks while every run waits for a person."""
AFTERWARDS = 240
CLOSED, QUIET = time(15, 41), time(16, 10)
STEPS = 40
WAITING = ["PAUSED_UNKNOWN", "PAUSED_EXTERNAL"]


@dataclass
class Told:
    """What a seed left: the history to judge, how runs ended, what was refused to a person."""

    case: Case
    outcomes: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    died: dict[str, str] = field(default_factory=dict)
    """Of each day the crash point that ended a process."""
    acted: Counter[str] = field(default_factory=Counter)
    """What the bed itself did while a run was alive, by the fault's id."""


def play(plan: Plan) -> Told:
    """The database is empty before and is the caller's to empty afterwards."""
    row = {"appkey": APP_KEY, "appsecret": APP_SECRET, "account": ACCOUNT_NO, "cash": 8_400_000,
           "holdings": dict(HOLDINGS)}  # fmt: skip
    start = datetime.combine(FIRST, time(9, 1), SEOUL)
    with bed_of(
        seed=plan.seed, start=start, profile=plan.profile, accounts=[row], tame=False
    ) as bed:
        account = _account(plan.profile, "owner_practice", MP, SUB)
        story = _Story(plan, bed, account, _owner())
        day = FIRST
        for number in range(len(plan.targets)):
            story.day(number, day)
            day = KRX.next_session(day)
        story.quiet(day)
        rows = tuple(json.loads(json.dumps(one, ensure_ascii=False)) for one in evidence())
        journal = tuple(json.loads(json.dumps(one)) for one in bed.world.journal.since(0))
        told = Told(Case(rows, journal, json.loads(json.dumps(bed.control.truth()))))
        told.outcomes.update(run.state for run in Run.objects.all())
        told.refused, told.died = story.refused, bed.died
        story.acted["G17"] = bed.slept
        told.acted = +story.acted
        return told


class _Story:
    def __init__(self, plan: Plan, bed: Bed, account: Account, owner: Any) -> None:
        self.plan, self.bed, self.account, self.owner = plan, bed, account, owner
        self.rng = random.Random(f"story:{plan.seed}")
        self.refused: list[str] = []
        self.acted: Counter[str] = Counter()
        self._watched = self._idled = self._looked = self._approves_from = bed.now

    # --- one day ------------------------------------------------------------------------------
    def day(self, number: int, day: date) -> None:
        bed, plan = self.bed, self.plan
        opens = KRX.session_hours(day).open
        bed.pass_to(opens - timedelta(minutes=15))
        bed.living(run_day_jobs)
        self._release()
        bed.pass_to(opens + timedelta(minutes=plan.start_minute[number]))
        self._decide_targets(plan.targets[number])
        bed.die_at = next((where for when, where in plan.deaths if when == number), "")
        bed.passed.clear()
        began = bed.now
        strikes = [one for one in plan.strikes if one.day == number]
        acts = sorted((a for a in plan.acts if a.day == number), key=lambda act: act.second)
        self._today = frozenset(act.kind for act in acts)
        bed.sleep_at = {
            ("after_T2_commit", act.nth): act.amount for act in acts if act.kind == "G17"
        }
        late = next((act for act in acts if act.kind == "EXPIRY"), None)
        self._approves_from = began + timedelta(seconds=late.amount if late else 0)
        self._begin()
        if late is not None:
            self._expire()
        while self._alive() and bed.now.time() < CLOSED:
            while strikes and bed.now >= began + timedelta(seconds=strikes[0].second):
                self._arm(strikes.pop(0))
            while acts and bed.now >= began + timedelta(seconds=acts[0].second):
                if not self._act(acts[0]):
                    break  # there is nothing yet to do it to
                acts.pop(0)
            self._turn()
        bed.control.disarm({})
        bed.die_at, bed.sleep_at = "", {}
        bed.pass_to(datetime.combine(day, CLOSED, SEOUL))
        self._after_the_close(day)

    def _release(self) -> None:
        """In the morning a person has read what stopped the day before, and lets trading go on."""
        for scope in ("global", f"account:{self.account.pk}"):
            if is_engaged(scope):
                self._said(
                    lambda s=scope: ask_release(s, self._by, "read and understood"), "release"
                )

    def _arm(self, one: Any) -> None:
        how: dict[str, Any] = {"match": one.match, "params": one.params}
        if one.nth > 1 and one.fault not in UNMATCHED:
            how |= {"when": "on_nth_match", "n": one.nth}
        try:
            self.bed.arm(one.fault, **how)
        except ValueError as error:
            raise AssertionError(f"{one} cannot be armed: {error}") from error

    def _begin(self) -> None:
        """The day's run: opened by a person, by one who clicks twice (H04), or by two schedulers (G15)."""
        bed = self.bed
        if "G15" in self._today:
            at = (bed.now + timedelta(seconds=30)).replace(microsecond=0)
            RunSchedule.objects.update_or_create(
                account=self.account, defaults={"at": at.time(), "enabled": True}
            )
            bed.pass_to(at + timedelta(seconds=1))
            before = Run.objects.count()
            for _ in range(2):
                bed.living(fire_due_schedules)
            RunSchedule.objects.update(enabled=False)
            self.acted["G15"] += Run.objects.count() > before
        if not self._alive():
            bed.living(self._open)
        if "H04" in self._today:
            self.acted["H04"] += self._alive()
            bed.living(self._open)

    def _expire(self) -> None:
        """Nobody decides the first plan; the next one is opened when it has ended."""
        while self._alive() and self.bed.now.time() < CLOSED:
            self._turn()
        expired = Run.objects.filter(state="APPROVAL_EXPIRED").count()
        self.acted["EXPIRY"] += bool(expired)
        self._approves_from = self.bed.now
        self.bed.living(self._open)

    def _act(self, act: Act) -> bool:
        """What a person does while the run is alive; False while it cannot be done yet."""
        if act.kind == "H02":
            self.acted["H02"] += 1
            self.bed.living(lambda: engage(GLOBAL, "HALTED", self._by, "a drill"))
        elif act.kind == "H08":
            leg = Leg.objects.order_by("number").first()
            ticker = leg.instrument_id if leg else TICKERS[0]
            placed = self.bed.control.manual_order(
                {"account": ACCOUNT_NO, "ticker": ticker, "side": "sell", "qty": int(act.amount)}
            )
            self.acted["H08"] += bool(placed["accepted"])
        elif act.kind == "G11":
            self.acted["G11"] += 1
            rate.budget_for.cache_clear()
            rate._window.cache_clear()
        elif act.kind == "B15":
            return self._same_order()
        return True

    def _same_order(self) -> bool:
        """The order that has no answer, once more by hand: one that our list cannot tell from ours."""
        lost = Attempt.objects.filter(state="UNKNOWN").first()
        if lost is None:
            return False
        wish = lost.intent
        placed = self.bed.control.manual_order(
            {
                "account": ACCOUNT_NO,
                "ticker": wish.instrument_id,
                "side": wish.side.lower(),
                "qty": wish.quantity,
                "price": wish.limit_price,
            }
        )
        self.acted["B15"] += bool(placed["accepted"])
        return True

    def _approve(self, run: Run) -> None:
        self.bed.living(lambda: decide_run(run.pk, run.plan_hash, self.owner, "APPROVE"))
        if "H01" in self._today:
            self.acted["H01"] += 1
            self._said(lambda: decide_run(run.pk, run.plan_hash, self.owner, "APPROVE"), "approve")

    def _open(self) -> None:
        try:
            run_open(self.account, requester=self.owner.get_username())
        except JeoulError as error:
            self.refused.append(f"{self.bed.now:%m-%d} open: {error}")

    def _decide_targets(self, weights: dict[str, int]) -> None:
        model = ModelPortfolio.objects.get()
        subs = [sub.versions.latest("number") for sub in SubPortfolio.objects.order_by("pk")]
        percent = {name: Decimal(weight) for name, weight in weights.items()}
        decide_targets(
            self.account, create_model_version(model, percent, by="test"), subs, by="test"
        )

    def _alive(self) -> bool:
        return Run.objects.filter(terminal_at=None).exists()

    def _turn(self) -> None:
        """What the sweep would do now, and then the next moment in which anything can be due."""
        bed = self.bed
        for run in Run.objects.filter(terminal_at=None):
            if run.state == "AWAITING_APPROVAL" and bed.now >= self._approves_from:
                self._approve(run)
        for _ in range(STEPS):
            due = due_runs()
            if not due:
                break
            for run_id in due:
                bed.living(lambda i=run_id: run_advance(i))  # type: ignore[misc]
                if self.rng.random() < self.plan.doubled:
                    self.acted["G13"] += 1
                    bed.living(lambda i=run_id: run_advance(i))  # type: ignore[misc]
        now = bed.now
        if (now - self._watched).total_seconds() >= WATCH:
            self._watched = now
            bed.living(page_what_hangs)
        if (now - self._idled).total_seconds() >= IDLE:
            self._idled = now
            bed.living(reconcile_idle)
        if (now - self._looked).total_seconds() >= PERSON:
            self._looked = now
            self._decide()
        bed.pass_to(self._next(now))

    def _next(self, now: datetime) -> datetime:
        alive = Run.objects.filter(terminal_at=None)
        if not alive.exclude(state__in=WAITING).exists():
            return now + timedelta(seconds=PARKED)
        soon = now + timedelta(seconds=LOOK)
        due = Run.objects.filter(terminal_at=None).exclude(due_at=None).order_by("due_at").first()
        if due is None or due.due_at is None:
            return soon
        return min(max(due.due_at, now + timedelta(seconds=1)), soon)

    # --- after the close ----------------------------------------------------------------------
    def _after_the_close(self, day: date) -> None:
        """Faults are over: the day's jobs, and a person who looks after what is left."""
        bed = self.bed
        while bed.now.time() < QUIET:
            bed.living(run_day_jobs)
            bed.living(reconcile_idle)
            bed.living(page_what_hangs)
            self._decide()
            self._step()
            bed.pass_time(AFTERWARDS)

    def _step(self) -> None:
        for _ in range(STEPS):
            due = due_runs()
            if not due:
                return
            for run_id in due:
                self.bed.living(lambda i=run_id: run_advance(i))  # type: ignore[misc]

    def _decide(self) -> None:
        """A person looks at the broker's own app: what is there is adopted, what is not is declared absent."""
        unknown = list(Attempt.objects.filter(state="UNKNOWN"))
        taken = self._taken() if unknown else {}
        for attempt in unknown:
            number = taken.get(attempt.nonce)
            verdict = ("adopt", number) if number else ("absent", "")
            self._said(
                lambda a=attempt, v=verdict: decide_unknown(a.pk, v[0], self._by, v[1]),
                f"decide {verdict[0]}",
            )
        for run in Run.objects.filter(state__in=WAITING):
            self._said(lambda r=run: run_resume(r.pk, self._by, close=True), "close")

    def _taken(self) -> dict[str, str]:
        """Numbers that the exchange gave, by the nonce of the request that asked for them."""
        rows = self.bed.world.journal.since(0)
        caused = {row["seq"]: row["nonce"] for row in rows if row["kind"] == "http_req"}
        orders = [row for row in rows if row["kind"] == "accepted"]
        return {
            caused[row["req_seq"]]: row["odno"] for row in orders if row.get("req_seq") in caused
        }

    @property
    def _by(self) -> str:
        return str(self.owner.get_username())

    def _said(self, what: Any, name: str) -> None:
        try:
            self.bed.living(what)
        except JeoulError as error:
            self.refused.append(f"{self.bed.now:%m-%d %H:%M} {name}: {error}")

    def quiet(self, day: date) -> None:
        """The next morning and its close without a fault: late fills, settled orders, last words."""
        opens = KRX.session_hours(day).open
        self.bed.pass_to(opens - timedelta(minutes=15))
        self._after_morning()
        self.bed.pass_to(datetime.combine(day, CLOSED, SEOUL))
        self._after_the_close(day)

    def _after_morning(self) -> None:
        for _ in range(5):
            self.bed.living(run_day_jobs)
            self.bed.living(reconcile_idle)
            self._decide()
            self._step()
            self.bed.pass_time(60)
