"""The chain's head in a file outside the database: what nobody sees from within, and a checker without us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from rebalancing.tasks import watch
from tests.support.world import World
from trading.domain.audit import chain_hash
from trading.models import Alert, AuditEntry, AuditHead
from trading.selectors.words import WORDS
from trading.services.anchors import anchors, drop_anchor, lost_anchor, missed_anchors
from trading.services.audit import audit
from trading.services.chain_watch import ChainWatch, stop_when_the_chain_breaks
from trading.services.switches import release, switch_state

pytestmark = [pytest.mark.money, pytest.mark.django_db(transaction=True)]
VERIFIER = Path(__file__).resolve().parents[3] / "docs" / "verify_audit.py"
TEN = timedelta(minutes=10)


def write(count: int = 1) -> None:
    for n in range(count):
        with transaction.atomic():
            audit("tester", "tested", f"row:{n}")


@contextmanager
def without_triggers() -> Iterator[None]:
    """As a superuser of the database may; on SQLite the suite has no trigger against deleting."""
    table = AuditEntry._meta.db_table
    on_postgres = connection.vendor == "postgresql"
    for verb in ("DISABLE", "ENABLE"):
        if on_postgres:
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER TABLE {table} {verb} TRIGGER USER")
        if verb == "DISABLE":
            yield


def rewrite(settings: Any, first: int, *, until: int | None = None) -> None:
    """A chain that follows, written by somebody with the key, past the application; `until` cuts it."""
    rows = list(AuditEntry.objects.order_by("seq"))
    with without_triggers():
        AuditEntry.objects.all()._raw_delete(using="default")
    previous = ""
    for row in rows[:until]:
        row.actor = "nobody" if row.seq >= first else row.actor
        names = ("seq", "at", "actor", "action", "object", "payload_hash", "key_id")
        fields = {name: getattr(row, name) for name in names}
        row.prev_hash, row.hash = previous, chain_hash(settings.AUDIT_KEY, previous, fields)
        previous = row.hash
        row.save(force_insert=True)
    AuditHead.objects.filter(pk=1).update(seq=len(rows[:until]), hash=previous)


def path(settings: Any) -> Path:
    return Path(settings.AUDIT_ANCHORS)


def verified() -> tuple[int, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("verify_audit", stdout=out, stderr=err)
    except SystemExit as end:
        return int(end.code or 0), err.getvalue()
    return 0, out.getvalue()


# --- writing -----------------------------------------------------------------------------------
def test_a_head_that_moved_is_written_down_once_in_ten_minutes(
    transactional_db: None, settings: Any
) -> None:
    now = timezone.now()
    assert not drop_anchor(now), "an empty chain has no head"
    write(3)
    assert drop_anchor(now)
    assert not drop_anchor(now + TEN), "it did not move"
    write()
    assert not drop_anchor(now + TEN - timedelta(seconds=1))
    assert drop_anchor(now + TEN)
    first, second = anchors()
    assert (first.seq, second.seq) == (3, 4)
    assert second.hash == AuditEntry.objects.get(seq=4).hash
    assert path(settings).stat().st_mode & 0o077 == 0
    assert lost_anchor() is None and missed_anchors() == []


def test_a_line_cut_by_a_loss_of_power_is_no_anchor_and_does_not_stay(
    transactional_db: None, settings: Any
) -> None:
    now = timezone.now()
    write(2)
    drop_anchor(now)
    with path(settings).open("a") as file:
        file.write('{"at": "2026-')
    assert [one.seq for one in anchors()] == [2]
    assert lost_anchor() is None
    write()
    assert drop_anchor(now + TEN)
    assert [one.seq for one in anchors()] == [2, 3]


def test_a_file_that_cannot_be_written_is_paged_and_the_chain_goes_on(
    world: World, settings: Any, tmp_path: Path
) -> None:
    write(2)
    (tmp_path / "a file").write_text("")
    settings.AUDIT_ANCHORS = str(tmp_path / "a file" / "anchors.jsonl")
    assert stop_when_the_chain_breaks(ChainWatch()) is None
    page = Alert.objects.get(code="anchor_unreachable")
    assert (page.severity, page.account) == ("page", world.account)
    assert "a file" in WORDS.say(page.code, page.facts)
    assert stop_when_the_chain_breaks(ChainWatch()) is None
    assert Alert.objects.filter(code="anchor_unreachable").count() == 1, "not again at once"
    assert switch_state(world.account) == "ACTIVE"
    write()
    settings.AUDIT_ANCHORS = str(tmp_path / "anchors.jsonl")
    assert stop_when_the_chain_breaks(ChainWatch()) is None
    (back,) = anchors()
    assert back.seq == AuditHead.objects.get(pk=1).seq, "the next anchor covers what was missed"


# --- what only an anchor shows -----------------------------------------------------------------
@pytest.mark.parametrize("until", [None, 3], ids=["written anew", "cut"])
def test_a_chain_made_anew_with_the_stolen_key_stops_everything_once(
    world: World, settings: Any, until: int | None
) -> None:
    write(5)
    watch()
    head = AuditHead.objects.get(pk=1).seq
    assert [one.seq for one in anchors()] == [head]
    rewrite(settings, 2, until=until)
    chain = ChainWatch()
    assert chain.next_break() is None, "from within it is whole"
    assert stop_when_the_chain_breaks(chain) == head
    assert switch_state(world.account) == "HALTED"
    page = Alert.objects.get(code="audit_lost")
    assert f"{head}번" in WORDS.say(page.code, page.facts)
    assert [one.seq for one in anchors()] == [head], "no new anchor covers it up"
    assert verified()[0] == 1 and f"row {head} is not" in verified()[1]
    release("global", "owner", "", "looked", "owner_practice")
    assert stop_when_the_chain_breaks(ChainWatch()) is None
    assert switch_state(world.account) == "ACTIVE"
    assert len(list(anchors())) == 1, "until somebody says that he has looked"
    Alert.objects.filter(code="audit_lost").update(acknowledged_at=timezone.now())
    line = json.loads(path(settings).read_text())
    line["at"] = (timezone.now() - TEN).isoformat()  # ten minutes go by
    path(settings).write_text(json.dumps(line) + "\n")
    stop_when_the_chain_breaks(ChainWatch())
    assert len(list(anchors())) == 2 and lost_anchor() is None
    assert verified()[0] == 1, "the record of what was lost stays"


def test_a_whole_chain_with_its_anchors_stops_nothing(world: World) -> None:
    write(5)
    watch()
    write(5)
    watch()
    assert switch_state(world.account) == "ACTIVE"
    rows = AuditEntry.objects.count()
    assert rows >= 10
    assert verified() == (0, f"{rows} rows, the chain is whole; 1 anchors hold\n")


# --- without us --------------------------------------------------------------------------------
def offline(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """The verifier by itself: no site packages, no path to our code, no database."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(VERIFIER), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        cwd="/",
        env=env or {"PATH": os.environ["PATH"]},
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


@pytest.fixture
def exported(transactional_db: None, settings: Any, tmp_path: Path) -> dict[str, Path]:
    write(6)
    drop_anchor()
    out = StringIO()
    call_command("export_evidence", stdout=out)
    files = {"evidence": tmp_path / "evidence.jsonl", "key": tmp_path / "key"}
    files["evidence"].write_text(out.getvalue())
    files["key"].write_text(settings.AUDIT_KEY + "\n")
    return files | {"anchors": path(settings)}


def change(file: Path, number: int, **values: object) -> None:
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    for row in rows:
        if row["view"] == "audit" and row["seq"] == number:
            row.update(values)
    file.write_text("\n".join(json.dumps(row) for row in rows))


def test_whoever_has_the_export_and_the_key_needs_nothing_of_ours(
    exported: dict[str, Path], settings: Any
) -> None:
    evidence, key, kept = (str(exported[name]) for name in ("evidence", "key", "anchors"))
    assert offline(evidence, "--key-file", key, "--anchors", kept) == (
        0,
        "6 rows, every row is signed with the key; 1 anchors hold",
    )
    assert offline(evidence) == (0, "6 rows, the links hold; no key was given; 0 anchors hold")
    given = {"PATH": os.environ["PATH"], "AUDIT_KEY": settings.AUDIT_KEY}
    assert "every row is signed" in offline(evidence, env=given)[1]


@pytest.mark.parametrize(
    ("flaw", "says"),
    [
        (lambda file: change(file, 3, actor="nobody"), "row 3 was not written with this key"),
        (lambda file: change(file, 4, prev_hash="0" * 64), "row 4 does not follow"),
        (lambda file: change(file, 5, seq=6), "row 5 is missing"),
        (
            lambda file: file.write_text("\n".join(file.read_text().splitlines()[:-1])),
            "row 6 is not the one anchored",
        ),
    ],
    ids=["changed", "unlinked", "left out", "cut"],
)
def test_it_names_the_first_row_that_is_wrong(
    exported: dict[str, Path], flaw: Any, says: str
) -> None:
    flaw(exported["evidence"])
    files = [str(exported[name]) for name in ("evidence", "key", "anchors")]
    code, said = offline(files[0], "--key-file", files[1], "--anchors", files[2])
    assert code == 1 and says in said


@pytest.mark.parametrize("content", ["", "no json", '{"view": "env"}', '{"view": "audit"}'])
def test_what_is_no_export_proves_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "evidence.jsonl").write_text(content)
    code, said = offline(str(tmp_path / "evidence.jsonl"))
    assert code == 2 and said
    assert offline(str(tmp_path / "nowhere.jsonl"))[0] == 2
