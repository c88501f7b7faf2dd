"""A mistyped setting stops the start with one sentence that names it; nothing is guessed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

ROOT = Path(__file__).resolve().parents[2]
READERS = {
    "PORT": lambda: env.whole("PORT", 8000, 0, 65_535),
    "SIM_SPEED": lambda: env.decimal("SIM_SPEED", 1.0, 0.01, 1000),
    "LIVE_TRADING": lambda: env.yes("LIVE_TRADING", default=False),
    "LOG_LEVEL": lambda: env.chosen("LOG_LEVEL", "INFO", ("DEBUG", "INFO")),
    "TIME_ZONE": lambda: env.time_zone("TIME_ZONE", "Asia/Seoul"),
    "DATABASE_URL": env.database,
    "REDIS_URL": env.redis,
}


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("PORT", "abc"),
        ("PORT", "65536"),
        ("PORT", "８０００"),
        ("PORT", "8_000"),
        ("PORT", "-1"),
        ("SIM_SPEED", "fast"),
        ("SIM_SPEED", "nan"),
        ("SIM_SPEED", "0"),
        ("SIM_SPEED", "inf"),
        ("LIVE_TRADING", "ture"),
        ("LIVE_TRADING", "2"),
        ("LOG_LEVEL", "loud"),
        ("TIME_ZONE", "Mars/Base"),
        ("TIME_ZONE", "../../etc/passwd"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "mysql://a:secret@b/c"),
        ("REDIS_URL", "localhost:6379"),
    ],
)
def test_a_mistyped_setting_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, typed: str
) -> None:
    monkeypatch.setenv(name, typed)
    with pytest.raises(ImproperlyConfigured, match=name) as refused:
        READERS[name]()
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "typed", "read"),
    [
        ("PORT", "", 8000),
        ("PORT", "0", 0),
        ("PORT", " 65535 ", 65_535),
        ("SIM_SPEED", "0.5", 0.5),
        ("LIVE_TRADING", "TRUE", True),
        ("LIVE_TRADING", "off", False),
        ("LOG_LEVEL", "debug", "DEBUG"),
        ("TIME_ZONE", "America/New_York", "America/New_York"),
        ("REDIS_URL", "rediss://cache:6379/0", "rediss://cache:6379/0"),
    ],
)
def test_a_plain_setting_is_taken(
    monkeypatch: pytest.MonkeyPatch, name: str, typed: str, read: object
) -> None:
    monkeypatch.setenv(name, typed)
    assert READERS[name]() == read


def test_both_kinds_of_database_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://jeoul:secret@db:5433/jeoul")
    found = env.database()
    assert (found["ENGINE"], found["PORT"]) == ("django.db.backends.postgresql", 5433)
    monkeypatch.delenv("DATABASE_URL")
    assert env.database()["ENGINE"].endswith("sqlite3")


@pytest.mark.parametrize("wrong", ["PORT=abc", "LOG_LEVEL=loud", "TIME_ZONE=Mars", "DEMO=maybe"])
def test_the_command_line_says_it_in_one_line(tmp_path: Path, wrong: str) -> None:
    name, typed = wrong.split("=")
    variables = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), name: typed}
    ended = subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines()[-1].startswith(f"jeoul: {name} is")
    assert "Traceback" not in ended.stderr
