"""Runs one rebalancing from the command line and prints what it did."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from typing import Any, NoReturn

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from rebalancing.domain.states import RunState
from rebalancing.models import Run
from rebalancing.selectors.report import run_report
from rebalancing.selectors.report_text import report_lines
from rebalancing.selectors.words import STATE_NAMES, WORDS
from rebalancing.services.advance import run_advance
from rebalancing.services.approvals import decide_run
from rebalancing.services.runs import run_open
from trading.domain.errors import (
    ConfigurationError,
    InputError,
    Reason,
    RuleViolation,
    StateConflict,
)
from trading.models import Account, Approval
from trading.selectors.people import Role, has_role, may_see
from trading.services.clock import market_clock
from trading.services.second_factor import check_code


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no time to wait: give seconds above 0")
    return value


class Command(BaseCommand):
    help = "Rebalance ACCOUNT (its id or name): drift, trades, plan, checks, legs and fills."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account")
        parser.add_argument("--dry-run", action="store_true", help="stop before approval")
        parser.add_argument("--approve", action="store_true", help="approve the plan --as USER")
        parser.add_argument("--as", dest="user", default="demo", help="who asks and approves")
        parser.add_argument("--planner", choices=("rules", "gemini"), default="rules")
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--code", default="", help="USER's one-time code, where they have one")
        parser.add_argument(
            "--timeout", type=_seconds, default=900, help="seconds of waiting at most"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        account = self._account(options["account"])
        user = get_user_model().objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"no user {options['user']}", returncode=2)
        if not (has_role(user, Role.TRADER) and may_see(user, account)):
            raise CommandError(f"{user.get_username()} may not trade on {account}", returncode=2)
        run: Run | None = None
        try:
            run = run_open(
                account,
                requester=user.get_username(),
                dry_run=options["dry_run"],
                planner=options["planner"],
            )
            self._drive(run, user, options)
        except (RuleViolation, StateConflict, InputError) as refusal:
            self._refused(refusal, run, options["json"])
        except ConfigurationError as problem:
            raise CommandError(str(problem), returncode=2) from problem
        run = Run.objects.get(pk=run.pk)
        self._print(run, options["json"])
        good = {RunState.COMPLETED, RunState.NO_ACTION, RunState.AWAITING_APPROVAL}
        if run.state not in good and not (options["dry_run"] and run.end_reason == "dry_run"):
            sys.exit(1)

    def _account(self, wanted: str) -> Account:
        rows = Account.objects.filter(is_active=True)
        found = rows.filter(pk=wanted).first() if wanted.isascii() and wanted.isdigit() else None
        found = found or rows.filter(name=wanted).first()
        if found is None:
            raise CommandError(f"no account {wanted}", returncode=2)
        return found

    def _drive(self, run: Run, user: Any, options: dict[str, Any]) -> None:
        """Step until the run ends or waits for a person; sleeping only while nothing is due."""
        give_up = time.monotonic() + options["timeout"]
        clock = market_clock(run.account)
        while time.monotonic() < give_up:
            run_advance(run.pk)
            run = Run.objects.get(pk=run.pk)
            if run.is_terminal:
                return
            if run.state == RunState.AWAITING_APPROVAL:
                if not options["approve"]:
                    return
                # taken now, not at the start: a code is fresh for a minute or five
                proof = check_code(user, options["code"]) if options["code"] else None
                approve = Approval.Verdict.APPROVE
                decide_run(run.pk, run.plan_hash, user, approve, "command line", proof)
                continue
            if run.due_at is not None:
                wait = (run.due_at - clock.now()).total_seconds()
                time.sleep(min(max(wait, 0), 0.5))

    def _refused(self, refusal: Exception, run: Run | None, as_json: bool) -> NoReturn:
        """Say every ground; a run that was opened before stays open and is named."""
        facts = {"code": getattr(refusal, "code", "refused"), **getattr(refusal, "facts", {})}
        reasons = getattr(refusal, "reasons", ()) or (Reason(str(facts.pop("code")), facts),)
        left = Run.objects.get(pk=run.pk) if run is not None else None
        if as_json:
            document: dict[str, Any] = {
                "refused": [
                    {"code": r.code, **{k: str(v) for k, v in r.facts.items()}} for r in reasons
                ]
            }
            if left is not None:
                document |= {"run": left.pk, "state": left.state, "plan_hash": left.plan_hash}
            self.stdout.write(json.dumps(document, ensure_ascii=False))
        else:
            for reason in reasons:
                self.stderr.write(WORDS.say(reason.code, reason.facts))
            if left is not None and not left.is_terminal:
                name = STATE_NAMES[RunState(left.state)]
                self.stderr.write(
                    _("리밸런싱 #%(run)s은 그대로 있습니다: %(state)s.")
                    % {"run": left.pk, "state": name}
                )
        sys.exit(1)

    def _print(self, run: Run, as_json: bool) -> None:
        report = run_report(run)
        if as_json:
            self.stdout.write(json.dumps(report, ensure_ascii=False, indent=1))
            return
        for line in report_lines(report):
            self.stdout.write(line)
