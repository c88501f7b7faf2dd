"""Legal moves of intents and attempts, and the append-only record, as triggers."""

from django.db import migrations

from trading.domain.orders import ATTEMPT_MOVES, INTENT_MOVES
from trading.models.laws import guard_states, make_append_only

INSTALLED = {"trading_intent": "9dd8f6fa85758357", "trading_attempt": "c8e996e140d206e0"}


def forwards(apps, editor):
    guard_states(editor, "trading_intent", INTENT_MOVES)
    guard_states(editor, "trading_attempt", ATTEMPT_MOVES)
    for table in ("trading_auditentry", "trading_transition", "trading_ledger"):
        make_append_only(editor, table)


class Migration(migrations.Migration):
    dependencies = [("trading", "0001_initial")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
