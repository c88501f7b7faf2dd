"""Fills continue their order, nothing is born in the middle of its life, the remaining words are known ones."""

from django.db import migrations

from trading.models.laws import chain_ledger, guard_values, require_birth

WORDS = {
    "trading_account": {
        "wire": ("real", "mock"),
        "wrapper": ("general", "isa", "pension", "irp"),
    },
    "trading_sleeve": {
        "exit_policy": ("none_until_rebalance", "fvg_dynamic", "fixed", "trailing", "manual"),
    },
    "trading_intent": {"order_type": ("LIMIT", "MARKET")},
    "trading_brokerorder": {"source": ("ACK", "ADOPTED", "EXTERNAL")},
    "trading_decision": {"verdict": ("adopt", "absent", "leave")},
    "trading_releaserequest": {"outcome": ("", "agreed", "withdrawn", "expired")},
    "trading_alert": {"severity": ("info", "warning", "page")},
}


def forwards(apps, editor):
    for table, columns in WORDS.items():
        for column, words in columns.items():
            guard_values(editor, table, column, words)
    chain_ledger(editor, "trading_ledger", "trading_brokerorder")
    require_birth(editor, "trading_intent", ("DRAFT", "AUTHORIZED"))
    require_birth(editor, "trading_attempt", ("SENDING",))


class Migration(migrations.Migration):
    dependencies = [("trading", "0004_more_laws")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
