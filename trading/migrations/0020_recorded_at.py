"""When a change of state was written by the wall's clock. Old rows stay without: nobody knows it of them."""

from django.db import migrations, models
from django.utils import timezone


class Migration(migrations.Migration):
    dependencies = [("trading", "0019_trading_limits")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.AddField("transition", "recorded_at", models.DateTimeField(null=True))
            ],
            state_operations=[
                migrations.AddField(
                    "transition",
                    "recorded_at",
                    models.DateTimeField(default=timezone.now, null=True),
                )
            ],
        )
    ]
