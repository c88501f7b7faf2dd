"""A run begins at its beginning; campaigns, histories, policies and planners are known words."""

from django.db import migrations

from trading.models.laws import guard_values, require_birth

ENDS = (
    "NO_ACTION", "VETOED", "DENIED", "APPROVAL_EXPIRED", "COMPLETED", "COMPLETED_WITH_SHORTFALL",
    "FAILED", "CANCELED",
)  # fmt: skip


def forwards(apps, editor):
    guard_values(
        editor, "rebalancing_campaign", "state",
        ("PREVIEW", "ACTIVE", "PAUSED", "COMPLETED", "SUPERSEDED"),
    )  # fmt: skip
    guard_values(editor, "rebalancing_history", "state", ENDS)
    guard_values(
        editor, "rebalancing_run", "approval_policy", ("four_eyes", "owner", "owner_practice")
    )
    require_birth(editor, "rebalancing_run", ("CREATED",))


class Migration(migrations.Migration):
    dependencies = [("rebalancing", "0004_more_laws"), ("trading", "0005_chain_and_words")]
    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]
