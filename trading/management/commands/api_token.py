"""A token for a program, made by whoever has the shell; shown once."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from trading.domain.errors import InputError, StateConflict
from trading.models import ApiToken
from trading.selectors.words import WORDS
from trading.services.api_tokens import DAYS, issue_token, revoke_tokens_of


class Command(BaseCommand):
    help = "Make an API token in the name of USER and print it: it is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--name", default="shell", help="what it is for")
        parser.add_argument("--days", type=int, choices=DAYS, default=90)
        parser.add_argument("--read-only", action="store_true")
        parser.add_argument("--revoke", action="store_true", help="end all of USER's instead")

    def handle(self, *args: Any, **options: Any) -> None:
        person = get_user_model().objects.filter(username=options["user"]).first()
        if person is None or not (person.is_active or options["revoke"]):
            raise CommandError(f"no user {options['user']}", returncode=2)
        if options["revoke"]:
            self.stdout.write(f"{revoke_tokens_of(person, 'shell')} ended")
            return
        reach = ApiToken.Reach.READ if options["read_only"] else ApiToken.Reach.FULL
        try:
            _row, text = issue_token(person, options["name"], reach, options["days"], by="shell")
        except InputError as error:
            said = " ".join(WORDS.say(why.code, why.facts) for why in error.reasons)
            raise CommandError(said, returncode=2) from error
        except StateConflict as conflict:
            raise CommandError(WORDS.say(conflict.code, conflict.facts), returncode=1) from conflict
        self.stdout.write(text)
