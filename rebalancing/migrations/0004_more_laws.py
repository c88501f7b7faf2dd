"""Thresholds and the history of runs are only added to; sides and requesters are known words."""

from django.db import migrations

from trading.models.laws import guard_values, make_append_only


def forwards(apps, editor):
    make_append_only(editor, "rebalancing_config")
    make_append_only(editor, "rebalancing_history")
    guard_values(editor, "rebalancing_trades", "side", ("BUY", "SELL"))
    guard_values(editor, "rebalancing_run", "requester_kind", ("person", "schedule"))


class Migration(migrations.Migration):
    dependencies = [("rebalancing", "0003_names"), ("trading", "0004_more_laws")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
