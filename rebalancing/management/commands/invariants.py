"""Judges the laws over what is written down: our rows now, or the files of a storm."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rebalancing.domain.laws import Case, Finding, judge, rows_of
from rebalancing.services.live_laws import judge_everything, judge_recent, stop_when_a_law_breaks

FILES = ("evidence.jsonl", "journal.jsonl", "truth.json")


class Command(BaseCommand):
    help = "Exit 0 when every law holds; else print what is broken and exit 1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--live", action="store_true", help="young and open rows only, as every minute"
        )
        parser.add_argument(
            "--stop", action="store_true", help="with --live: halt and page when a law is broken"
        )
        parser.add_argument(
            "--folder", type=Path, help=f"a folder of a storm with {', '.join(FILES)}"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["stop"] and not options["live"]:
            raise CommandError("--stop goes with --live", returncode=2)
        if options["live"] and options["folder"]:
            raise CommandError("--live reads the database, --folder reads files", returncode=2)
        if options["stop"]:
            stop_when_a_law_breaks()
        if options["live"]:
            found = dict(judge_recent())
        elif options["folder"]:
            found = judge(_case(options["folder"]))
        else:
            found = dict(judge_everything())
        self._tell(found, options["json"])
        if any(finding.violations for finding in found.values()):
            sys.exit(1)

    def _tell(self, found: dict[str, Finding], as_json: bool) -> None:
        if as_json:
            document = {
                "examined": {name: one.examined for name, one in found.items()},
                "violations": [
                    {"law": one.law, "text": one.text, "witness": one.witness}
                    for finding in found.values()
                    for one in finding.violations
                ],
            }
            self.stdout.write(json.dumps(document, ensure_ascii=False))
            return
        for name, finding in found.items():
            mark = "x" if finding.violations else "+" if finding.examined else "-"
            self.stdout.write(f"{mark} {name:<4} {finding.examined} examined")
            for one in finding.violations:
                self.stdout.write(f"       {one.law}: {one.text} ({', '.join(one.witness)})")


def _case(folder: Path) -> Case:
    """The history in one folder of a storm; CommandError where a file is missing or not JSON."""
    try:
        evidence_lines, journal_lines, truth = (
            (folder / name).read_text(encoding="utf-8") for name in FILES
        )
        return Case(
            rows_of(evidence_lines.splitlines()),
            rows_of(journal_lines.splitlines()),
            json.loads(truth),
        )
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}", returncode=2) from error
    except ValueError as error:
        raise CommandError(f"{folder}: not JSON: {error}", returncode=2) from error
