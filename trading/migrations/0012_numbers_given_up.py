"""An accepted order may be UNKNOWN again: its number was another order's."""

from django.db import migrations

from trading.domain.orders import ATTEMPT_MOVES, INTENT_MOVES
from trading.models.laws import guard_states

INSTALLED = {"trading_intent": "f110f19cd1333736", "trading_attempt": "18708833768c9083"}


def forwards(apps, editor):
    guard_states(editor, "trading_intent", INTENT_MOVES)
    guard_states(editor, "trading_attempt", ATTEMPT_MOVES)


class Migration(migrations.Migration):
    dependencies = [("trading", "0011_unclaimed_rows")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
