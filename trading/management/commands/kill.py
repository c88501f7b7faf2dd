"""The kill switch from a shell; `halt` works with web, Redis and database down."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from trading.domain.errors import InputError, StateConflict
from trading.models import Account, ReleaseRequest, Switch
from trading.services.releases import ask_release
from trading.services.switches import GLOBAL, engage, file_state, write_kill_file


class Command(BaseCommand):
    help = "halt · reduce · status · release"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("halt", "reduce", "status", "release"))
        parser.add_argument("--scope", default=GLOBAL, help="global or account:ID")
        parser.add_argument("--reason", default="")
        parser.add_argument(
            "--as",
            dest="user",
            default="shell",
            help="who asks; where a release takes two people, an admin of the account",
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        scope, by = self._scope(options), f"shell:{options['user']}"
        answer: dict[str, Any] = {"scope": scope}
        if options["action"] == "status":
            answer |= self._status()
        elif options["action"] == "release":
            answer |= self._release(scope, by, options["reason"])
        else:
            answer |= self._engage(options["action"], scope, by, options["reason"])
        self.stdout.write(
            json.dumps(answer)
            if options["json"]
            else ", ".join(f"{k}={v}" for k, v in answer.items())
        )

    def _scope(self, options: dict[str, Any]) -> str:
        """Only a scope that some gate reads: a stop that stops nothing must not sound like one."""
        scope: str = options["scope"]
        if scope == GLOBAL or options["action"] == "status":
            return scope
        kind, _, number = scope.partition(":")
        try:
            whole = kind == "account" and number.isascii() and number.isdigit()
            known = whole and Account.objects.filter(pk=int(number)).exists()
        except DatabaseError as error:
            raise CommandError("the database does not answer; use halt without --scope") from error
        if not known:
            raise CommandError(
                f"no scope {scope}: global, or account:ID of an account", returncode=2
            )
        return scope

    def _engage(self, action: str, scope: str, by: str, reason: str) -> dict[str, Any]:
        """The file first: it needs nothing else to work."""
        if action == "halt" and scope == GLOBAL:
            write_kill_file(by, reason)
        try:
            row = engage(scope, "HALTED" if action == "halt" else "REDUCING", by, reason or action)
        except StateConflict as conflict:
            raise CommandError(str(conflict), returncode=2) from conflict
        except DatabaseError as error:
            if action == "halt" and scope == GLOBAL:
                return {"state": "HALTED", "by": "file", "database": type(error).__name__}
            raise CommandError("the database does not answer; use halt without --scope") from error
        return {"state": row.state}

    def _release(self, scope: str, by: str, reason: str) -> dict[str, Any]:
        """Where two people are needed this only asks; a second one agrees on the health page."""
        try:
            done = ask_release(scope, by, reason)
        except (InputError, StateConflict) as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        except DatabaseError as error:
            raise CommandError("the database does not answer; a release needs it") from error
        if isinstance(done, ReleaseRequest):
            return {"requested": done.pk, "expires_at": done.expires_at.isoformat()}
        return {"state": done.state}

    def _status(self) -> dict[str, Any]:
        try:
            newest: dict[str, str] = {}
            for row in Switch.objects.order_by("pk"):
                newest[row.scope] = row.state
        except DatabaseError as error:
            newest = {"database": type(error).__name__}
        return {"file": file_state(), "kill_file": str(settings.KILL_FILE), "switches": newest}
