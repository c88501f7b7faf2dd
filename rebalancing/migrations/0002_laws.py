"""Legal moves of runs as a trigger."""

from django.db import migrations

from rebalancing.domain.states import TRANSITIONS
from trading.models.laws import guard_states

INSTALLED = {"rebalancing_run": "9c3f3d335202ab6e"}


def forwards(apps, editor):
    guard_states(editor, "rebalancing_run", TRANSITIONS)


class Migration(migrations.Migration):
    dependencies = [("rebalancing", "0001_initial"), ("trading", "0002_laws")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
