#!/usr/bin/env python
"""Jeoul's command line; `manage.py help` lists the commands."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        sys.stderr.write(f"jeoul: {wrong}. See docs/settings.md.\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
