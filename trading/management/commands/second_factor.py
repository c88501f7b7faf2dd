"""Somebody lost phone and recovery codes, and no other admin is there: the shell's owner takes it away."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from trading.models import SecondFactor
from trading.services.second_factor import remove_factor


class Command(BaseCommand):
    help = "Reset the second factor of USER; they sign in with the password and set it up anew."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=("reset",))
        parser.add_argument("user")

    def handle(self, *args: Any, **options: Any) -> None:
        person = get_user_model().objects.filter(username=options["user"]).first()
        if person is None:
            raise CommandError(f"no user {options['user']}", returncode=2)
        if not SecondFactor.objects.filter(user=person).exists():
            raise CommandError(f"{options['user']} has no second factor", returncode=1)
        remove_factor(person, "shell")
        self.stdout.write(f"{options['user']} has no second factor any more")
