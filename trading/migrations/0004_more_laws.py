"""Decisions and checks are never rewritten, an order's wish stays what was authorized, words are known ones."""

from django.db import migrations

from trading.models.laws import freeze_columns, guard_values, make_append_only

SIDES = ("BUY", "SELL")
WISH = (
    "key", "action", "origin", "origin_id", "leg_id", "account_id", "sleeve_id", "instrument_id",
    "side", "quantity", "order_type", "limit_price", "reference_price", "target_order_id",
    "plan_hash", "approval_id",
)  # fmt: skip
DRAFTS = "OLD.state IN ('DRAFT', 'CHECKED', 'AWAITING_APPROVAL')"


def forwards(apps, editor):
    for table in ("trading_approval", "trading_rulecheck"):
        make_append_only(editor, table)
    freeze_columns(editor, "trading_intent", WISH, unless=DRAFTS)
    for table in ("trading_lane", "trading_intent", "trading_brokerorder"):
        guard_values(editor, table, "side", SIDES)
    guard_values(editor, "trading_intent", "origin", ("run", "manual", "bot"))
    guard_values(editor, "trading_intent", "action", ("order", "cancel"))
    guard_values(editor, "trading_attempt", "action", ("order", "cancel"))


class Migration(migrations.Migration):
    dependencies = [("trading", "0003_second_person")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
