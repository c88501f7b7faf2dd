"""Who decided a target is a person or a strategy."""

from django.db import migrations

from trading.models.laws import guard_values


def forwards(apps, editor):
    guard_values(editor, "ai_strategy_decisions", "source", ("person", "strategy"))


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0002_laws"), ("trading", "0005_chain_and_words")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
